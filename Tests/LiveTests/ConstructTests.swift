import TestSupport
import Testing

extension LiveTests {
  /// Constructs do the same in every kind of probe.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct ConstructTests {
    @Test("in a probe of the kernel side", arguments: constructCases + languageCases)
    func kernelSide(_ construct: ConstructCase) throws {
      let scratch = try ScratchDirectory()
      let output = "\(scratch.path)/out"
      let program = Package.program("threads")
      let script = construct.script(at: "process(\"\(program)\").function(\"hit\")")
      let traced = try utrace(["-w", "-o", output, "-c", "\(program) 1 1", "-e", script])
      let lines = text(ofFile: output).split(separator: "\n").map(String.init)
      #expect(lines == construct.lines && traced.status == 0, "\(traced.errors)")
    }

    @Test("in a probe of the user side", arguments: constructCases + languageCases)
    func userSide(_ construct: ConstructCase) throws {
      let traced = try utrace(["-w", "-e", construct.script(at: "begin") + "probe begin(1) { exit() }"])
      #expect(traced.lines == construct.lines && traced.status == 0, "\(traced.errors)")
    }
  }
}
