/* pinned: functions and data at addresses that never change (pinned.ld), for golden tests.
 *
 * Each function is one asm block, so that not even a newer compiler moves a byte:
 *   0x500000 pinned_push    push first      0x500040 pinned_endbr   endbr64, then push
 *   0x500080 pinned_stepped lea first       0x5000c0 pinned_branch  a branch target before the first push
 *   0x600000 pinned_value (int 42)
 */
#include <stdio.h>

#define PINNED(section_name) __attribute__((naked, noinline, section(".text.pin_" section_name), aligned(64)))

__attribute__((section(".data.pin_a"))) int pinned_value = 42;

PINNED("a") int pinned_push(int x) {
  (void)x;
  __asm__ volatile("push %rbp\n mov %rsp, %rbp\n lea 1(%rdi), %eax\n pop %rbp\n ret");
}

PINNED("b") int pinned_endbr(int x) {
  (void)x;
  __asm__ volatile("endbr64\n push %rbp\n mov %rsp, %rbp\n lea 2(%rdi), %eax\n pop %rbp\n ret");
}

PINNED("c") int pinned_stepped(int x) {
  (void)x;
  __asm__ volatile("lea 3(%rdi), %eax\n ret");
}

/* The push is a branch target: a probe that slides to it would hit once a turn of the loop. */
PINNED("d") int pinned_branch(int x) {
  (void)x;
  __asm__ volatile(
      "mov %edi, %eax\n"
      "1: push %rbp\n pop %rbp\n dec %eax\n jg 1b\n"
      "lea 4(%rdi), %eax\n ret");
}

int main(void) {
  printf("%d %d %d %d %d\n", pinned_push(10), pinned_endbr(10), pinned_stepped(10), pinned_branch(10), pinned_value);
  return 0;
}
