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
      let traced = try utrace(
        ["-v", "--no-cache"] + limits + ["-c", "\(program) 4 250000", "-e", script],
        seconds: 150
      )
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

    /// A probe with the line for each number.
    private func script(_ count: Int, declarations: String = "", _ line: (Int) -> String) -> String {
      let point = "process(\"\(program)\").function(\"hit\")"
      return "global a\n\(declarations)\nprobe \(point) {\n" + (0..<count).map(line).joined(separator: "\n")
        + "\n}"
    }

    @Test("large scripts load, and one that is too large names its probe and the place")
    func namesWhatIsTooLarge() throws {
      let scratch = try ScratchDirectory()
      func trace(_ text: String) throws -> Outcome {
        let file = try scratch.write(text, to: "large.stp")
        return try utrace(["-w", "--no-global-var-display", "-c", "\(program) 1 2", file], seconds: 100)
      }
      let functions = (0..<300).map {
        "function f\($0)(x) { for (i = 0; i < x; i++) a[i] += x * \($0); return a[x] }"
      }
      let called = script(300, declarations: functions.joined(separator: "\n")) { "a[\($0)] = f\($0)($i)" }
      #expect(try trace(called).status == 0)
      let loops = script(400) { "for (i = 0; i < $i; i++) a[i, \($0)] += i" }
      #expect(try trace(loops).status == 0)
      let refused = try trace(script(5000) { "if ($i == \(7 * $0 + 1)) a += \($0)" })
      #expect(refused.status == 1 && !refused.output.contains("done"), "\(refused)")
      let message =
        /large\.stp:\d+:\d+: probe process\(".*"\)\.function\("hit"\) is too large .* \[too-large\]/
      #expect(refused.errors.contains(message), "\(refused.errors)")
      let deep = script(1) { _ in
        String(repeating: "if ($i) { ", count: 200) + "a++" + String(repeating: "}", count: 200)
      }
      let nested = try trace(deep)
      #expect(
        nested.errors.contains(/large\.stp:4:\d+: error: this is nested too deeply/),
        "\(nested.errors)"
      )
    }

    /// Bytes of the maps that `-v` speaks of.
    private func mapByteCount(_ traced: Outcome) -> Int? {
      traced.errors.firstMatch(of: /maps of (\d+) kB/).flatMap { Int($0.1) }.map { $0 << 10 }
    }

    @Test("few rows of long strings do not make many small ones large")
    func keepsSmallRowsSmall() throws {
      let script = """
        global texts, n
        probe process("\(program)").function("hit").call {
          texts[sprintf("%70d", $i)] = $i
          n[$i] = $i
          if ($i < 2) next
          foreach (k- in texts limit 2) println(strlen(k), " ", texts[k])
          foreach (i- in n) println(i)
        }
        """
      let traced = try utrace([
        "-v", "--no-cache", "-DMAXSTRINGLEN=65536", "-c", "\(program) 1 3", "-e", script,
      ])
      #expect(traced.output.contains("70 2\n70 1\n2\n1\n0\n"), "\(traced)")
      #expect(mapByteCount(traced) ?? 0 < 300 << 20, "\(traced.errors)")
    }

    @Test("walks of recursive functions share rows; more than there are is an error of its place")
    func sharesRowsOfRecursion() throws {
      let script = """
        global t
        function walk(depth) {
          if (depth == 0) return 1
          foreach ([a-, b] in t) { foreach ([c, d-] in t limit 2) sum += b * walk(depth - 1) + strlen(c) }
          return sum
        }
        probe process("\(program)").function("hit").call {
          t[sprintf("%70d", $i), $i] = $i
          if ($i == 3) println(walk(3))
          if ($i < 1500) next
          try { walk(9) } catch (why) { println(why) }
          walk(9)
        }
        """
      // (0 + 1 + 2 + 3) × twice what is one level deeper, and the lengths of 70 that each level adds.
      let deepest = (0...3).map { 2 * $0 }.reduce(0, +) + 8 * 70
      let middle = 12 * deepest + 8 * 70
      let limits = ["-DMAXSTRINGLEN=8000", "-DMAXACTION=200000", "-w"]
      let traced = try utrace(
        ["-v", "--no-cache"] + limits + ["-c", "\(program) 1 1501", "-e", script],
        seconds: 60
      )
      let fault = "'foreach' of recursive functions out of memory"
      #expect(["\(12 * middle + 8 * 70)", fault].allSatisfy(traced.lines.contains), "\(traced)")
      #expect(traced.errors.contains("ERROR: \(fault) at <input>:4:3"), "\(traced.errors)")
      #expect(mapByteCount(traced) ?? 0 < 200 << 20, "\(traced.errors)")
    }

    @Test("a walk over more than can be copied names its place, its size and what to change")
    func refusesHugeWalks() throws {
      let script = "global t probe process(\"\(program)\").function(\"hit\") { t[$$vars, execname()] = $i\n"
      let huge = "  foreach ([a, b] in t) foreach ([c, d] in t) println(a, d) }"
      let limits = ["-DMAXSTRINGLEN=65536", "-c", "\(program) 1 1", "-e"]
      let traced = try utrace(limits + [script + huge])
      #expect(traced.status == 1 && traced.errors.contains(/:2:25: this 'foreach' may walk/), "\(traced)")
      let limited = huge.replacing("in t)", with: "in t limit 10)")
      #expect(try utrace(limits + [script + limited]).status == 0)
    }

    @Test("MAXUPROBES counts places")
    func countsPlaces() throws {
      let script = "probe process(\"\(program)\").function(\"hit*\").call { next }"
      let refused = try utrace(["-DMAXUPROBES=3", "-e", script])
      #expect(refused.errors.contains("the script has 4 places for probes in programs, MAXUPROBES allows 3"))
      let traced = try utrace(["-DMAXUPROBES=4", "-c", "\(program) 1 1", "-e", script])
      #expect(traced.status == 0, "\(traced)")
    }

    // Three seconds, since a busy machine may take the processor from the timer probe for long while it has the lock.
    @Test(
      "MAXTRYLOCK × TRYLOCKDELAY: how long a hit waits",
      arguments: [(10, 10, true), (30_000, 100, false)]
    )
    func waitsForLocks(_ tries: Int, _ delay: Int, _ skips: Bool) throws {
      let script = """
        global a, b
        probe process.function("hit").call { a++; b = a }
        probe timer.ms(50) { for (i = 0; i < 2000; i++) a = b + 1 }
        """
      let waits = ["-DMAXTRYLOCK=\(tries)", "-DTRYLOCKDELAY=\(delay)"]
      let limits = ["-DMAXACTION=30000", "-DMAXSKIPPED=1000000"] + waits
      let traced = try utrace(limits + ["-c", "\(program) 2 10000 push 100", "-e", script])
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
