/* texts: one thread calls a function with strings of very different lengths, and with addresses that are none.
 *
 *   texts COUNT ROUNDS      in each round COUNT strings, each its own number and up to 600 more bytes
 *
 * Every fifth call gets an address without memory. Prints how many calls got a string.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((noinline, noclone)) long take(const char *text) {
  const char *volatile kept = text;
  __asm__ volatile("" ::: "memory");
  return kept != 0;
}

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 10, rounds = argc > 2 ? atol(argv[2]) : 1, taken = 0;
  static char text[1024];
  for (long round = 0; round < rounds; round++)
    for (long i = 0; i < count; i++) {
      int digits = sprintf(text, "%ld.", i);
      /* Long and short in turns, so that what a string leaves behind shows in the next. */
      size_t more = (size_t)(i % 2 ? i * 37 % 600 : i % 7);
      memset(text + digits, 'a' + (int)(i % 26), more);
      text[digits + (long)more] = 0;
      taken += take(text);
      if (i % 5 == 0) take((const char *)16);
    }
  printf("took %ld\n", taken);
  return 0;
}
