import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// `--children`: the target's descendants, exactly.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct FamilyTests {
    private let family = Package.program("family")
    /// How often each kind is touched, by function and by mark.
    private var script: String {
      """
      global calls, marks, returns, other
      probe process("\(family)").function("touch").call { calls[$kind]++ }
      probe process("\(family)").function("touch").return { returns[$kind]++; if ($return != $kind) other++ }
      probe process("\(family)").mark("touch") { marks[$arg1]++ }
      probe end {
        foreach (kind+ in calls) printf("%d %d %d %d\\n", kind, calls[kind], marks[kind], returns[kind])
        printf("other %d\\n", other)
      }
      """
    }
    /// What one round makes of the family, and of the target alone.
    private static let whole = [1: 1, 2: 1, 3: 2, 4: 1, 5: 1, 6: 1, 7: 1, 8: 2]
    private static let alone = [1: 1, 8: 2]

    private func lines(_ counts: [Int: Int], rounds: Int = 1) -> [String] {
      counts.sorted { $0.key < $1.key }.map { kind, count in
        "\(kind) \(count * rounds) \(count * rounds) \(count * rounds)"
      } + ["other 0"]
    }

    @Test("-c: fork, vfork and exec, threads, grandchildren; nobody else")
    func followsACommandAndItsChildren() throws {
      let scratch = try ScratchDirectory()
      let stranger = try RunningProcess(family, ["--wait", "50"])
      #expect(stranger.wait { $0.output.contains("ready") })
      let output = "\(scratch.path)/out"
      let tracer = try startUtrace(["--children", "-o", output, "-c", "\(family) 100", "-e", script])
      stranger.send("\n")
      let traced = tracer.finish()
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      let text = try String(contentsOfFile: output, encoding: .utf8)
      #expect(text.split(separator: "\n").map(String.init) == lines(Self.whole, rounds: 100))
      #expect(stranger.finish().output.hasSuffix("done\n"))
    }

    @Test("without --children the target alone, with all its threads")
    func leavesChildrenAlone() throws {
      let scratch = try ScratchDirectory()
      let output = "\(scratch.path)/out"
      let traced = try utrace(["-o", output, "-c", "\(family) 20", "-e", script])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      let text = try String(contentsOfFile: output, encoding: .utf8)
      #expect(text.split(separator: "\n").map(String.init) == lines(Self.alone, rounds: 20))
    }

    @Test("-p: children that are there already, and those to come")
    func followsAProcessAndItsChildren() throws {
      let program = try RunningProcess(family, ["--early", "--wait", "3"])
      #expect(program.wait { $0.output.contains("ready") })
      let tracer = try startUtrace(["--children", "-p", "\(program.pid)", "-e", script])
      program.send("\n")
      let traced = tracer.finish(seconds: 20)
      #expect(program.finish().output.hasSuffix("done\n"))
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      var wanted = Self.whole.mapValues { $0 * 3 }
      wanted[10] = 1
      #expect(traced.lines == lines(wanted))
    }

    @Test("no child is missed between its start and its first call")
    func missesNoChild() throws {
      let scratch = try ScratchDirectory()
      let output = "\(scratch.path)/out"
      let traced = try utrace(["--children", "-o", output, "-c", "\(family) --storm 2000 0", "-e", script])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      let text = try String(contentsOfFile: output, encoding: .utf8)
      #expect(text == "9 2000 2000 2000\nother 0\n")
    }

    @Test("--children without a target is a mistake")
    func needsATarget() throws {
      let outcome = try utrace(["--children", "-e", "probe begin { exit() }"])
      #expect(outcome.status == 2 && outcome.errors.contains("--children"), "\(outcome.errors)")
    }
  }
}
