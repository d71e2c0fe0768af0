/* threads: N threads call one function M times each, for counting hits exactly.
 *
 *   threads THREADS HITS [push|stepped|nop|nop5] [MICROSECONDS]
 *
 * Prints "ready PID", waits for a line on standard input, its end, or SIGUSR1, calls, prints the number of
 * calls and their sum; nanoseconds a call go to standard error. The third argument picks the function: they
 * differ in their first instruction, because that decides what a uprobe costs. MICROSECONDS is a pause after each
 * call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROBED __attribute__((noinline, noclone))

/* Begins with push %rbp, which the kernel emulates: GCC makes the frame only where the stack is used. */
PROBED long hit(long i) {
  volatile long kept = i;
  return kept * 2 + 1;
}

/* Begins with lea, which the kernel single-steps. */
__attribute__((naked)) PROBED long hit_stepped(long i) {
  (void)i;
  __asm__ volatile("lea 1(%rdi,%rdi), %rax\n ret");
}

__attribute__((naked)) PROBED long hit_nop(long i) {
  (void)i;
  __asm__ volatile("nop\n lea 1(%rdi,%rdi), %rax\n ret");
}

/* Begins with a five-byte nop, which newer kernels turn into a call. */
__attribute__((naked)) PROBED long hit_nop5(long i) {
  (void)i;
  __asm__ volatile(".byte 0x0f, 0x1f, 0x44, 0, 0\n lea 1(%rdi,%rdi), %rax\n ret");
}

static long hits, pause_us;
static long (*function)(long) = hit;

static void *run(void *sum) {
  long total = 0;
  for (long i = 0; i < hits; i++) {
    total += function(i);
    if (pause_us) usleep((useconds_t)pause_us);
  }
  *(long *)sum = total;
  return NULL;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void start(int signal) { (void)signal; }

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    long (*function)(long);
  } functions[] = {{"push", hit}, {"stepped", hit_stepped}, {"nop", hit_nop}, {"nop5", hit_nop5}};
  if (argc < 3) {
    fputs("usage: threads THREADS HITS [push|stepped|nop|nop5] [MICROSECONDS]\n", stderr);
    return 2;
  }
  int count = atoi(argv[1]);
  hits = atol(argv[2]);
  pause_us = argc > 4 ? atol(argv[4]) : 0;
  for (size_t i = 0; argc > 3 && i < sizeof functions / sizeof *functions; i++)
    if (!strcmp(argv[3], functions[i].name)) function = functions[i].function;

  /* No SA_RESTART: the signal must end the read below. */
  sigaction(SIGUSR1, &(struct sigaction){.sa_handler = start}, NULL);
  printf("ready %d\n", getpid());
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) == 1 && byte != '\n') {}

  pthread_t *threads = calloc((size_t)count, sizeof *threads);
  long *sums = calloc((size_t)count, sizeof *sums), total = 0;
  double begin = now();
  for (int i = 0; i < count; i++) pthread_create(&threads[i], NULL, run, &sums[i]);
  for (int i = 0; i < count; i++) {
    pthread_join(threads[i], NULL);
    total += sums[i];
  }
  fprintf(stderr, "%.1f ns a call\n", (now() - begin) / (double)hits);
  long expected = count * hits * hits; /* the sum of 2i+1 for i < n is n² */
  printf("done %ld hits, sum %ld, %s\n", count * hits, total, total == expected ? "right" : "WRONG");
  free(threads);
  free(sums);
  return total == expected ? 0 : 1;
}
