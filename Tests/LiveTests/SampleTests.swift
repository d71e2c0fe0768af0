import TestSupport
import Testing

extension LiveTests {
  /// Probes that interrupt whatever runs.
  @Suite(.requires(.probes), .timeLimit(.minutes(1))) struct SampleTests {
    /// Computes for a third of a second, in one function.
    private func busyProgram(_ scratch: ScratchDirectory) throws -> String {
      let source = """
        #include <time.h>
        static volatile long n;
        __attribute__((noinline)) void spin(long count) { while (count-- > 0) n++; }
        int main(void) {
          for (clock_t end = clock() + CLOCKS_PER_SEC / 3; clock() < end;) spin(1000000);
          return 0;
        }

        """
      return try scratch.compileC(source, to: "busy", flags: ["-g", "-O1"])
    }

    @Test(
      "samples a busy program about as often as asked for",
      arguments: [
        ("timer.profile", 250), ("timer.profile.tick", 250), ("timer.profile.freq.hz(100)", 100),
        ("perf.sw.cpu_clock.hz(500)", 500), ("perf.type(1).config(1).sample(2000000)", 500),
      ] as [(String, Int)]
    )
    func samples(_ point: String, _ rate: Int) throws {
      let scratch = try ScratchDirectory()
      let script = """
        global n, names
        probe \(point) {
          if (pid() == target() && user_mode()) { n++ names[usymname(uaddr())]++ }
        }
        probe end { foreach (name in names- limit 1) println(n, " ", name) }
        """
      let traced = try utrace(["-c", try busyProgram(scratch), "-e", script])
      #expect(traced.status == 0, "\(traced.errors)")
      let words = traced.lines.first?.split(separator: " ") ?? []
      let count = Int(words.first ?? "") ?? 0
      // A third of a second; a virtual machine loses some.
      #expect(count > rate / 12 && count < rate, "\(traced.output)")
      #expect(words.dropFirst().first == "spin", "\(traced.output)")
    }

    @Test("walks the stack of what is interrupted, and keeps to a program")
    func walksStacks() throws {
      let scratch = try ScratchDirectory()
      let busy = try busyProgram(scratch)
      let script = """
        global chains
        probe perf.sw.cpu_clock.hz(200).process("\(busy)") { chains[ubacktrace()]++ }
        probe end { foreach (chain in chains- limit 1) print_usyms(chain) }
        """
      let traced = try utrace(["-c", busy, "-e", script])
      #expect(traced.lines.first?.contains(" : spin+0x") == true, "\(traced.output)\(traced.errors)")
      #expect(traced.lines.dropFirst().first?.contains(" : main+0x") == true, "\(traced.output)")
    }

    @Test("an event that the machine lacks says so")
    func refusesUnknownEvents() throws {
      let traced = try utrace(["-e", "probe perf.type(4294967295).config(0) { }"])
      #expect(traced.status == 3)
      #expect(traced.messages.first?.contains("this machine has no such counter") == true, "\(traced.errors)")
    }

    @Test("names of the kernel's code")
    func namesKernelCode() throws {
      let script = """
        global where
        probe timer.profile { if (!user_mode()) { where = addr() exit() } }
        probe end { println(modname(where), " ", symdata(where)) println(symname(1), " ", symdata(1)) }
        """
      let traced = try utrace(["-e", script])
      let first = try #require(traced.lines.first)
      #expect(
        first.wholeMatch(of: /kernel [a-zA-Z_0-9.]+\+0x[0-9a-f]+\/0x[0-9a-f]+ \[kernel\]/) != nil,
        "\(first)"
      )
      #expect(traced.lines.last == "0x1 0x1")
    }
  }
}
