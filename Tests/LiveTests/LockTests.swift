import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// What a probe does to several globals is seen whole or not at all, and nothing is lost by that.
  @Suite(.requires(.probes), .timeLimit(.minutes(10))) struct LockTests {
    private let program = Package.program("threads")
    /// Hits in all; `UTRACE_LOCK_HITS=10000000 swift test --filter LockTests` is the long run.
    private let hits = Int(ProcessInfo.processInfo.environment["UTRACE_LOCK_HITS"] ?? "") ?? 1_000_000

    private func run(_ script: String, hits: Int) throws -> Outcome {
      try utrace(["-c", "\(program) 4 \(hits / 4)", "-e", script], seconds: 500)
    }

    private func expectClean(_ traced: Outcome) {
      #expect(traced.status == 0)
      #expect(traced.messages.filter { !$0.hasSuffix("ns a call") }.isEmpty, "\(traced.errors)")
    }

    @Test("4 threads: two globals that every probe keeps equal are never seen different")
    func keepsAnInvariant() throws {
      let script = """
        global a, b, broken, seen, ticks
        probe process.function("hit").call {
          if (a != b) broken++
          a++
          if ($i % 3) seen <<< a - b
          b = b + 1
        }
        probe process.function("hit").return { if (a != b) broken++ }
        probe timer.ms(5) { if (a != b) broken++; a++; b++; ticks++ }
        probe end { printf("%d %d %d %d\\n", a - ticks, b - ticks, broken, @min(seen) == 1 && @max(seen) == 1) }
        """
      let traced = try run(script, hits: hits)
      #expect(traced.lines.contains("\(hits) \(hits) 0 1"), "\(traced.output)\(traced.errors)")
      expectClean(traced)
    }

    @Test("what a timer adds to an array and a statistic of the kernel side is not lost, nor what it clears")
    func sharesWithTimers() throws {
      let script = """
        global n, s, ticks, cleared, wrong
        probe process.function("hit").call { n[$i % 4]++; s <<< 3 }
        probe process.function("hit").return { if (@sum(s) != 3 * @count(s)) wrong++ }
        probe timer.ms(2) {
          for (i = 0; i < 4; i++) n[i] += 10
          s <<< 3
          ticks++
          foreach (k in n) cleared += n[k]
          delete n
        }
        probe end {
          foreach (k in n) cleared += n[k]
          printf("%d %d %d\\n", cleared - 40 * ticks, @count(s) - ticks, wrong)
        }
        """
      let count = min(hits, 200_000)
      let traced = try run(script, hits: count)
      #expect(traced.lines.contains("\(count) \(count) 0"), "\(traced.output)\(traced.errors)")
      expectClean(traced)
    }

    @Test("a lock that is not to be had is a skipped hit, by probe and reason")
    func countsSkippedHits() throws {
      let script = """
        global a, b
        probe process.function("hit").call { a++; b = a }
        probe timer.ms(10) { for (i = 0; i < 2000000; i++) a = b + 1 }
        """
      let arguments = ["-DMAXACTION=3000000", "-DMAXSKIPPED=3", "-c", "\(program) 4 10000000", "-e", script]
      let traced = try utrace(arguments, seconds: 100)
      #expect(traced.errors.contains("hits skipped: a global's lock was not to be had"), "\(traced.errors)")
      #expect(traced.errors.contains("ERROR: Skipped too many probes, check MAXSKIPPED."))
      #expect(traced.status == 1)
    }
  }
}
