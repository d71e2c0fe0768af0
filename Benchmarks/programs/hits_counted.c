/* A mark with a semaphore, which the kernel counts up while somebody traces it. */
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

__extension__ unsigned short hits_counted_semaphore __attribute__((unused, section(".probes")));

__attribute__((noinline, noclone)) long hit_counted(long i) {
  if (__builtin_expect(hits_counted_semaphore, 0)) DTRACE_PROBE1(hits, counted, i);
  return i;
}
