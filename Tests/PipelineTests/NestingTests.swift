import TestSupport
import Testing

/// Code that is nested deeper than anyone would write it, which must not end in a crash.
@Suite("Deeply nested code") struct NestingTests {
  /// Functions that call one another, each out of so many nested blocks.
  private func script(functions: Int, blocks: Int) -> String {
    let chain = (0..<functions).map { number in
      let inner = number + 1 < functions ? "f\(number + 1)()" : "x++"
      let opened = String(repeating: "if (pid() > 1) { ", count: blocks)
      return "function f\(number)() { \(opened)\(inner)\(String(repeating: " }", count: blocks)) }"
    }
    let probe = "probe kernel.trace(\"sys_enter\") { f0() }"
    return (["global x"] + chain + [probe, probe]).joined(separator: "\n")
  }

  private func translated(
    functions: Int,
    blocks: Int,
    stack: String = "8192",
    pass: Int = 4
  ) throws -> Tool.Outcome {
    try Tool.run(
      ["-w", "--no-cache", "--pass", "\(pass)", "-"],
      input: script(functions: functions, blocks: blocks),
      shell: "ulimit -s \(stack) 2>/dev/null; exec \"$@\""
    )
  }

  @Test("what a kernel-side probe may have translates on any stack", arguments: ["8192", "unlimited"])
  func translates(_ stack: String) throws {
    let outcome = try translated(functions: 10, blocks: 48, stack: stack)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test("what is deeper is refused, with its place", arguments: [(12, 48), (60, 48)])
  func isRefused(_ functions: Int, _ blocks: Int) throws {
    let outcome = try translated(functions: functions, blocks: blocks)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("blocks stand in one another, 500 may"))
    #expect(outcome.errors.contains("<stdin>:"))
  }

  @Test("a chain of hundreds of functions is no depth")
  func longChain() throws {
    let outcome = try translated(functions: 600, blocks: 0, pass: 3)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }
}
