// Functions that differ in their first instructions: where a probe of their entry may stand, and where it must not.
//
//   slides [CALLS]     calls each function CALLS times (1000) with 1, 2, 3, …, one line each: name, calls, sum of results
//
// Those in assembly do not depend on what a compiler chooses; each returns its argument plus a number of its own.
// Built with -fcf-protection: the compiler puts endbr64 first in the C functions.
#include <stdio.h>
#include <stdlib.h>

// name: the instructions, in AT&T syntax.
#define CODE(name, text) \
  long name(long); \
  __asm__(".text\n.p2align 4\n.globl " #name "\n.type " #name ", @function\n" #name ":\n" text "\n.size " #name ", .-" #name "\n")
#define NOP5 ".byte 0x0f, 0x1f, 0x44, 0, 0\n"

CODE(endbr_push, "endbr64\n push %rbx\n lea 1(%rdi), %rax\n pop %rbx\n ret");
CODE(push_first, "push %rbx\n lea 2(%rdi), %rax\n pop %rbx\n ret");
// The kernel may replace this nop by a call: nothing is on the stack yet.
CODE(nop5_first, NOP5 "lea 3(%rdi), %rax\n ret");
// … but not this one.
CODE(endbr_nop5, "endbr64\n" NOP5 "lea 4(%rdi), %rax\n ret");
// A leaf whose variables are below the stack pointer, with a nop5 between store and load.
CODE(red_zone, "endbr64\n mov %rdi, -8(%rsp)\n movq $5, -16(%rsp)\n" NOP5 "mov -8(%rsp), %rax\n add -16(%rsp), %rax\n ret");
// Loops to its push: a probe there would count three times.
CODE(back_to_push, "mov $3, %ecx\n1: push %rbx\n pop %rbx\n dec %ecx\n jnz 1b\n lea 6(%rdi), %rax\n ret");
// Loops to an instruction before the push.
CODE(back_before_push, "mov $3, %ecx\n1: mov %ecx, %eax\n push %rbx\n pop %rbx\n dec %ecx\n jnz 1b\n lea 7(%rdi), %rax\n ret");
// Its argument is gone where the push is.
CODE(clobbers, "mov %rdi, %rax\n xor %edi, %edi\n push %rbx\n add $8, %rax\n pop %rbx\n ret");
// Returns before anything that is emulated.
CODE(returns_early, "lea 9(%rdi), %rax\n ret");
// The stack pointer moves first: a return probe has to stay.
CODE(moves_stack, "endbr64\n sub $8, %rsp\n nop\n lea 10(%rdi), %rax\n add $8, %rsp\n ret");
// A jump table may lead anywhere.
CODE(jumps_away, "endbr64\n mov %rdi, %rax\n test %rdi, %rdi\n jz 1f\n1: lea 2f(%rip), %rdx\n jmp *%rdx\n2: add $11, %rax\n ret");
// A lock prefix, which the kernel cannot step.
CODE(lock_first, "lock addq $0, (%rsp)\n lea 12(%rdi), %rax\n ret");
// A barrier cannot be stepped either, but it changes nothing: the probe goes on to the branch behind it.
CODE(barrier, "lock orq $0, (%rsp)\n mov %rdi, %rax\n test %rdi, %rdi\n js returns_early\n add $18, %rax\n ret");
// What the kernel emulates is behind a change of its argument: the probe stays right behind the barrier.
CODE(barrier_near, "lock addl $0, (%rsp)\n mov %rdi, %rax\n xor %edi, %edi\n push %rbx\n add $20, %rax\n pop %rbx\n ret");
// It counts before it can be probed: what a pointer leads to is another thing there.
CODE(counts, "lock incq slides_kept(%rip)\n mov %rdi, %rax\n test %rdi, %rdi\n js returns_early\n add $19, %rax\n ret");

// Leaves for another function's entry, from where nothing comes back.
CODE(tails_away, "mov %rdi, %rax\n test %rdi, %rdi\n js returns_early\n add $13, %rax\n ret");
// Its rare part, which the frame tables know, jumps to where a probe could stand, or leaves for good.
#define PART(name, text) \
  __asm__(".section .text.unlikely\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n" text "\n.cfi_endproc\n" \
          ".size " #name ", .-" #name "\n.text\n")
CODE(cold_back, "mov %rdi, %rax\n test %rdi, %rdi\n.Lback: js cold_back.cold\n add $14, %rax\n ret");
PART(cold_back.cold, "neg %rdi\n jmp .Lback");
CODE(cold_away, "mov %rdi, %rax\n test %rdi, %rdi\n js cold_away.cold\n add $15, %rax\n ret");
PART(cold_away.cold, "neg %rdi\n jmp returns_early");
// Another function goes on behind its first instruction.
long shares(long);
CODE(shared, "mov %rdi, %rax\n.Lshared: test %rdi, %rdi\n jz 1f\n1: add $17, %rax\n ret");
PART(shares, "lea 1(%rdi), %rax\n jmp .Lshared");
// What a pointer leads to is another thing behind the store.
long slides_kept;
CODE(stores_early, "mov %rdi, slides_kept(%rip)\n push %rbx\n lea 16(%rdi), %rax\n pop %rbx\n ret");

__attribute__((noinline)) long c_leaf(long value) {
  volatile long copy[4] = {value, value + 1, value + 2, value + 3};
  return copy[0] + copy[3] - value + 10;
}

__attribute__((noinline)) long c_calls(long value) {
  long first = c_leaf(value), second = c_leaf(value + 1);
  return first + second - value - 14;
}

// Its first parameter comes in a vector register; debug information knows it from where it has another value.
__attribute__((noinline)) long reassigns(double ratio, long value) {
  long mixed = (value * 3) ^ (value >> 2);
  ratio = 2.0;
  return c_leaf(mixed) + (long)ratio * c_leaf(value);
}

__attribute__((noinline)) long reassigned(long value) { return reassigns(value + 0.5, value); }

static const struct { const char *name; long (*call)(long); } functions[] = {
  {"endbr_push", endbr_push}, {"push_first", push_first}, {"nop5_first", nop5_first}, {"endbr_nop5", endbr_nop5},
  {"red_zone", red_zone}, {"back_to_push", back_to_push}, {"back_before_push", back_before_push},
  {"clobbers", clobbers}, {"returns_early", returns_early}, {"moves_stack", moves_stack}, {"jumps_away", jumps_away},
  {"lock_first", lock_first}, {"c_calls", c_calls}, {"tails_away", tails_away}, {"cold_back", cold_back},
  {"cold_away", cold_away}, {"stores_early", stores_early}, {"shared", shared}, {"shares", shares},
  {"reassigned", reassigned}, {"barrier", barrier}, {"barrier_near", barrier_near}, {"counts", counts},
};

int main(int argc, char **argv) {
  long calls = argc > 1 ? atol(argv[1]) : 1000;
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    long sum = 0;
    for (long n = 1; n <= calls; n++) sum += functions[i].call(n);
    printf("%s %ld %ld\n", functions[i].name, calls, sum);
  }
  return 0;
}
