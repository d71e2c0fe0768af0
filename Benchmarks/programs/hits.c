/* hits: calls functions that tracers probe, and tells what a call takes.
 *
 * Prints "NAME ADDRESS" for each function, then "ready". For each line "NAME THREADS CALLS KEYS LENGTH" on standard
 * input, THREADS threads make CALLS calls each; it prints the nanoseconds that a thread needed for one. Functions
 * that take a key get 0 … KEYS-1 in a scattered order; hit_text gets one of KEYS texts of LENGTH bytes.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sdt.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PROBED __attribute__((noinline, noclone))
/* A function with these first instructions; what follows is the same for all. */
#define FORM(name, first, last)                                                            \
  __attribute__((naked)) PROBED long name(long i) {                                        \
    (void)i;                                                                               \
    __asm__ volatile(first "\n lea 1(%rdi,%rdi), %rax\n" last "\n ret");                   \
  }

FORM(hit_push, "push %rbp\n mov %rsp, %rbp", "pop %rbp")
FORM(hit_endbr64, "endbr64\n push %rbp\n mov %rsp, %rbp", "pop %rbp")
FORM(hit_nop, "nop", "")
FORM(hit_nop5, ".byte 0x0f, 0x1f, 0x44, 0, 0", "")
FORM(hit_mov, "mov %rdi, %rax", "")
FORM(hit_sub, "sub $8, %rsp", "add $8, %rsp")

/* Begins with push %rbp: the frame is there for the volatile. */
PROBED long hit_key(long key) {
  volatile long kept = key;
  return kept;
}

PROBED long hit_text(const char *text) {
  const char *volatile kept = text;
  return kept[0];
}

struct fields {
  long a;
  int b;
  short c;
  long d;
};

PROBED long hit_fields(const struct fields *fields) {
  const struct fields *volatile kept = fields;
  return kept->a;
}

PROBED long hit_mark(long i) {
  DTRACE_PROBE1(hits, plain, i);
  return i;
}

/* No function of this program is of interest: the system call is. */
PROBED long hit_system(long i) { return i + syscall(SYS_getppid); }

long hit_counted(long i); /* hits_counted.c */

static char **texts;

static long call_text(long key) { return hit_text(texts[key]); }

static long call_fields(long key) {
  const struct fields fields = {.a = key, .b = 2, .c = 3, .d = 4};
  return hit_fields(&fields);
}

static const struct form {
  const char *name;
  long (*call)(long);
  long (*function)(long);
} forms[] = {
    {"hit_push", hit_push, hit_push},
    {"hit_endbr64", hit_endbr64, hit_endbr64},
    {"hit_nop", hit_nop, hit_nop},
    {"hit_nop5", hit_nop5, hit_nop5},
    {"hit_mov", hit_mov, hit_mov},
    {"hit_sub", hit_sub, hit_sub},
    {"hit_key", hit_key, hit_key},
    {"hit_text", call_text, (long (*)(long))(void *)hit_text},
    {"hit_fields", call_fields, (long (*)(long))(void *)hit_fields},
    {"hit_mark", hit_mark, hit_mark},
    {"hit_system", hit_system, hit_system},
    {"hit_counted", hit_counted, hit_counted},
};

static const struct form *form;
static long calls, keys;
static volatile long sink;

static void *run(void *unused) {
  (void)unused;
  long total = 0, key = 0;
  /* A step of about 0.618 × keys, odd, visits the keys far apart. */
  long step = (long)((double)keys * 0.618) | 1;
  for (long i = 0; i < calls; i++) {
    total += form->call(key);
    key += step;
    if (key >= keys) key -= keys;
    if (key >= keys) key = 0;
  }
  sink = total;
  return NULL;
}

/* Like statements of a program: a number first, then padding. */
static void make_texts(long length) {
  static long made, made_length;
  if (made >= keys && made_length == length) return;
  texts = calloc((size_t)keys, sizeof *texts);
  for (long i = 0; i < keys; i++) {
    texts[i] = malloc((size_t)length + 1);
    memset(texts[i], 'x', (size_t)length);
    texts[i][length] = 0;
    char number[24];
    int digits = sprintf(number, "%ld", i);
    memcpy(texts[i], number, digits < length ? (size_t)digits : (size_t)length);
  }
  made = keys;
  made_length = length;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(void) {
  enum { COUNT = sizeof forms / sizeof *forms, MOST_THREADS = 64 };
  for (int i = 0; i < COUNT; i++) printf("%s %lx\n", forms[i].name, (unsigned long)forms[i].function);
  puts("ready");
  fflush(stdout);
  char name[64];
  long threads, length;
  while (scanf("%63s %ld %ld %ld %ld", name, &threads, &calls, &keys, &length) == 5) {
    form = NULL;
    for (int i = 0; i < COUNT; i++)
      if (!strcmp(name, forms[i].name)) form = &forms[i];
    if (!form || keys < 1 || length < 1 || threads < 1 || threads > MOST_THREADS) return 2;
    make_texts(length);
    pthread_t started[MOST_THREADS];
    double begin = now();
    for (long i = 0; i < threads; i++) pthread_create(&started[i], NULL, run, NULL);
    for (long i = 0; i < threads; i++) pthread_join(started[i], NULL);
    printf("%.3f\n", (now() - begin) / (double)calls);
    fflush(stdout);
  }
  return 0;
}
