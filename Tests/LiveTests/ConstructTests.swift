import TestSupport
import Testing

extension LiveTests {
  /// Constructs do the same in every kind of probe.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct ConstructTests {
    @Test("in a probe of the kernel side", arguments: ConstructCase.all)
    func kernelSide(_ construct: ConstructCase) throws {
      let scratch = try ScratchDirectory()
      let output = "\(scratch.path)/out"
      let program = Package.program("threads")
      let script = construct.script(at: "process(\"\(program)\").function(\"hit\")")
      let traced = try utrace(
        ["-w", "-o", output, "-c", "\(program) 1 1"] + construct.options + ["-e", script]
          + construct.arguments
      )
      let lines = text(ofFile: output).split(separator: "\n").map(String.init)
      #expect(lines == construct.lines, "\(traced.errors)")
      expectErrors(traced, of: construct)
    }

    @Test("in a probe of the user side", arguments: ConstructCase.all)
    func userSide(_ construct: ConstructCase) throws {
      let script = construct.script(at: "begin") + "probe begin(1) { exit() }"
      let traced = try utrace(["-w"] + construct.options + ["-e", script] + construct.arguments)
      #expect(traced.lines == construct.lines, "\(traced.errors)")
      expectErrors(traced, of: construct)
    }

    private func expectErrors(_ traced: Outcome, of construct: ConstructCase) {
      #expect(traced.status == (construct.errors.isEmpty ? 0 : 1), "\(traced.errors)")
      for text in construct.errors { #expect(traced.errors.contains(text), "\(traced.errors)") }
    }
  }
}
