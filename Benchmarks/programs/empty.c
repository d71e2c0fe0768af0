/* empty: the floor of every comparison: a BPF program that does nothing, on some places of a file.
 *
 *   empty entry|return|session FILE OFFSET[,OFFSET…]      file offsets, hexadecimal
 *
 * Attached until SIGINT or SIGTERM. Exit 3 when the kernel refuses (no uprobe_multi: Linux before 6.6).
 */
#define _GNU_SOURCE
#include <linux/bpf.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than Debian 12's linux/bpf.h. */
enum { UPROBE_MULTI = 48, UPROBE_SESSION = 57, RETURN = 1 };

struct link {
  uint32_t program, target, attach_type, flags;
  uint64_t path, offsets, counters, cookies;
  uint32_t count, multi_flags, pid;
};

static long bpf(int command, void *attributes, unsigned size) { return syscall(SYS_bpf, command, attributes, size); }

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int session = !strcmp(argv[1], "session");
  /* r0 = 0; exit */
  uint64_t code[] = {0xb7, 0x95};
  union bpf_attr load;
  memset(&load, 0, sizeof load);
  load.prog_type = BPF_PROG_TYPE_KPROBE;
  load.expected_attach_type = session ? UPROBE_SESSION : UPROBE_MULTI;
  load.insns = (uintptr_t)code;
  load.insn_cnt = 2;
  load.license = (uintptr_t) "GPL";
  int program = (int)bpf(BPF_PROG_LOAD, &load, sizeof load);

  uint64_t *offsets = NULL;
  struct link link = {0};
  for (char *item = strtok(argv[3], ","); item; item = strtok(NULL, ",")) {
    offsets = realloc(offsets, (link.count + 1) * sizeof *offsets);
    offsets[link.count++] = strtoul(item, NULL, 16);
  }
  link.program = (uint32_t)program;
  link.attach_type = session ? UPROBE_SESSION : UPROBE_MULTI;
  link.path = (uintptr_t)argv[2];
  link.offsets = (uintptr_t)offsets;
  link.multi_flags = strcmp(argv[1], "return") ? 0 : RETURN;
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, NULL);
  if (program < 0 || bpf(BPF_LINK_CREATE, &link, sizeof link) < 0) {
    perror("empty");
    return 3;
  }
  int signal;
  sigwait(&ends, &signal);
  return 0;
}
