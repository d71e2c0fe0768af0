import Foundation
import TestSupport
import Testing

/// The translator never lies: what the verifier runs in the kernel prints what the interpreter prints.
@Suite("Random scripts") struct DifferentialTests {
  /// `UTRACE_RANDOM_SCRIPTS` scripts (60), from seed `UTRACE_RANDOM_SEED` (1).
  @Test(.timeLimit(.minutes(10)), .enabled(if: getuid() == 0))
  func kernelAndUserSideAgree() throws {
    let environment = ProcessInfo.processInfo.environment
    let count = UInt64(environment["UTRACE_RANDOM_SCRIPTS"] ?? "") ?? 60
    let first = UInt64(environment["UTRACE_RANDOM_SEED"] ?? "") ?? 1
    let scratch = try ScratchDirectory()
    var failures: [String] = []
    for seed in first..<(first + count) {
      var generator = ScriptGenerator(seed: seed)
      let script = generator.script()
      if let failure = try difference(script, seed, scratch) { failures.append(failure) }
    }
    #expect(failures.isEmpty, "\(failures.count) of \(count):\n\(failures.prefix(3).joined(separator: "\n"))")
  }

  /// What differs between the two sides; nil when nothing does.
  private func difference(
    _ script: ScriptGenerator.Script,
    _ seed: UInt64,
    _ scratch: ScratchDirectory
  ) throws -> String? {
    let program = Package.program("threads")
    let output = "\(scratch.path)/out"
    let user = try scratch.write(script.text(at: "begin") + "probe begin(1) { exit() }\n", to: "user.stp")
    let kernel = try scratch.write(
      script.text(at: "process(\"\(program)\").function(\"hit\")"),
      to: "kernel.stp"
    )
    let expected = try utrace(["-w", user])
    let traced = try utrace(["-w", "-o", output, "-c", "\(program) 1 1", kernel])
    let printed = text(ofFile: output)
    guard expected.status == 0, traced.status == 0, printed == expected.output else {
      let kept = "/tmp/utrace-random-\(seed)"
      try? FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
      try? script.text(at: "begin").write(toFile: "\(kept)/user.stp", atomically: true, encoding: .utf8)
      try? FileManager.default.removeItem(atPath: "\(kept)/kernel.stp")
      try? FileManager.default.copyItem(atPath: kernel, toPath: "\(kept)/kernel.stp")
      try? expected.output.write(toFile: "\(kept)/user.out", atomically: true, encoding: .utf8)
      try? printed.write(toFile: "\(kept)/kernel.out", atomically: true, encoding: .utf8)
      return "seed \(seed) (see \(kept)): user \(expected.status), kernel \(traced.status)\n"
        + "\(expected.errors)\(traced.errors)"
    }
    return nil
  }
}
