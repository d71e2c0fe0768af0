/* targets: one function for each kind of argument and variable a tracer must fetch.
 *
 *   targets [ROUNDS]        calls every function once a round with fixed values, prints what they return
 *
 * The values are in main(); expected output of a probe can be read off there. Built in many variants.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBED __attribute__((noinline, noclone))
/* Keeps a value alive and unknown, so that -O2 neither folds a call nor drops it. */
#define OPAQUE(value) __asm__ volatile("" : "+r"(value) : : "memory")

enum color { RED, GREEN = 5, BLUE = -3 };
typedef enum color color_t;
typedef struct point {
  int x, y;
} point_t;
struct flags {
  unsigned ready : 1;
  signed level : 3;
  unsigned : 4;
  unsigned code : 9;
  unsigned long wide : 40;
};
union word {
  uint32_t whole;
  uint16_t halves[2];
  uint8_t bytes[4];
  float real;
};
struct node {
  const char *name;
  int value;
  struct node *next;
  point_t where;
  int grid[2][3];
  struct flags flags;
  union word word;
  union {
    int left;
    short right;
  }; /* anonymous: members belong to node */
  char label[16];
  const struct node *const *peers;
};
struct big {
  long a, b, c, d;
};

int global_int = -17;
unsigned long global_unsigned = 0xfedcba9876543210ul;
const char *global_string = "global text";
struct node global_node = {.name = "global", .value = 99, .where = {3, 4}, .left = 12, .label = "in place"};
int global_array[4] = {10, 20, 30, 40};
static long static_counter = 1000;
static __thread int thread_local_int = 77;

PROBED long take_nothing(void) { return static_counter++; }

PROBED int take_signed(signed char a, short b, int c, long d, long long e) {
  OPAQUE(c);
  return (int)(a + b + c + d + e);
}

PROBED unsigned take_unsigned(unsigned char a, unsigned short b, unsigned c, unsigned long d, unsigned long long e) {
  OPAQUE(c);
  return (unsigned)(a + b + c + d + e);
}

PROBED int64_t take_fixed(int8_t a, int16_t b, int32_t c, int64_t d, uint8_t e, uint16_t f, uint32_t g, uint64_t h) {
  OPAQUE(c);
  return a + b + c + d + e + f + (int64_t)g + (int64_t)h;
}

PROBED bool take_bool(bool yes, _Bool no) { return yes && !no; }

PROBED char take_char(char c, const char *text) { return text[c - 'a']; }

PROBED size_t take_string(const char *text) { return strlen(text); }

PROBED int take_enum(enum color plain, color_t named) { return plain * 10 + named; }

PROBED double take_double(float a, double b, int c) { return a + b + c; }

PROBED int take_struct(point_t p, struct flags f) { return p.x * p.y + (int)f.code; }

PROBED long take_big_struct(struct big b, int after) { return b.a + b.b + b.c + b.d + after; }

PROBED int take_pointer(const struct node *node) { return node->value + node->next->value + node->next->where.y; }

PROBED int take_double_pointer(const struct node **nodes, int count) {
  int sum = 0;
  for (int i = 0; i < count; i++) sum += nodes[i]->value;
  return sum;
}

PROBED int take_array(const int values[4], int (*grid)[3]) { return values[3] + grid[1][2]; }

PROBED unsigned take_bits(const struct flags *f) { return f->ready + (unsigned)f->level + f->code + (unsigned)f->wide; }

PROBED unsigned take_union(const union word *w) { return w->halves[1] + w->bytes[0]; }

PROBED int take_callback(int (*callback)(int), int value) { return callback(value) + 1; }

PROBED int triple(int value) { return value * 3; }

PROBED void *take_void(void *pointer, const void **out) {
  *out = pointer;
  return pointer;
}

/* More arguments than registers: the last three are on the stack. */
PROBED long take_many(long a, long b, long c, long d, long e, long f, long g, int h, short i) {
  OPAQUE(a);
  return a + b + c + d + e + f + g + h + i;
}

PROBED int take_variadic(int count, ...) {
  int sum = 0;
  va_list list;
  va_start(list, count);
  while (count-- > 0) sum += va_arg(list, int);
  va_end(list);
  return sum;
}

/* Depth first, so that returns nest: entry 5,4,3,2,1,0, return 1,1,2,6,24,120. */
PROBED long factorial(int n) {
  long below = n > 0 ? factorial(n - 1) : 1;
  OPAQUE(below);
  return n > 0 ? n * below : 1;
}

