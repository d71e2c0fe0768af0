/* armed: how long a tracer takes from exec until its probes are in the traced process, and from SIGINT until
 * they are gone again. Asks neither tool: it watches the code bytes of the process.
 *
 *   armed PID ADDRESS[,ADDRESS…] TRACER [ARGUMENT…]      run-time addresses of functions, hexadecimal
 *
 * Prints three times in ms: exec → all armed, SIGINT → all gone, SIGINT → the tracer has exited. Exit 1 after 10 s, or when
 * the tracer ends before it has armed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A tracer may slide its probe a few instructions into the function. */
enum { WINDOW = 32, MOST = 16 };

static int memory, count;
static pid_t tracer;
static unsigned long addresses[MOST];
static unsigned char before[MOST][WINDOW];

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static int changed(int i) {
  unsigned char bytes[WINDOW];
  if (pread(memory, bytes, WINDOW, (off_t)addresses[i]) != WINDOW) return -1;
  return memcmp(bytes, before[i], WINDOW) != 0;
}

/* Waits until every window is (or is no longer) changed. Returns the time, or -1. */
static double wait_until(int wanted, double start) {
  for (;;) {
    int there = 0;
    for (int i = 0; i < count; i++) there += changed(i) == wanted;
    if (there == count) return now() - start;
    if (now() - start > 10000) return -1;
    siginfo_t ended = {0};
    if (wanted && waitid(P_PID, (id_t)tracer, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid) return -1;
    usleep(100);
  }
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/mem", argv[1]);
  memory = open(path, O_RDONLY);
  for (char *item = strtok(argv[2], ","); item && count < MOST; item = strtok(NULL, ",")) {
    addresses[count] = strtoul(item, NULL, 16);
    if (pread(memory, before[count], WINDOW, (off_t)addresses[count]) != WINDOW) return 2;
    count++;
  }
  double start = now();
  tracer = fork();
  if (tracer == 0) {
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    if (!getenv("ARMED_VERBOSE")) dup2(null, 2);
    execvp(argv[3], argv + 3);
    _exit(127);
  }
  double armed = wait_until(1, start);
  if (armed < 0) {
    kill(tracer, SIGKILL);
    return 1;
  }
  usleep(200000);
  start = now();
  kill(tracer, SIGINT);
  double gone = wait_until(0, start);
  int status;
  if (gone < 0) kill(tracer, SIGKILL);
  waitpid(tracer, &status, 0);
  printf("%.1f %.1f %.1f\n", armed, gone, now() - start);
  return gone < 0;
}
