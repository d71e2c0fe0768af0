/* stacks: calls `probed` in every way that makes call chains hard, without frame pointers.
 *
 *   stacks [signal|altstack|callback|alloca|deep|many|plugin LIBRARY]
 *
 * Prints what the calls add up to.
 */
#define _GNU_SOURCE
#include <alloca.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBED __attribute__((noinline, noclone))
#define KEEP __asm__ volatile("" ::: "memory")

static long total;

PROBED long probed(long n) {
  KEEP;
  return n + 1;
}

static inline __attribute__((always_inline)) long inlined(long n) { return probed(n) * 3; }

PROBED long outer(long n) {
  long result = inlined(n) + 1;
  KEEP;
  return result;
}

static void handle(int signal) { total += outer(signal); }

PROBED void interrupted(void) {
  raise(SIGUSR1);
  KEEP;
}

static int compare(const void *left, const void *right) {
  total += outer(*(const int *)left);
  return *(const int *)left - *(const int *)right;
}

PROBED long with_room(long n) {
  char *room = alloca((size_t)n);
  memset(room, 1, (size_t)n);
  long result = outer(room[n / 2]);
  KEEP;
  return result + room[n - 1];
}

PROBED long deep(long n) {
  char frame[200];
  memset(frame, (int)n, sizeof frame);
  KEEP;
  long result = n ? deep(n - 1) : outer(n);
  KEEP;
  return result + frame[7];
}

PROBED long first(long n) {
  long result = outer(n) + 2;
  KEEP;
  return result;
}

PROBED long second(long n) {
  char frame[64];
  memset(frame, (int)n, sizeof frame);
  KEEP;
  long result = outer(n);
  KEEP;
  return result + frame[5];
}

int main(int argc, char **argv) {
  const char *way = argc > 1 ? argv[1] : "";
  if (!strcmp(way, "signal") || !strcmp(way, "altstack")) {
    struct sigaction action = {.sa_handler = handle};
    if (!strcmp(way, "altstack")) {
      stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
      sigaltstack(&stack, NULL);
      action.sa_flags = SA_ONSTACK;
    }
    sigaction(SIGUSR1, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    interrupted();
  } else if (!strcmp(way, "callback")) {
    int numbers[] = {3, 1, 2};
    qsort(numbers, 3, sizeof numbers[0], compare);
  } else if (!strcmp(way, "alloca")) {
    total = with_room(argc * 1000);
  } else if (!strcmp(way, "deep")) {
    total = deep(400);
  } else if (!strcmp(way, "many")) {
    for (long n = 0; n < 80; n++) total += n % 8 < 5 ? first(n) : second(n);
  } else if (!strcmp(way, "plugin") && argc > 2) {
    void *library = dlopen(argv[2], RTLD_NOW);
    long (*function)(long) = library ? (long (*)(long))dlsym(library, "plugin_work") : NULL;
    total = function ? function(5) : -1;
    if (library) dlclose(library);
  } else {
    total = outer(argc);
  }
  printf("%ld\n", total);
  return 0;
}
