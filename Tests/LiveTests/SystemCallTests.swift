import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// `syscall.*` and its kin.
  @Suite(.requires(.probes, .tool("gcc")), .timeLimit(.minutes(2))) struct SystemCallTests {
    @Test("the tapset is what the table of system calls makes")
    func isMadeFromTheTable() throws {
      let made = try run("\(Package.root)/Scripts/syscall-tapset", ["--check"])
      #expect(made.status == 0, "\(made.output)")
    }

    @Test("@entry keeps values from a system call's entry, where only its own calls count")
    func keepsEntries() throws {
      let scratch = try ScratchDirectory()
      let source = """
        #define _GNU_SOURCE
        #include <string.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        int main(void) {
          char path[] = "/nowhere/a";
          for (int i = 0; i < 3; i++) {
            path[9] = 'a' + i;
            syscall(SYS_access, path, i);
            getpid(); syscall(SYS_nanosleep, &(struct { long s, n; }){0, 20000000}, 0);
          }
          return 0;
        }

        """
      let program = try scratch.compileC(source, to: "asks", flags: ["-O1"])
      let script = """
        global slept
        probe nd_syscall.access.return {
          if (pid() != target()) next
          printf("%s %d %d %s\\n", @entry(user_string(pointer_arg(1))), second(), retval, @entry(execname()))
          printf("%d %s\\n", returnval(), returnstr(1))
        }
        function second() { return int_arg(2) }
        probe nd_syscall.nanosleep.return { if (pid() == target()) slept <<< gettimeofday_us() - @entry(gettimeofday_us()) }
        probe end { printf("%d %d\\n", @count(slept), @min(slept) >= 20000) }
        """
      let traced = try utrace(["-c", program, "-e", script])
      // The loader asks for a file of its own.
      let lines = traced.lines.filter { !$0.hasPrefix("/etc") }
      #expect(lines.filter { $0 == "-2 -2 (ENOENT)" }.count >= 3)
      #expect(
        lines.filter { $0 != "-2 -2 (ENOENT)" }
          == ["/nowhere/a 0 -2 asks", "/nowhere/b 1 -2 asks", "/nowhere/c 2 -2 asks", "3 1"]
      )
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
    }

    @Test("each call is seen by the probes of its number, in the order of the script, and by no other")
    func dispatches() throws {
      let scratch = try ScratchDirectory()
      let source = """
        #include <sys/syscall.h>
        #include <unistd.h>
        int main(void) {
          for (int i = 0; i < 1000; i++) {
            syscall(SYS_getppid);
            if (i % 2) syscall(SYS_getpgrp);
            if (i % 4 == 0) syscall(SYS_getegid);
          }
          syscall(SYS_getppid | 1L << 32);
          return 0;
        }

        """
      let program = try scratch.compileC(source, to: "calls", flags: ["-O1"])
      let script = """
        global n, order
        function mine() { return pid() == target() && execname() == "calls" }
        function note(who, what) {
          n[who . " " . what]++
          if (n[who . " " . what] == 1) order = order . who . " "
        }
        probe syscall.getppid { if (mine()) note("A", name) }
        probe syscall.getpgrp { if (mine()) note("B", name) }
        probe syscall.getegid { if (mine()) note("C", name) }
        probe syscall.getppid { if (mine()) note("D", name) }
        probe kernel.trace("sys_enter") { if (mine() && $id == 110) note("E", "all") }
        probe syscall.getppid { if (mine()) note("F", name) }
        probe syscall.getpgrp, syscall.getegid { if (mine()) note("G", name) }
        probe syscall.{getppid,getpgrp,getegid}.return { if (mine()) note("H", name) }
        probe end {
          foreach (k+ in n) printf("%s %d\\n", k, n[k])
          println(order)
        }
        """
      let traced = try utrace(["-v", "-c", program, "-e", script])
      let lines = traced.lines
      #expect(
        lines == [
          "A getppid 1001", "B getpgrp 500", "C getegid 250", "D getppid 1001", "E all 1001",
          "F getppid 1001", "G getegid 250", "G getpgrp 500", "H getegid 250", "H getpgrp 500",
          "H getppid 1000", "A D E F H C G H B G H ",
        ],
        "\(traced.errors)"
      )
      // The kernel takes 32 bits of a number; at its end the last call has another one.
      // Eleven probes; a dispatcher for A to C, one for F and G, one for the returns.
      #expect(traced.errors.contains("generated 14 eBPF programs"), "\(traced.errors)")
    }

    /// What our tapset calls otherwise than the kernel, as SystemTap does.
    private let names = [
      "epoll_create": "epoll_create1", "eventfd": "eventfd2", "fstatat": "newfstatat", "mmap2": "mmap",
      "pipe": "pipe2", "pread": "pread64",
    ]

    @Test("every call of a program once, with its result, as strace tells them", .requires(.tool("strace")))
    func seesWhatStraceSees() throws {
      let scratch = try ScratchDirectory()
      let program = try scratch.compileC(manyCalls, to: "calls", flags: ["-O1"])
      let log = scratch.path + "/strace.log"
      #expect(try run("strace", ["-o", log, program]).status == 0)
      let expected = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").compactMap {
        line in
        line.wholeMatch(of: /(\w+)\(.*\) += (-?\w+).*/).map { "\($0.1) \(result($0.1, $0.2))" }
      }
      let script = """
        probe nd_syscall.*.return { if (pid() == target()) printf("%s %d\\n", name, retval) }
        """
      let traced = try utrace(["-c", program, "-e", script])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      let made = traced.lines.compactMap { line in
        line.wholeMatch(of: /(\w+) (-?\d+)/).map { call in
          let name = names[String(call.1)] ?? String(call.1)
          return "\(name) \(result(Substring(name), call.2))"
        }
      }
      // The tracer's own child comes before the program.
      let start = made.lastIndex { $0.hasPrefix("execve ") } ?? 0
      #expect(expected.count > 60)
      #expect(Array(made[start...]) == expected.filter { !$0.hasPrefix("exit_group") })
    }

    /// Addresses and processes differ from run to run; errors are -1 in strace, modes octal.
    private func result(_ name: Substring, _ text: Substring) -> String {
      if ["brk", "mmap", "getppid", "set_tid_address"].contains(name) {
        return "…"
      }
      if text.hasPrefix("0"), let mode = Int(text, radix: 8) { return "\(mode)" }
      return text.hasPrefix("-") ? "error" : String(text)
    }

    @Test("arguments as words, and the variables of tapset::syscalls")
    func describesArguments() throws {
      let scratch = try ScratchDirectory()
      let program = try scratch.compileC(manyCalls, to: "calls", flags: ["-O1"])
      let calls = Set(wanted.map { "syscall.\($0.name)" }).sorted().joined(separator: ", ")
      let script = """
        global started
        probe syscall.getppid { if (pid() == target()) started = 1 }
        probe \(calls) { if (started && pid() == target()) printf("%s(%s)\\n", name, argstr) }
        probe syscall.openat { if (started && pid() == target())
          printf("%s %s %d %s %s %#o\\n", filename, filename_unquoted, dfd, dfd_str, flags_str, mode) }
        probe syscall.connect { if (started && pid() == target())
          printf("%s %s %s\\n", uaddr_af, uaddr_ip, uaddr_ip_port) }
        probe syscall.kill.return { if (started && pid() == target()) println(name, " ", retstr, " ", retval) }
        probe syscall_any { if (started && pid() == target() && name == "kill") println(syscall_nr) }
        """
      let traced = try utrace(["-c", program, "-e", script])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      let expected =
        wanted.map { "\($0.name)(\($0.text))" } + [
          "\"/tmp/a \\\"b\\\"\" /tmp/a \"b\" -100 AT_FDCWD O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC 0640",
          "AF_INET 127.0.0.1 9", "AF_INET6 0:0:0:0:0:0:0:1 80", "kill -3 (ESRCH) -3", "62",
        ]
      #expect(traced.lines.sorted() == expected.sorted())
    }

    /// What ``manyCalls`` does behind getppid(), in words.
    private let wanted: [(name: String, text: String)] = [
      ("access", "\"/nowhere\", R_OK|X_OK"),
      ("openat", "AT_FDCWD, \"/tmp/a \\\"b\\\"\", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0640"),
      ("write", "-1, \"hello\\n\", 6"),
      ("write", "-1, \"\(String(repeating: "x", count: 64))\"..., 100"),
      ("lseek", "-1, 5, SEEK_END"),
      ("socket", "PF_INET, SOCK_STREAM|SOCK_CLOEXEC, 6"),
      ("connect", "-1, {AF_INET, 127.0.0.1, 9}, 16"),
      ("connect", "-1, {AF_INET6, 0:0:0:0:0:0:0:1, 80}, 28"),
      ("kill", "99999999, SIGUSR1"),
      ("mprotect", "0x0, 0, PROT_READ|PROT_EXEC"),
      ("futex", "0x0, FUTEX_WAKE_PRIVATE, 1, 0x0, 0x0, 0"),
      ("nanosleep", "[0.001500000], 0x0"),
      ("fcntl", "-1, F_DUPFD_CLOEXEC, 0x5"),
      ("unlinkat", "-1, \"x\", AT_REMOVEDIR"),
      ("getuid", ""),
    ]
  }
}

