// A program with the table that the runtime of Go 1.20 and later finds its functions in: no symbols are needed to probe
// these by name. `middle` has a name that does not end before the table does.
#include <stdio.h>

__attribute__((noipa)) long first(long x) { return x + 1; }
__attribute__((noipa)) long middle(long x) { return x * 3; }
__attribute__((noipa)) long last(long x) { return x - 1; }
__attribute__((noipa)) void end(void) {}

__asm__(
    ".pushsection .gopclntab,\"a\",@progbits\n"
    "table: .long 0xfffffff1\n"
    "  .byte 0, 0, 1, 8\n"
    "  .quad 3, 0, first, names - table, 0, 0, 0, functions - table\n"
    "functions:\n"
    "  .long 0, one - functions, middle - first, two - functions, last - first, three - functions, end - first\n"
    "one: .long 0, 0\n"
    "two: .long middle - first, 1 << 20\n"
    "three: .long last - first, last_name - names\n"
    "names: .asciz \"main.first\"\n"
    "last_name: .asciz \"main.(*Item).Last\"\n"
    ".popsection\n");

int main(void) {
  long sum = 0;
  for (long i = 0; i < 10; i++) sum += first(i) + middle(i) + last(i);
  end();
  printf("%ld\n", sum);
  return 0;
}
