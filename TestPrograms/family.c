/* family: processes that start processes, for following all of them and none too many.
 *
 *   family [--wait] [--early] [--storm CHILDREN] [ROUNDS]
 *   family --exec KIND              what it execs
 *
 * touch(KIND) is called, in each round: 1 here once; 8 by each of two threads here; 2 in a forked child, 3 by each of its
 * two threads, 4 in its own child, which then execs: 5; 7 in a vforked child, which then execs: 6.
 * --early: a child forked before the wait calls touch(10) after it. --storm: CHILDREN forked by two threads at once, each
 * of which calls touch(9) and nothing else. --wait: print "ready PID", go on after a line on standard input.
 * Prints "done" at the end, when all children are gone.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sdt.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline, noclone)) long touch(long kind) {
  STAP_PROBE1(family, touch, kind);
  __asm__ volatile("" : "+r"(kind));
  return kind;
}

static char self[PATH_MAX];
static int storm;

static void *touching(void *kind) {
  touch((long)kind);
  return NULL;
}

static void two_threads(void *(*body)(void *), long kind) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    if (pthread_create(&threads[i], NULL, body, (void *)kind)) abort();
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}

static void wait_for(pid_t child) {
  if (child < 0 || waitpid(child, NULL, 0) != child) abort();
}

static void become(const char *kind) {
  execl(self, self, "--exec", kind, (char *)NULL);
  _exit(127);
}

static void one_round(void) {
  touch(1);
  two_threads(touching, 8);
  pid_t child = fork();
  if (child == 0) {
    touch(2);
    two_threads(touching, 3);
    pid_t grandchild = fork();
    if (grandchild == 0) {
      touch(4);
      become("5");
    }
    wait_for(grandchild);
    _exit(0);
  }
  wait_for(child);
  child = vfork();
  if (child == 0) {
    touch(7);
    become("6");
  }
  wait_for(child);
}

static void *forking(void *unused) {
  (void)unused;
  for (int i = 0; i < storm / 2; i++) {
    pid_t child = fork();
    if (child == 0) {
      touch(9);
      _exit(0);
    }
    wait_for(child);
  }
  return NULL;
}

int main(int argc, char **argv) {
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length < 0) return 1;
  if (argc == 3 && !strcmp(argv[1], "--exec")) {
    touch(atol(argv[2]));
    return 0;
  }
  long rounds = 1;
  int waits = 0, is_early = 0, gate[2];
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--wait")) waits = 1;
    else if (!strcmp(argv[i], "--early")) is_early = 1;
    else if (!strcmp(argv[i], "--storm") && i + 1 < argc) storm = atoi(argv[++i]);
    else rounds = atol(argv[i]);
  }
  pid_t early = -1;
  if (is_early) {
    if (pipe(gate)) return 1;
    early = fork();
    if (early == 0) {
      char byte;
      close(gate[1]);
      if (read(gate[0], &byte, 1) == 0) touch(10);
      _exit(0);
    }
    close(gate[0]);
  }
  if (waits) {
    printf("ready %d\n", getpid());
    fflush(stdout);
    while (getchar() != '\n' && !feof(stdin)) {}
  }
  if (is_early) {
    close(gate[1]);
    wait_for(early);
  }
  for (long i = 0; i < rounds; i++) one_round();
  if (storm) two_threads(forking, 0);
  puts("done");
  return 0;
}