/// Calls that change nothing, of every group of the table; those behind getppid() are described by the test.
private let manyCalls = """
  #define _GNU_SOURCE
  #include <arpa/inet.h>
  #include <fcntl.h>
  #include <linux/futex.h>
  #include <netinet/in.h>
  #include <sched.h>
  #include <signal.h>
  #include <stdio.h>
  #include <string.h>
  #include <sys/epoll.h>
  #include <sys/eventfd.h>
  #include <sys/mman.h>
  #include <sys/resource.h>
  #include <sys/socket.h>
  #include <sys/stat.h>
  #include <sys/syscall.h>
  #include <sys/wait.h>
  #include <time.h>
  #include <unistd.h>
  int main(void) {
    char buffer[256];
    struct stat status;
    int ends[2];
    for (int i = 0; i < 3; i++) {
      pipe2(ends, O_CLOEXEC);
      write(ends[1], "abc", 3);
      read(ends[0], buffer, 3);
      dup2(ends[0], ends[1]);
      fstat(ends[0], &status);
      close(ends[0]);
      close(ends[1]);
      stat("/nowhere", &status);
      chdir("/nowhere");
      getcwd(buffer, sizeof buffer);
      pread(-1, buffer, 1, 0);
      close(eventfd(0, 0));
      close(epoll_create1(0));
      umask(022);
      getrlimit(RLIMIT_NOFILE, &(struct rlimit){0, 0});
      sched_yield();
      waitpid(-1, 0, WNOHANG);
      sigprocmask(SIG_BLOCK, 0, 0);
      getpriority(PRIO_PROCESS, 0);
      munmap(mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
    }
    getppid();
    access("/nowhere", R_OK | X_OK);
    unlinkat(-1, "x", AT_REMOVEDIR);
    int file = openat(AT_FDCWD, "/tmp/a \\"b\\"", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (file >= 0) syscall(SYS_unlink, "/tmp/a \\"b\\"");
    write(-1, "hello\\n", 6);
    memset(buffer, 'x', 100);
    write(-1, buffer, 100);
    lseek(-1, 5, SEEK_END);
    syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x7f000001)};
    connect(-1, (struct sockaddr *)&four, sizeof four);
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(80), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    connect(-1, (struct sockaddr *)&six, sizeof six);
    kill(99999999, SIGUSR1);
    mprotect(0, 0, PROT_READ | PROT_EXEC);
    syscall(SYS_futex, 0, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
    syscall(SYS_nanosleep, &(struct timespec){0, 1500000}, 0);
    fcntl(-1, F_DUPFD_CLOEXEC, 5);
    getuid();
    return 0;
  }
  """
