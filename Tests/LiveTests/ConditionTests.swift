import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// `probe POINT if (condition)`: nothing stands in the program while the condition does not hold.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct ConditionTests {
    private let program = Package.program("threads")

    /// Runs `threads`, paced so that it lasts for seconds.
    private func startTarget() throws -> RunningProcess {
      let target = try RunningProcess(program, ["1", "20000", "push", "1000"])
      try #require(target.wait { $0.output.contains("ready") })
      target.send("\n")
      return target
    }

    /// Runs the function `hit_nop` once, which the scripts take as a switch.
    private func flip() throws {
      let switched = try RunningProcess(program, ["1", "1", "nop"])
      switched.send("\n")
      #expect(switched.finish().status == 0)
    }

    /// Whether a breakpoint stands at the start of `function` in the memory of `process`.
    private func isArmed(_ function: String, in process: RunningProcess) throws -> Bool {
      let symbols = try run("nm", [program]).output.split(separator: "\n")
      let line = try #require(symbols.first { $0.hasSuffix(" \(function)") })
      let address = try #require(UInt64(line.prefix(16), radix: 16))
      let maps = text(ofFile: "/proc/\(process.pid)/maps")
      let base = try #require(UInt64(maps.prefix { $0 != "-" }, radix: 16))
      let memory = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/\(process.pid)/mem"))
      // Addresses of a program that is not position-independent are above its first mapping already.
      try memory.seek(toOffset: address < base ? base + address : address)
      return try memory.read(upToCount: 1) == Data([0xcc])
    }

    private func wait(until condition: () throws -> Bool) rethrows -> Bool {
      for _ in 0..<300 {
        if try condition() { return true }
        usleep(10_000)
      }
      return false
    }

    @Test(
      "a uprobe comes and goes as another probe of the kernel side sets its condition",
      arguments: ["", ".return"]
    )
    func followsKernelSideChanges(_ suffix: String) throws {
      let target = try startTarget()
      let script = """
        global on, n, wrong
        probe process("\(program)").function("hit_nop") { on = !on }
        probe process("\(program)").function("hit")\(suffix) if (on) { n++; if (!on || $i < 0) wrong++ }
        probe end { println(n > 50, n < 15000, wrong) }
        """
      let tracer = try startUtrace(["-e", script])
      #expect(try !isArmed("hit", in: target), "the condition does not hold at the start")
      try flip()
      #expect(try wait { try isArmed("hit", in: target) })
      usleep(300_000)
      try flip()
      #expect(try wait { try !isArmed("hit", in: target) })
      try flip()
      #expect(try wait { try isArmed("hit", in: target) }, "and again")
      let traced = tracer.interrupt()
      #expect(traced.output == "110\n" && traced.status == 0 && traced.messages.isEmpty, "\(traced)")
      #expect(try !isArmed("hit", in: target))
    }

    @Test("a timer sets conditions that read arrays and strings")
    func followsUserSideChanges() throws {
      let target = try startTarget()
      let script = """
        global mode, n
        probe timer.ms(1500) { mode["x", 1] = mode["x", 1] == "go" ? "stop" : "go" }
        probe process("\(program)").function("hit") if (["x", 1] in mode && mode["x", 1] =~ "^go$") { n++ }
        probe end { println(n > 50) }
        """
      let tracer = try startUtrace(["-e", script])
      #expect(try !isArmed("hit", in: target))
      #expect(try wait { try isArmed("hit", in: target) })
      #expect(try wait { try !isArmed("hit", in: target) })
      #expect(tracer.interrupt().output == "1\n")
    }

    @Test("what begin decides holds from the first hit to the last")
    func isExactFromTheStart() throws {
      let script = """
        global on, n, never
        probe begin { on = 1 }
        probe process.function("hit").call if (on) { n++ }
        probe process.function("hit").call if (!on) { never++ }
        probe end { println(n, " ", never) }
        """
      let traced = try utrace(["-c", "\(program) 4 50000", "-e", script])
      #expect(traced.lines.contains("200000 0") && traced.status == 0, "\(traced)")
    }

    @Test("hits never run while the condition does not hold, whoever changes it, and others are not delayed")
    func guardsEveryHit() throws {
      let script = """
        global left = 1000, after, flips
        probe process.function("hit").call if (left > 0) { if (left <= 0) after++; left-- }
        probe process.function("hit").return if (left == 0) { flips++ }
        probe end { println(left, " ", after, " ", flips > 0) }
        """
      let traced = try utrace(["-c", "\(program) 4 50000", "-e", script])
      #expect(traced.lines.contains("0 0 1") && traced.status == 0, "\(traced)")
    }

    @Test("a marker's semaphore is up while its probe is armed")
    func raisesSemaphores() throws {
      let marks = Package.program("marks")
      let script = """
        global on, n
        probe begin { on = %d }
        probe process.mark("guarded") if (on) { n++ }
        probe end { println(n) }
        """
      for on in [0, 1] {
        let traced = try utrace(["-c", "\(marks) 10", "-e", script.replacing("%d", with: "\(on)")])
        #expect(traced.lines.contains("\(10 * on)") && traced.status == 0, "\(traced)")
      }
    }

    @Test("begin, end and timers have conditions, too")
    func guardsUserSideProbes() throws {
      let script = """
        global on, n
        probe begin if (on) { println("never") }
        probe begin(1) { on = 2 }
        probe begin(2) if (on == 2) { println("begin") }
        probe timer.ms(1) if (on) { if (++n == 3) on = 0 }
        probe timer.ms(2) if (!on) { println("off ", n); on = -1; exit() }
        probe end if (on == 0) { println("never") }
        probe end if (on < 0) { println("end") }
        """
      let traced = try utrace(["-e", script])
      #expect(traced.lines == ["begin", "off 3", "end"] && traced.status == 0, "\(traced)")
    }

    @Test("what a return probe keeps from the entry is there though the condition did not hold then")
    func keepsEntryValues() throws {
      let script = """
        global on, wrong, seen
        probe process.function("hit").call { on = $i % 2 }
        probe process.function("hit").return if (!on) { seen++; if ($return != 2 * $i + 1) wrong++ }
        probe end { println(seen, " ", wrong) }
        """
      let traced = try utrace(["-c", "\(program) 4 50000", "-e", script])
      #expect(traced.status == 0 && traced.messages.count == 1, "\(traced)")
      let counts = traced.lines.last?.split(separator: " ").compactMap { Int($0) } ?? []
      #expect(counts.count == 2 && counts[0] > 0 && counts[1] == 0, "\(traced)")
    }

    @Test("a condition that fails is a run-time error of the hit")
    func reportsFailingConditions() throws {
      let script = """
        global zero
        probe process.function("hit").call if (1 / zero) { println("never") }
        """
      let traced = try utrace(["-c", "\(program) 1 10", "-e", script])
      #expect(traced.errors.contains("ERROR: division by 0 near "), "\(traced)")
      #expect(traced.status == 1)
    }
  }
}
