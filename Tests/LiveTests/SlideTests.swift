import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Probes of entries and returns on functions that differ in their first instructions.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct SlideTests {
    private static let program = Package.program("slides")

    /// What the program prints of each function: how often it was called and the sum of its results.
    private struct Line: Hashable {
      let name: String
      let calls: Int
      let sum: Int

      init?(_ text: String) {
        let fields = text.split(separator: " ")
        guard fields.count == 3, let calls = Int(fields[1]), let sum = Int(fields[2]) else { return nil }
        (name, self.calls, self.sum) = (String(fields[0]), calls, sum)
      }
    }

    /// The sum of 1, 2, 3, …, as often as the functions are called.
    private static let calls = 2000
    private static let argumentSum = calls * (calls + 1) / 2

    private static let names = [
      "back_before_push", "back_to_push", "barrier", "barrier_near", "c_calls", "clobbers", "cold_away",
      "cold_back", "counts", "endbr_nop5", "endbr_push",
      "jumps_away", "lock_first", "moves_stack", "nop5_first", "push_first", "red_zone", "returns_early",
      "shared", "shares", "stores_early", "tails_away",
    ]
    /// The kernel cannot step its first instruction, and behind it memory is another.
    private static let refused: Set = ["counts"]

    private static func points(_ suffix: String) -> String {
      names.map { "process.function(\"\($0)\")\(suffix) ?" }.joined(separator: ", ")
    }

    @Test("entry probes count every call and see its argument, wherever they stand")
    func countsEntries() throws {
      let plain = try run(Self.program, ["\(Self.calls)"])
      let traced = try utrace([
        "-w", "-c", "\(Self.program) \(Self.calls)", "-e",
        """
        global calls, sums
        probe \(Self.points(".call")) { calls[probefunc()]++; sums[probefunc()] += long_arg(1) }
        probe end { foreach (f+ in calls) printf("%s %d %d\\n", f, calls[f], sums[f]) }
        """,
      ])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.output.hasPrefix(plain.output), "tracing must change nothing: \(traced.output)")
      let seen = traced.lines.suffix(Self.names.count - Self.refused.count).compactMap(Line.init)
      #expect(seen.map(\.name) == Self.names.filter { !Self.refused.contains($0) })
      for line in seen {
        #expect(line.calls == Self.calls && line.sum == Self.argumentSum, "\(line)")
      }
    }

    @Test("a body that reads memory sees it as it is at the entry")
    func readsMemoryOfTheEntry() throws {
      let traced = try utrace([
        "-w", "-c", "\(Self.program) \(Self.calls)", "-e",
        """
        global sum
        probe process.function("stores_early").call { sum += @var("slides_kept@slides.c") }
        probe end { println(sum) }
        """,
      ])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      // Each call stores its argument: at its entry there is that of the call before.
      #expect(traced.lines.last == "\(Self.argumentSum - Self.calls)")
    }

    @Test("what is unknown at the entry stays so, whatever is known of it where a probe could slide to")
    func readsParametersOfTheEntry() throws {
      let probe = "process(\"\(Self.program)\").function(\"reassigns\")"
      let traced = try utrace([
        "-w", "-c", "\(Self.program) 3", "-e", "probe \(probe) { println($$parms) }",
      ])
      let expected = (1...3).map { "ratio=? value=0x\($0)" }
      #expect(traced.lines.suffix(3) == expected, "\(traced.output)\(traced.errors)")
      let alone = try utrace(["-e", "probe \(probe) { println($ratio) }"])
      #expect(alone.status == 1, "\(alone.output)")
      #expect(alone.errors.contains("register that probes cannot read"), "\(alone.errors)")
    }

    @Test("a probe that reads nothing slides further and counts the same")
    func countsWithoutReading() throws {
      let plain = try run(Self.program, ["\(Self.calls)"])
      let traced = try utrace([
        "-w", "-c", "\(Self.program) \(Self.calls)", "-e",
        """
        global calls
        probe \(Self.points(".call")) { calls[probefunc()]++ }
        probe end { foreach (f+ in calls) printf("%s %d 0\\n", f, calls[f]) }
        """,
      ])
      #expect(traced.output.hasPrefix(plain.output), "\(traced.output)")
      let seen = traced.lines.suffix(Self.names.count - Self.refused.count).compactMap(Line.init)
      #expect(seen.count == Self.names.count - Self.refused.count)
      for line in seen { #expect(line.calls == Self.calls, "\(line)") }
    }

    @Test("return probes count every return and see its result")
    func countsReturns() throws {
      let plain = try run(Self.program, ["\(Self.calls)"])
      let traced = try utrace([
        "-w", "-c", "\(Self.program) \(Self.calls)", "-e",
        """
        global calls, sums
        probe \(Self.points(".return")) { calls[probefunc()]++; sums[probefunc()] += returnval() }
        probe end { foreach (f+ in calls) printf("%s %d %d\\n", f, calls[f], sums[f]) }
        """,
      ])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.output.hasPrefix(plain.output), "\(traced.output)")
      let printed = Set(plain.output.split(separator: "\n").compactMap { Line(String($0)) })
      let seen = traced.lines.suffix(Self.names.count - Self.refused.count).compactMap(Line.init)
      #expect(seen.count == Self.names.count - Self.refused.count)
      for line in seen { #expect(printed.contains(line), "\(line)") }
    }

    @Test(
      "-l -v tells the verdict of each site",
      arguments: [
        (".call", "back_before_push", "single-stepped: a branch leads to what the kernel emulates"),
        (".call", "back_to_push", "single-stepped: a branch leads to what the kernel emulates"),
        (".call", "barrier", "emulated, slid by 12"),
        (".return", "barrier", "emulated, slid by 12"),
        (".call", "barrier_near", "single-stepped, slid by 5"),
        (".call", "c_calls", "emulated, slid by 11"),
        (".return", "c_calls", "single-stepped: the stack pointer no longer points to the return address"),
        (".call", "clobbers", "emulated, slid by 5"),
        (".call", "cold_away", "emulated, slid by 6"),
        (".call", "cold_back", "single-stepped: a branch leads to what the kernel emulates"),
        (".call", "endbr_nop5", "single-stepped: the straight line ends before what the kernel emulates"),
        (".call", "endbr_push", "emulated, slid by 4"),
        (".return", "endbr_push", "emulated, slid by 4"),
        (".call", "jumps_away", "single-stepped: a jump out of sight may lead to what the kernel emulates"),
        (".call", "lock_first", "single-stepped, slid by 6"),
        (".call", "moves_stack", "emulated, slid by 8"),
        (
          ".return", "moves_stack", "single-stepped: the stack pointer no longer points to the return address"
        ),
        (".call", "nop5_first", "emulated"),
        (".call", "push_first", "emulated"),
        (".call", "red_zone", "single-stepped: the straight line ends before what the kernel emulates"),
        (".call", "returns_early", "single-stepped: the straight line ends before"),
        (".call", "shared", "single-stepped: a branch leads to what the kernel emulates"),
        (".call", "stores_early", "emulated, slid by 7"),
        (".call", "tails_away", "emulated, slid by 6"),
      ]
    )
    func tellsVerdicts(_ modifier: String, _ name: String, _ verdict: String) throws {
      let listed = try utrace(["-l", "-v", "process(\"\(Self.program)\").function(\"\(name)\")\(modifier)"])
      #expect(listed.status == 0)
      #expect(listed.lines.count == 1)
      let remark = listed.lines.first?.components(separatedBy: "  # ").last ?? ""
      #expect(remark.hasPrefix(verdict), "\(listed.output)\(listed.errors)")
      #expect(verdict != "emulated" || !remark.contains("slid"))
    }

    @Test("-l -v tells why a site is refused; a script that names it alone fails")
    func tellsRefusals() throws {
      let pattern = "process(\"\(Self.program)\").function(\"c[ol]*\").call"
      let listed = try utrace(["-l", "-v", pattern])
      #expect(listed.lines.count == 4)
      let line = listed.lines.first { $0.contains("counts") } ?? ""
      #expect(
        line.contains("# refused: the kernel cannot step an instruction with a 'lock' prefix"),
        "\(line)"
      )
      #expect(try utrace(["-l", pattern]).lines.count == 3)
      let alone = try utrace(["-e", "probe process(\"\(Self.program)\").function(\"counts\") { }"])
      #expect(alone.status == 1 && alone.errors.contains("[refused-site]"), "\(alone.errors)")
    }

    @Test("returns that would break the program are refused")
    func refusesReturns() throws {
      let start = try utrace(["-e", "probe process(\"\(Self.program)\").function(\"_start\").return { }"])
      #expect(start.status == 1 && start.errors.contains("begins there"), "\(start.errors)")
      let libc = try utrace([
        "-l", "-v", "process(\"\(Self.program)\").library(\"libc.so.6\").function(\"*setjmp\").return",
      ])
      #expect(libc.status == 1 && libc.errors.contains("keeps its return address"), "\(libc.errors)")
      // With all returns of the program and of libc probed, it computes what it did before.
      let plain = try run(Self.program, ["3"])
      let traced = try utrace([
        "-w", "-c", "\(Self.program) 3", "-e",
        "global n probe process.function(\"*\").return { n++ } probe end { printf(\"%d returns\\n\", n) }",
      ])
      #expect(traced.status == 0 && traced.output.hasPrefix(plain.output), "\(traced.output)\(traced.errors)")
    }
  }
}
