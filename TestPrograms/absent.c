/* absent: hands out addresses of memory that is not resident, and never looks there itself.
 *
 *   absent FILE THREADS ROUNDS
 *
 * FILE is filled with texts and numbers, mapped, and thrown out of memory again; each of THREADS threads, all on one
 * CPU, calls text(id, address) and number(id, address) ROUNDS times, each time with pages of its own that it threw
 * out right before. The text of `id` begins 8 bytes before the end of a page and has 200 + id % 200 characters; the
 * number is id * id + 7. Then constant() gets a string of this program's that nobody touched. Prints "done".
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PROBED __attribute__((noinline, noclone))
#define KEEP __asm__ volatile("" ::: "memory")

struct record {
  char before[64];
  long number;
};

PROBED void text(long id, const char *address) {
  (void)id, (void)address;
  KEEP;
}

PROBED void number(long id, const struct record *address) {
  (void)id, (void)address;
  KEEP;
}

PROBED void constant(const char *address) {
  (void)address;
  KEEP;
}

/* Far enough from everything that is read to be in no page that is mapped along with it. */
static const struct {
  char before[1 << 18];
  char text[64];
  char after[1 << 18];
} untouched = {.text = "nobody has read this before"};

enum { page = 4096, pages_each = 4 };
static char *mapped;
static int file;
static long rounds;

static char letter(long id, long i) { return (char)('a' + (id * 7 + i * i) % 26); }

static void fill(long count) {
  char *image = calloc((size_t)count, (size_t)pages_each * page);
  for (long id = 0; id < count; id++) {
    char *base = image + id * pages_each * page;
    ((struct record *)base)->number = id * id + 7;
    for (long i = 0; i < 200 + id % 200; i++) base[2 * page - 8 + i] = letter(id, i);
  }
  size_t size = (size_t)count * pages_each * page;
  if (write(file, image, size) != (ssize_t)size || fsync(file) != 0) exit(1);
  free(image);
}

static void throw_out(long id) {
  off_t offset = id * pages_each * page;
  madvise(mapped + offset, (size_t)pages_each * page, MADV_DONTNEED);
  posix_fadvise(file, offset, (off_t)pages_each * page, POSIX_FADV_DONTNEED);
}

static void *run(void *first) {
  for (long round = 0; round < rounds; round++) {
    long id = (long)first * rounds + round;
    char *base = mapped + id * pages_each * page;
    throw_out(id);
    text(id, base + 2 * page - 8);
    throw_out(id);
    number(id, (struct record *)base);
  }
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  long threads = atol(argv[2]);
  rounds = atol(argv[3]);
  file = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || threads < 1 || threads > 64) return 1;
  fill(threads * rounds);
  mapped = mmap(NULL, (size_t)(threads * rounds) * pages_each * page, PROT_READ, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) return 1;
  madvise(mapped, (size_t)(threads * rounds) * pages_each * page, MADV_RANDOM);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  sched_setaffinity(0, sizeof one, &one);
  pthread_t thread[64];
  for (long i = 0; i < threads; i++) pthread_create(&thread[i], NULL, run, (void *)i);
  for (long i = 0; i < threads; i++) pthread_join(thread[i], NULL);
  constant(untouched.text);
  puts("done");
  return 0;
}
