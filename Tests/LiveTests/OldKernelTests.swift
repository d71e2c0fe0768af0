import Foundation
import TestSupport
import Testing

extension Tag {
  /// Boots another kernel in QEMU.
  @Tag static var qemu: Self
}

extension LiveTests {
  /// Debian's 6.1: no uprobe_multi, no may_goto, no sessions, 512 bytes of stack.
  ///
  /// One boot runs all scripts, two at a time.
  @Suite(.tags(.qemu), .requires(.oldKernel), .timeLimit(.minutes(10))) struct OldKernelTests {
    private static let guest = Result {
      let scratch = try ScratchDirectory()
      if !words.isEmpty {
        let source = try scratch.write(wordsSource, to: "words.c")
        let flags = ["-m32", "-g", "-O1", "-static", "-fno-pic", "-no-pie"]
        let made = try run("gcc", flags + ["-o", "\(scratch.path)/words", source])
        guard made.status == 0 else { throw CommandFailure(command: "gcc", output: made.output) }
      }
      let all = (cases + constructs + words).map { ($0.name, $0.command) }
      return try OldKernel(all, directory: scratch.path, seconds: 400)
    }

    /// A 32-bit program, where the machine builds one.
    private static let words =
      FileManager.default.fileExists(atPath: "/usr/lib32/crt1.o") ? [wordsCase] : []

    private static let constructs = ConstructCase.all.map { construct in
      let script = construct.script(at: constructPoint)
      return OldKernelCase(
        name: construct.name,
        command: ["-w", "-o", "/dev/fd/3", "-c", "threads 1 1"] + construct.options + ["-e", script]
          + construct.arguments,
        lines: construct.lines,
        errors: construct.errors
      )
    }

    @Test("scripts do on Linux 6.1 what they do elsewhere", arguments: cases + constructs + words)
    func runs(_ wanted: OldKernelCase) throws {
      let outcome = try Self.guest.get().outcome(wanted.name)
      for line in wanted.lines {
        #expect(outcome.lines.contains(line), "\(outcome.output)\n\(outcome.errors)")
      }
      for text in wanted.errors { #expect(outcome.errors.contains(text), "\(outcome.errors)") }
      if wanted.errors.isEmpty { #expect(outcome.status == wanted.status, "\(outcome.errors)") }
    }
  }
}

/// One run of utrace in the guest, and what it must say.
struct OldKernelCase: Sendable, CustomTestStringConvertible {
  let name: String
  let command: [String]
  var lines: [String] = []
  var errors: [String] = []
  /// Checked where no errors are expected.
  var status: Int32 = 0

  var testDescription: String { name }
}

private let constructPoint = "process(\"threads\").function(\"hit\")"

private let wordsSource = """
  #include <stdio.h>
  unsigned words[4] = {1, 2, 3, 4};
  char text[8];
  __attribute__((noinline)) void show(unsigned *first, long number) {
    printf("words %x %x %x %d %ld %s\\n", words[0], words[1], words[2], words[3] == (unsigned)first, number, text);
  }
  int main(void) { show(words, -5); return 0; }
  """

private let wordsCase = OldKernelCase(
  name: "guru mode's functions in a 32-bit program: long and pointer are four bytes, what follows stays",
  command: [
    "-g", "-c", "/t/files/words", "-e",
    """
    probe process.function("show") {
      set_user_long($first + 4, -1)
      printf("long %d %d %d\\n", user_long($first + 4), user_ulong($first + 4), user_int($first + 8))
      set_user_pointer($first + 12, $first)
      set_user_string(&@var("text"), "abc")
      @var("words")[0] = 0x77
    }
    """,
  ],
  lines: ["long -1 4294967295 3", "words 77 ffffffff 3 1 -5 abc"]
)

private let cases = [
  OldKernelCase(
    name: "guru mode changes variables, whole and in part, and what follows sees it",
    command: [
      "-g", "-c", "watched", "-e",
      """
      probe process.function("main") {
        @var("pairs")[1] += 7
        @var("pairs")[1]++
        printf("pairs %d", @var("pairs")[1]++)
        printf(" %d\\n", @var("pairs")[1])
        @var("counter") = 1000
        @var("bits")->middle = 100
        @var("color") = @const("RED")
        try { @cast(16, "long") = 1 } catch (message) { println(message) }
      }
      """,
    ],
    lines: ["pairs 8 9", "1200 90 90", "bits 1 100 3 1", "user write fault at 0x10"]
  ),
  OldKernelCase(
    name: "guru mode's functions change memory: every width, strings, and what cannot be written",
    command: [
      "-g", "-c", "watched", "-e",
      """
      probe process.function("main") {
        p = &@var("pairs")
        set_user_long(p, -1)
        set_user_int(p, 0x01020304)
        set_user_short(p + 4, 5)
        set_user_char(p + 7, 6)
        printf("%x\\n", user_long(p))
        set_user_string(p, "text")
        set_user_string_n(p + 16, 3, "longer")
        set_user_pointer(p + 24, p)
        printf("%s %s %d\\n", user_string(p), user_string_n(p + 16, 3), user_long(p + 24) == p)
        try { set_user_int(16, 1) } catch (message) { println(message) }
        set_user_string_arg(16, "x")
        println("on")
      }
      """,
    ],
    lines: ["6ff000501020304", "text lon 1", "user write fault at 0x10", "on"],
    errors: ["user write fault at 0x10"]
  ),
  OldKernelCase(
    name: "writes to data are seen in every thread",
    command: [
      "-c", "watched", "-e",
      """
      global n, sum, reads
      probe process.data("counter").write { n++; sum += $counter }
      probe process.data("color").rw { reads++ }
      probe end { printf("data %d %d %d\\n", n, sum, reads) }
      """,
    ],
    lines: ["data 200 20100 1"]
  ),
  OldKernelCase(
    name: "functions on strings",
    command: ["-w", "-c", "threads 1 1", "-e", textScript(at: "process.function(\"hit\").call")],
    lines: textCases.enumerated().map { "\($0) \($1.expected)" }
  ),
  OldKernelCase(
    name: "an empty string of the program is no fault",
    command: [
      "-c", "steps", "-e",
      """
      probe process.function("f0").call {
        printf("[%s] [%s] [%s]\\n", user_string(@var("texts")[0]), user_string_n(@var("texts")[2], 5),
          user_string2(@var("texts")[0], "no"))
        try { println(user_string(@var("texts")[7])) } catch (message) { println(message) }
      }
      """,
    ],
    lines: ["[] [hello] []", "user string copy fault -14 at 0x10"]
  ),
  OldKernelCase(
    name: "arrays and statistics of 4 threads are exact",
    command: [
      "-c", "threads 4 1000", "-e",
      """
      global n, a, s, c[1000]
      probe process.function("hit").call { n++; a[tid()]++; s <<< $i; c[$i]++ }
      probe end {
        foreach (t in a) sum += a[t]
        foreach (i in c) right += c[i] == 4
        printf("%d %d %d %d %d %d %d\\n", n, sum, @count(s), @sum(s), @min(s), @max(s), right)
      }
      """,
    ],
    lines: ["4000 4000 4000 1998000 0 999 1000"]
  ),
  OldKernelCase(
    name: "two globals that every probe keeps equal are never seen different",
    command: [
      "-c", "threads 4 1000", "-e",
      """
      global a, b, broken, ticks
      probe process.function("hit").call { if (a != b) broken++; a++; for (i = 0; i < 3; i++) n++; b += n - 2 }
      probe process.function("hit").return { if (a != b) broken++ }
      probe timer.ms(5) { if (a != b) broken++; a++; b++; ticks++ }
      probe end { printf("%d %d %d\\n", a - ticks, b - ticks, broken) }
      """,
    ],
    lines: ["4000 4000 0"]
  ),
  OldKernelCase(
    name: "returns know what came in",
    command: [
      "-c", "threads 4 500", "-e",
      """
      global calls, wrong, s
      probe process.function("hit").return {
        calls++
        if ($return != $i * 2 + 1 || @entry(tid()) != tid()) wrong++
        s <<< $i
      }
      probe end { printf("%d %d %d %d\\n", calls, wrong, @count(s), @sum(s)) }
      """,
    ],
    lines: ["2000 0 2000 499000"]
  ),
  OldKernelCase(
    name: "sites of one probe are told apart, at entry and at return",
    command: [
      "-c", "targets-O2", "-e",
      """
      probe process.function("*").call { printf("> %s\\n", probefunc()) }
      probe process.function("factorial").return, process.function("tail_caller").return,
            process.function("take_bool").return { printf("< %s %d\\n", probefunc(), $return) }
      """,
    ],
    lines: ["> main", "> factorial", "> take_bool", "> _start", "< factorial 120", "< tail_caller 62"]
  ),
  OldKernelCase(
    name: "children are followed with --children",
    command: [
      "--children", "-c", "family 5", "-e",
      """
      global n
      probe process.function("touch").call { n[$kind]++ }
      probe end { foreach (kind+ in n) printf("%d:%d ", kind, n[kind]) println() }
      """,
    ],
    lines: ["1:5 2:5 3:10 4:5 5:5 6:5 7:5 8:10 "]
  ),
  OldKernelCase(
    name: "children are left alone without it",
    command: [
      "-c", "family 5", "-e",
      """
      global n
      probe process.function("touch").call { n[$kind]++ }
      probe end { foreach (kind+ in n) printf("%d:%d ", kind, n[kind]) println() }
      """,
    ],
    lines: ["1:5 8:10 "]
  ),
  OldKernelCase(
    name: "processes and threads begin and end",
    command: [
      "--children", "-c", "family 5", "-e",
      """
      global begun, ended, started, stopped
      probe process.begin { begun++ }
      probe process.end { ended++ }
      probe process.thread.begin { started++ }
      probe process.thread.end { stopped++ }
      probe end { printf("%d %d %d %d\\n", begun, ended, started, stopped) }
      """,
    ],
    lines: ["26 16 20 20"]
  ),
  OldKernelCase(
    name: "system calls of a program",
    command: [
      "-c", "threads 1 1", "-e",
      """
      global calls, returns
      probe process("threads").syscall { if ($syscall == 231) calls++ }
      probe process("threads").syscall.return { if ($syscall == 1 && $return > 0) returns++ }
      probe end { printf("%d %d\\n", calls, returns > 0) }
      """,
    ],
    lines: ["1 1"]
  ),
  OldKernelCase(
    name: "the end of a program's processes and threads, by its name",
    command: [
      "-c", "threads 2 1", "-e",
      """
      global ended, stopped, others
      probe process("threads").end { ended++; printf("%s %d\\n", execname(), pid() == tid()) }
      probe process("threads").thread.end { stopped++ }
      probe process("family").end, process("family").thread.end { others++ }
      probe end { printf("%d %d %d\\n", ended, stopped, others) }
      """,
    ],
    lines: ["threads 1", "1 2 0"]
  ),
  OldKernelCase(
    name: "marks with semaphores",
    command: ["-c", "marks", "-e", "probe process.mark(\"*\") { printf(\"%s %s\\n\", $$provider, $$name) }"],
    lines: ["marks guarded", "marks sites", "other elsewhere", "rounds 1, sum 11, right"]
  ),
  OldKernelCase(
    name: "loops: nested, break, continue, while",
    command: [
      "-c", "threads 1 2", "-e",
      """
      probe process.function("hit").call {
        for (i = 0; i < 10; i++) {
          if (i == 3) continue
          for (j = 0; j < i; j++) { n += j; if (j == 5) break }
        }
        x = 5
        while (x--) n++
        printf("%d\\n", n)
      }
      """,
    ],
    lines: ["82"]
  ),
  OldKernelCase(
    name: "an endless loop exceeds MAXACTION",
    command: ["-c", "threads 1 1", "-e", "probe process.function(\"hit\").call { while (1) print(\"\") }"],
    errors: ["MAXACTION exceeded"]
  ),
  OldKernelCase(
    name: "strings: search, numbers, comparison, quotes, sprintf",
    command: [
      "-c", "threads 1 1", "-e",
      """
      probe process.function("hit").call {
        s = execname() . " says hello"
        printf("%d %d %d %d %s %s\\n", strpos(s, "hell"), isinstr(s, "xx"), strtol("0x1f", 16), s < "threads t",
               substr(s, 0, 7), sprintf("%d-%s", $i, "x"))
      }
      """,
    ],
    lines: ["13 0 31 1 threads 0-x"]
  ),
  OldKernelCase(
    name: "a run-time error is caught, another one located",
    command: [
      "-c", "threads 1 2", "-e",
      """
      probe process.function("hit").call {
        try { printf("%d\\n", 1 / $i) } catch (message) { printf("caught %s\\n", message) }
        if ($i == 1) printf("%d\\n", 1 / ($i - 1))
      }
      """,
    ],
    lines: ["caught division by 0", "1"],
    errors: ["division by 0", "<input>:3:"]
  ),
  OldKernelCase(
    name: "kernel tracepoints and system calls",
    command: [
      "-c", "cat /etc/passwd-not", "-e",
      """
      global switches
      probe kernel.trace("sched_switch") { switches++ }
      probe syscall.openat { if (pid() == target()) printf("%s %s\\n", name, filename) }
      probe end { printf("switched %d\\n", switches > 0) }
      """,
    ],
    lines: ["openat \"/etc/passwd-not\"", "switched 1"],
    // As SystemTap's: the command failed.
    status: 1
  ),
  OldKernelCase(
    name: "system calls by their numbers",
    command: [
      "-c", "cat /etc/passwd-not", "-e",
      """
      global n
      function count(name) { if (pid() == target() && execname() == "cat") n[name]++ }
      probe syscall.* { count(name) }
      probe syscall.{openat,write,exit_group} { count(name) }
      probe syscall.{openat,write,close}.return { count(name) }
      probe end { printf("%d %d %d\\n", n["openat"] > 0 && n["openat"] % 3 == 0, n["exit_group"], n["close"] % 2) }
      """,
    ],
    lines: ["1 2 0"],
    status: 1
  ),
  OldKernelCase(
    name: "timers and exit",
    command: ["-e", "global n probe timer.ms(50) { if (++n == 4) exit() } probe end { println(n) }"],
    lines: ["4"]
  ),
  OldKernelCase(
    name: "an interrupt ends it with its report",
    command: ["-e", "probe begin { system(\"kill -INT $PPID\") } probe end { println(\"report\") }"],
    lines: ["report"]
  ),
]
