/* The probes of `marks` that have semaphores. A file of their own: sdt.h decides for a whole unit. */
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

#define SEMAPHORE __attribute__((section(".probes"), visibility("hidden"))) volatile unsigned short
SEMAPHORE marks_guarded_semaphore;
SEMAPHORE marks_counted_semaphore;

/* Runs only when traced, as programs do whose arguments cost something to make. */
__attribute__((noinline, noclone)) int guarded(int value) {
  if (!marks_guarded_semaphore) return 0;
  STAP_PROBE2(marks, guarded, value, value * value);
  return 1;
}

/* Has a semaphore and does not look at it. */
__attribute__((noinline, noclone)) void counted(int value) { STAP_PROBE1(marks, counted, value); }
