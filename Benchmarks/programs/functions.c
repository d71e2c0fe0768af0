/* functions: calls the first N of very many functions in turn, and tells what a call takes.
 *
 * Prints "NAME ADDRESS" of each, then "ready"; for each line "N CALLS", the nanoseconds of one call.
 */
#include <stdio.h>
#include <time.h>

extern long (*const many_functions[])(long);
extern const long many_count;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(void) {
  for (long i = 0; i < many_count; i++) printf("f%ld %lx\n", i, (unsigned long)many_functions[i]);
  puts("ready");
  fflush(stdout);
  long count, calls, sum = 0;
  while (scanf("%ld %ld", &count, &calls) == 2 && count >= 1 && count <= many_count) {
    double begin = now();
    for (long i = 0, next = 0; i < calls; i++) {
      sum += many_functions[next](i);
      if (++next == count) next = 0;
    }
    printf("%.3f\n", (now() - begin) / (double)calls);
    fflush(stdout);
  }
  return sum == 42;
}
