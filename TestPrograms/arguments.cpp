// arguments: what a return probe must still know of each kind of argument, however it was passed.
//
//   arguments       calls every function once; each prints itself as a probe's $$parms should show it
//
// Parts of structures that come in a vector register print as "?": probes cannot read those.
#include <cstdint>
#include <cstdio>
#include <cstring>

#define PROBED extern "C" __attribute__((noinline))

struct pair {
  long first, second;
};
struct mixed {
  int number;
  double real;
};
struct small {
  short a, b;
};
struct large {
  long values[3];
};
struct __attribute__((packed)) packed {
  char letter;
  long number;
};
struct empty {};
struct owner {
  int number;
  explicit owner(int number) : number(number) {}
  owner(const owner &other) : number(other.number) {}
  ~owner() { number = -1; }
};
enum class shade : unsigned char { light = 3, dark = 200 };

PROBED int widths(int8_t a, uint8_t b, int16_t c, uint16_t d, int32_t e, uint32_t f, int64_t g, uint64_t h) {
  printf("widths a=%#llx b=%#x c=%#llx d=%#x e=%#llx f=%#x g=%#llx h=%#llx\n", (long long)a, b, (long long)c, d,
         (long long)e, f, (long long)g, (unsigned long long)h);
  return a;
}

PROBED int reals(double a, int b, float c, int d) {
  unsigned long first = 0;
  unsigned int third = 0;
  std::memcpy(&first, &a, sizeof a);
  std::memcpy(&third, &c, sizeof c);
  printf("reals a=%#lx b=%#x c=%#x d=%#x\n", first, b, third, d);
  return static_cast<int>(a + c);
}

PROBED int nine(int a, int b, int c, int d, int e, int f, char g, short h, long i) {
  printf("nine a=%#x b=%#x c=%#x d=%#x e=%#x f=%#x g=%#x h=%#x i=%#lx\n", a, b, c, d, e, f, g, h, i);
  return a;
}

PROBED int pairs(pair a, pair b, pair c, long d, long e) {
  printf("pairs a={.first=%ld, .second=%ld} b={.first=%ld, .second=%ld} c={.first=%ld, .second=%ld} d=%#lx e=%#lx\n",
         a.first, a.second, b.first, b.second, c.first, c.second, d, e);
  return 0;
}

// One long is left for b, whose two do not fit: it goes to the stack, and c takes the register.
PROBED int overflow(pair a, pair b, int x, pair c, int d) {
  printf("overflow a={.first=%ld, .second=%ld} b={.first=%ld, .second=%ld} x=%#x c={.first=%ld, .second=%ld} d=%#x\n",
         a.first, a.second, b.first, b.second, x, c.first, c.second, d);
  return 0;
}

PROBED int mixes(mixed a, small b, shade c, bool d) {
  printf("mixes a={.number=%d, .real=?} b={.a=%d, .b=%d} c=%#x d=%#x\n", a.number, b.a, b.b, static_cast<int>(c), d);
  return 0;
}

PROBED int memory(int a, large b, packed c, int d) {
  printf("memory a=%#x b={.values=[...]} c={.letter='%c', .number=%ld} d=%#x\n", a, c.letter, c.number, d);
  return static_cast<int>(b.values[0]);
}

PROBED int wide(int a, __int128 b, long double c, int d) {
  printf("wide a=%#x d=%#x\n", a, d);
  return static_cast<int>(b + static_cast<int>(c));
}

PROBED int nothing(int a, empty, int b) {
  printf("nothing a=%#x b=%#x\n", a, b);
  return 0;
}

PROBED int by_reference(int a, owner b, int &c) {
  printf("by_reference a=%#x b={.number=%d}\n", a, b.number);
  return c;
}

PROBED large returns_large(int a, int b) {
  printf("returns_large a=%#x b=%#x\n", a, b);
  return {{a, b, 0}};
}

PROBED owner returns_owner(int a, int b) {
  printf("returns_owner a=%#x b=%#x\n", a, b);
  return owner(a + b);
}

PROBED pair returns_pair(int a, int b) {
  printf("returns_pair a=%#x b=%#x\n", a, b);
  return {a, b};
}

struct counter {
  int start;
  __attribute__((noinline)) int add(int amount, int *more);
};
int counter::add(int amount, int *more) {
  printf("counter::add amount=%#x\n", amount);
  return start + amount + *more;
}

int main() {
  widths(-1, 255, -300, 65535, -70000, 4294967295u, -5000000000l, 18446744073709551615ul);
  reals(1.5, 2, 3.5f, 4);
  nine(1, 2, 3, 4, 5, 6, 7, 8, 9);
  pairs({1, 2}, {3, 4}, {5, 6}, 7, 8);
  overflow({1, 2}, {3, 4}, 5, {6, 7}, 8);
  mixes({1, 2.5}, {3, 4}, shade::dark, true);
  memory(1, {{2, 3, 4}}, {'x', 5}, 6);
  wide(1, 2, 3.0L, 4);
  nothing(1, {}, 2);
  int number = 3;
  by_reference(1, owner(2), number);
  returns_large(1, 2);
  returns_owner(3, 4);
  returns_pair(5, 6);
  counter counter{1};
  counter.add(2, &number);
  return 0;
}
