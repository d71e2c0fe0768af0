/* marks: USDT probes with every size and form of argument.
 *
 *   marks [ROUNDS]        passes every probe site once a round, prints what it computed
 *
 * Provider "marks" has semaphores on two probes only, provider "other" has none. Read the notes: readelf -n.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sdt.h>

#define PROBED __attribute__((noinline, noclone))

int global_value = 4242;
static int global_table[8] = {0, 11, 22, 33, 44, 55, 66, 77};
struct pair {
  int first;
  short second;
  const char *name;
} global_pair = {7, -8, "pair"};

/* Asm text of a site and its note, for forms that sdt.h does not choose by itself. */
#define RAW_PROBE(nop, provider, name, arguments)                                                        \
  "990: " nop "\n"                                                                                       \
  ".pushsection .note.stapsdt,\"?\",\"note\"\n .balign 4\n .4byte 992f-991f, 994f-993f, 3\n"            \
  "991: .asciz \"stapsdt\"\n992: .balign 4\n993: .8byte 990b, _.stapsdt.base, 0\n"                      \
  " .asciz \"" provider "\"\n .asciz \"" name "\"\n .asciz \"" arguments "\"\n"                         \
  "994: .balign 4\n .popsection\n"

PROBED void sizes(int8_t i8, uint8_t u8, int16_t i16, uint16_t u16, int32_t i32, uint32_t u32, int64_t i64, uint64_t u64) {
  DTRACE_PROBE8(marks, sizes, i8, u8, i16, u16, i32, u32, i64, u64);
}

PROBED void constants(void) { DTRACE_PROBE4(marks, constants, 1, -2, 3000000000u, -4000000000l); }

PROBED void none(void) { DTRACE_PROBE(marks, none); }

PROBED void strings(const char *text, char *empty) { DTRACE_PROBE3(marks, strings, text, empty, (char *)0); }

/* Operands in memory: globals (symbol(%rip)), a table element, stack slots. */
PROBED void memory(long index) {
  volatile int local = 123;
  DTRACE_PROBE4(marks, memory, global_value, global_table[index], local, global_pair.second);
}

PROBED void floats(float single, double twice) { DTRACE_PROBE2(marks, floats, single, twice); }

PROBED void pointers(struct pair *pair, void *nothing) { DTRACE_PROBE2(marks, pointers, pair, nothing); }

/* Ten arguments: the tenth is $arg10. */
PROBED void ten(int a) {
  DTRACE_PROBE10(marks, ten, a, a + 1, a + 2, a + 3, a + 4, a + 5, a + 6, a + 7, a + 8, a + 9);
}

/* One probe, three sites, each with other operands. */
PROBED int sites(int which) {
  if (which == 0) {
    DTRACE_PROBE1(marks, sites, 100);
    return 1;
  }
  DTRACE_PROBE1(marks, sites, which);
  DTRACE_PROBE1(marks, sites, global_value);
  return which * 2;
}

int guarded(int value); /* marks_semaphores.c */
void counted(int value);

PROBED void dashed(void) { DTRACE_PROBE1(marks, with__dash, 1); }

/* %rdi is 1, %rsi a pointer to global_table: base+index*scale, narrow registers, displacements, no "N@". */
__attribute__((naked)) PROBED void addressing(long one, int *table) {
  (void)one, (void)table;
  __asm__ volatile(RAW_PROBE("nop", "marks", "addressing",
                             "-4@(%rsi,%rdi,4) -4@4(%rsi,%rdi,4) -4@8(%rsi) 8@%rdi 4@%edi 2@%di 1@%dil 8@$-5 (%rsi)")
                   "ret");
}

/* A five-byte nop in a leaf function whose red zone is live: kernels that turn it into a call spoil the sum. */
__attribute__((naked)) PROBED long redzone(long value) {
  (void)value;
  __asm__ volatile("mov %rdi, -8(%rsp)\n mov %rdi, -16(%rsp)\n mov %rdi, -24(%rsp)\n"
                   RAW_PROBE(".byte 0x0f, 0x1f, 0x44, 0, 0", "marks", "redzone", "-8@-8(%rsp)")
                   "mov -8(%rsp), %rax\n add -16(%rsp), %rax\n add -24(%rsp), %rax\n ret");
}

PROBED void elsewhere(int value) { DTRACE_PROBE1(other, elsewhere, value); }

int main(int argc, char **argv) {
  long rounds = argc > 1 ? atol(argv[1]) : 1, sum = 0, seen = 0;
  for (long i = 0; i < rounds; i++) {
    sizes(-1, 255, -2, 65535, -3, 4294967295u, -4, 18446744073709551615ull);
    constants();
    none();
    strings("some text", "");
    memory(3);
    floats(1.5f, -2.5);
    pointers(&global_pair, NULL);
    ten(1);
    sum += sites(0) + sites(5);
    seen += guarded(9);
    counted((int)i);
    dashed();
    addressing(1, global_table);
    sum += redzone(i);
    elsewhere(31);
  }
  long expected = 11 * rounds + 3 * (rounds * (rounds - 1) / 2);
  printf("rounds %ld, sum %ld, %s\n", rounds, sum, sum == expected ? "right" : "WRONG");
  fprintf(stderr, "guarded probe enabled in %ld rounds\n", seen);
  return sum == expected ? 0 : 1;
}
