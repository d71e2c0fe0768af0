/* forker: a program that forks, execs, dlopens and exits, for following it.
 *
 *   forker [--wait] [ROUNDS]        --wait: print "ready PID", go on after a line on standard input
 *   forker --child VALUE            what it execs
 *
 * A round: work(1) here; fork, work(2) there; fork + exec, work(3) there; dlopen libplugin.so (beside this
 * file), plugin_work(4), dlclose. Prints each result; children are waited for, so that the order is fixed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sdt.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline, noclone)) long work(long value) {
  STAP_PROBE1(forker, work, value);
  __asm__ volatile("" : "+r"(value));
  return value * 100;
}

static char self[PATH_MAX], plugin[PATH_MAX + 16];

/* Runs in a new process; exits by _exit so that buffered output is not printed twice. */
static void in_child(void) {
  printf("forked %ld\n", work(2));
  fflush(stdout);
  _exit(0);
}

static void round_of_children(void) {
  int status;
  printf("here %ld\n", work(1));
  fflush(stdout);

  pid_t child = fork();
  if (child == 0) in_child();
  waitpid(child, &status, 0);

  child = fork();
  if (child == 0) {
    execl(self, self, "--child", "3", (char *)NULL);
    _exit(127);
  }
  waitpid(child, &status, 0);

  void *library = dlopen(plugin, RTLD_NOW);
  if (!library) {
    fprintf(stderr, "forker: %s\n", dlerror());
    exit(1);
  }
  long (*plugin_work)(long) = (long (*)(long))dlsym(library, "plugin_work");
  printf("plugin %ld\n", plugin_work(4));
  fflush(stdout);
  dlclose(library);
}

int main(int argc, char **argv) {
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length < 0) return 1;
  char directory[PATH_MAX];
  strcpy(directory, self);
  snprintf(plugin, sizeof plugin, "%s/libplugin.so", dirname(directory));

  if (argc == 3 && !strcmp(argv[1], "--child")) {
    printf("execed %ld\n", work(atol(argv[2])));
    return 0;
  }
  long rounds = 1;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--wait")) {
      rounds = atol(argv[i]);
      continue;
    }
    printf("ready %d\n", getpid());
    fflush(stdout);
    while (getchar() != '\n' && !feof(stdin)) {}
  }
  for (long i = 0; i < rounds; i++) round_of_children();
  puts("done");
  return 0;
}