/* The parameter changes: a return probe must still show what came in. */
PROBED int change_parameter(int n) {
  for (int i = 0; i < 5; i++) {
    n += i;
    OPAQUE(n);
  }
  return n;
}

PROBED point_t return_struct(int x) { return (point_t){x, -x}; }

PROBED struct big return_big(long x) { return (struct big){x, x + 1, x + 2, x + 3}; }

PROBED const char *return_string(int which) { return which ? "one" : "zero"; }

PROBED const struct node *return_pointer(const struct node *node) { return node->next; }

PROBED unsigned char return_narrow(int value) { return (unsigned char)value; }

PROBED int use_locals(int input) {
  int local = input * 2;
  char buffer[24];
  point_t spot = {input, input + 1};
  static int calls = 40;
  OPAQUE(local);
  calls++;
  snprintf(buffer, sizeof buffer, "local %d", local);
  {
    int local = 5; /* shadows */
    OPAQUE(local);
    spot.x += local;
  }
  int again = spot.x + (int)strlen(buffer) + calls;
  OPAQUE(again);
done:
  return again + thread_local_int;
  goto done;
}

static inline __attribute__((always_inline)) int inlined_square(int side) {
  int area = side * side;
  OPAQUE(area);
  return area;
}

PROBED int call_inlined(int a, int b) { return inlined_square(a) + inlined_square(b + 1); }

/* Same name and signature as a function of other units: local to this one. */
static PROBED int local_helper(int value) {
  OPAQUE(value);
  return value + 1;
}

PROBED int tail_caller(int value) { return local_helper(value + 1); }

/* Splits into a .cold part under -O2. */
PROBED int cold_path(int value) {
  if (__builtin_expect(value < 0, 0)) {
    abort();
  }
  return triple(value) / 2;
}

static struct node second = {.name = "second", .value = 22, .where = {5, 6}, .left = -1, .label = "tail"};
static const struct node *const peer_list[] = {&global_node, &second, NULL};
static struct node first = {
    .name = "first",
    .value = 11,
    .next = &second,
    .where = {1, 2},
    .grid = {{1, 2, 3}, {4, 5, 6}},
    .flags = {.ready = 1, .level = -2, .code = 300, .wide = 0x123456789a},
    .word = {.whole = 0x01020304},
    .left = 0x7fff1234,
    .label = "head",
    .peers = peer_list,
};

static void round_of_calls(void) {
  const struct node *nodes[] = {&first, &second, &global_node};
  const void *out;
#define SHOW(call) printf(#call " = %ld\n", (long)(call))
  SHOW(take_nothing());
  SHOW(take_signed(-1, -300, -70000, -5000000000l, 9ll));
  SHOW(take_unsigned(255, 65535, 4294967295u, 5000000000ul, 18446744073709551615ull));
  SHOW(take_fixed(-8, -16, -32, -64, 8, 16, 32, 64));
  SHOW(take_bool(true, false));
  SHOW(take_char('c', "xyz"));
  SHOW(take_string("hello, tracer"));
  SHOW(take_string(""));
  SHOW(take_enum(GREEN, BLUE));
  SHOW(take_double(1.5f, 2.25, 3));
  SHOW(take_struct((point_t){6, 7}, first.flags));
  SHOW(take_big_struct((struct big){1, 2, 3, 4}, 5));
  SHOW(take_pointer(&first));
  SHOW(take_double_pointer(nodes, 3));
  SHOW(take_array(global_array, first.grid));
  SHOW(take_bits(&first.flags));
  SHOW(take_union(&first.word));
  SHOW(take_callback(triple, 14));
  SHOW(take_void((void *)0x1234, &out) == (void *)0x1234);
  SHOW(take_many(1, 2, 3, 4, 5, 6, 7, -8, -9));
  SHOW(take_variadic(3, 10, 20, 30));
  SHOW(factorial(5));
  SHOW(change_parameter(7));
  SHOW(return_struct(8).y);
  SHOW(return_big(9).d);
  SHOW(*return_string(1));
  SHOW(return_pointer(&first)->value);
  SHOW(return_narrow(511));
  SHOW(use_locals(21));
  SHOW(call_inlined(3, 4));
  SHOW(tail_caller(60));
  SHOW(cold_path(64));
}

int main(int argc, char **argv) {
  long rounds = argc > 1 ? atol(argv[1]) : 1;
  for (long i = 0; i < rounds; i++) round_of_calls();
  printf("%d %lx %s %d %ld\n", global_int, global_unsigned, global_string, global_node.value, static_counter);
  return 0;
}
