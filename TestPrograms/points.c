// Every kind of place in code that can be named: lines, labels, callees, inlined code, calls into a library.
//
//   points [ROUNDS]     each round calls leaf 7 times (4 from first, 1 each from second, middle and tail), square 5 times
//                       (4 in first, 1 in second), passes the label 3 times, and calls a64l("./"), which is 64, once (50 rounds)
//
// Comments such as `@leaf` mark lines for the tests.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

static volatile int counter;

static inline __attribute__((always_inline)) int square(int value) {
  int result = value * value; // @square
  return result + counter;
}

__attribute__((noipa)) int leaf(int value) { // @leaf-start
  counter += value; // @leaf

  // @leaf-gap
  return value * 3;
}

__attribute__((noipa)) int first(int n) {
  int sum = 0;
  for (int i = 0; i < n; i++)
    sum += leaf(i) + square(i); // @first
  return sum;
}

__attribute__((noipa)) int second(int n) {
  int sum = leaf(n);
again:
  counter++; // @again
  __asm__ volatile("" ::: "memory");
  if (--n > 0) goto again;
  return sum + square(n);
}

__attribute__((noipa)) int middle(int n) { return leaf(n) + 1; }
__attribute__((noipa)) int outer(int n) { return middle(n) * 2; }
// Optimised, it jumps to leaf.
__attribute__((noipa)) int tail(int n) { return leaf(n + 1); }

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 50;
  long sum = 0, letters = 0;
  for (int i = 1; i <= rounds; i++) {
    sum += first(4) + second(3) + outer(i) + tail(i);
    letters += a64l("./");
  }
  printf("rounds %d letters %ld %s\n", rounds, letters, sum ? "done" : "");
  // Waits for a line, so that somebody can find the addresses of the running program.
  if (argc > 2) {
    int c = getchar();
    for (int i = 1; i <= rounds; i++) sum += leaf(c);
    printf("more %d\n", rounds);
  }
  return 0;
}
