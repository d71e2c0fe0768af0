/* watched: threads that write and read global variables a known number of times.
 *
 *   watched [wait]
 *
 * Two threads add 1 to `counter` (100 writes each, 1 to 200), main writes `level` 10 times and reads it 5 times more. With
 * `wait` it first waits for a line on standard input, with one thread running already.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

long counter;
static volatile int level = 3;
long pairs[4];
__thread long own;
struct {
  unsigned low : 3, middle : 7, high : 22;
} bits = {1, 2, 3};
enum color { RED = 1, GREEN = 5 } color = GREEN;
long *heap_like = &pairs[2];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) static void bump(void) {
  pthread_mutex_lock(&lock);
  counter++;
  own = counter;
  pthread_mutex_unlock(&lock);
}

static void *work(void *unused) {
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  for (int i = 0; i < 100; i++) bump();
  return unused;
}

int main(int argc, char **argv) {
  pthread_t threads[2];
  pthread_mutex_lock(&gate);
  pthread_create(&threads[0], NULL, work, NULL);
  if (argc > 1 && !strcmp(argv[1], "wait")) {
    char line[16];
    printf("%p\n", (void *)heap_like);
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) return 1;
  }
  pthread_create(&threads[1], NULL, work, NULL);
  pthread_mutex_unlock(&gate);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 10; i++) level = i * 2;
  long sum = 0;
  for (int i = 0; i < 5; i++) sum += level;
  *heap_like = sum;
  printf("%ld %ld %ld\n", counter, sum, pairs[2]);
  printf("bits %u %u %u %d\n", bits.low, bits.middle, bits.high, color);
  return 0;
}
