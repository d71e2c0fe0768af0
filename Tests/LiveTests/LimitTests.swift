import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// What `-D` sets.
  @Suite(.requires(.probes), .timeLimit(.minutes(3))) struct LimitTests {
    private let program = Package.program("threads")

    @Test("MAXMAPENTRIES: a million elements, none lost; one more is an error")
    func keepsAMillionElements() throws {
      let script = """
        global n
        probe process.function("hit").call { n[tid(), $i] += $i }
        probe end { foreach (v = [t, i] in n) { count++; sum += v }; println(count, " ", sum) }
        """
      let limits = ["-DMAXMAPENTRIES=1000000", "-DMAXACTION=2000000"]
      let traced = try utrace(["-v"] + limits + ["-c", "\(program) 4 250000", "-e", script], seconds: 150)
      #expect(traced.lines.last == "1000000 \(4 * 250_000 * 249_999 / 2)", "\(traced)")
      #expect(traced.status == 0 && traced.messages.count == 1, "\(traced)")
      let size = traced.errors.firstMatch(of: /maps of (\d+) kB/).flatMap { Int($0.1) }
      #expect((90_000...120_000).contains(size ?? 0), "\(traced.errors)")
      let full = try utrace(limits + ["-c", "\(program) 1 1000001", "-e", script], seconds: 150)
      #expect(
        full.errors.contains("Array overflow, check MAXMAPENTRIES near identifier 'n'"),
        "\(full.errors)"
      )
      #expect(full.status == 1)
    }

    @Test("an array that no machine has room for names its size and what to change")
    func refusesHugeArrays() throws {
      let script =
        "global n[16000000] probe process(\"\(program)\").function(\"hit\") { n[$i, execname()] <<< $i }"
      let traced = try utrace(["-DMAXSTRINGLEN=65536", "-DSTP_MAXMEMORY=2000000", "-e", script])
      #expect(traced.status == 1 && traced.output.isEmpty)
      #expect(
        traced.errors.contains(/takes \d+ kB of memory \(\d+ kB for 'n'\), STP_MAXMEMORY allows 2000000/)
      )
    }

    @Test("MAXUPROBES counts places")
    func countsPlaces() throws {
      let script = "probe process(\"\(program)\").function(\"hit*\").call { next }"
      let refused = try utrace(["-DMAXUPROBES=3", "-e", script])
      #expect(refused.errors.contains("the script has 4 places for probes in programs, MAXUPROBES allows 3"))
      let traced = try utrace(["-DMAXUPROBES=4", "-c", "\(program) 1 1", "-e", script])
      #expect(traced.status == 0, "\(traced)")
    }

    @Test("MAXTRYLOCK × TRYLOCKDELAY: how long a hit waits", arguments: [(10, true), (30_000, false)])
    func waitsForLocks(_ tries: Int, _ skips: Bool) throws {
      let script = """
        global a, b
        probe process.function("hit").call { a++; b = a }
        probe timer.ms(50) { for (i = 0; i < 20000; i++) a = b + 1 }
        """
      let limits = ["-DMAXACTION=30000", "-DMAXTRYLOCK=\(tries)", "-DMAXSKIPPED=1000000"]
      let traced = try utrace(limits + ["-c", "\(program) 2 2000 push 100", "-e", script])
      #expect(traced.errors.contains("a global's lock was not to be had") == skips, "\(traced.errors)")
    }

    @Test("MAXBACKTRACE: how many frames a call chain has")
    func cutsCallChains() throws {
      let script = "probe process.function(\"probed\") { print_ubacktrace(); exit() }"
      let stacks = Package.program("stacks")
      let whole = try utrace(["-c", stacks, "-e", script])
      let cut = try utrace(["-DMAXBACKTRACE=2", "-c", stacks, "-e", script])
      #expect(whole.lines.filter { $0.hasPrefix(" 0x") }.count > 3, "\(whole)")
      #expect(cut.lines.filter { $0.hasPrefix(" 0x") && !$0.contains("(inlined)") }.count == 2, "\(cut)")
    }

    @Test("--suppress-handler-errors: errors and skipped hits are counted and end nothing")
    func suppressesErrors() throws {
      let script = """
        global n, done
        probe process.function("hit").call { n++; println(1 / ($i % 2)); done++ }
        probe error { println("never") }
        probe end { println(n, " ", done) }
        """
      let traced = try utrace(["--suppress-handler-errors", "-c", "\(program) 1 1000", "-e", script])
      #expect(traced.lines.last == "1000 500" && traced.status == 0, "\(traced)")
      #expect(!traced.errors.contains("ERROR"))
      #expect(traced.messages.last == "WARNING: Number of errors: 500, skipped probes: 0", "\(traced.errors)")
    }
  }
}
