import DwarfIndex
import Foundation
import Platform
import TargetModel
import TestSupport
import Testing

@testable import Elaboration

/// Patterns over whole programs.
@Suite("Many functions")
struct ScaleTests {
  /// `UTRACE_MANY` asks for another number of functions, to measure.
  private static let count = ProcessInfo.processInfo.environment["UTRACE_MANY"].flatMap { Int($0) } ?? 500

  @Test("Thousands of functions end as a handful of groups, quickly", .timeLimit(.minutes(5)))
  func groupsThousands() throws {
    let scratch = try ScratchDirectory()
    let path = try scratch.compileC(Self.source, to: "many", flags: ["-g", "-O1"])
    let programs = SystemPrograms(environment: .current(), options: .init(cacheDirectory: nil))
    let script = "probe process(\"\(path)\").function(\"f*\").call { log($$parms) }"
    _ = Elaborated("probe process(\"\(path)\").function(\"main\") { }", programs: programs)
    let start = ContinuousClock.now
    let result = Elaborated(script, programs: programs)
    let elapsed = ContinuousClock.now - start
    let program = try #require(result.checked.product, "\(result.messages)")
    #expect(program.probes.flatMap { $0.trigger.sites }.count >= Self.count)
    #expect(program.probes.count <= 12)
    #expect(elapsed < .seconds(20))
    print("\(Self.count) functions: \(program.probes.count) groups in \(elapsed)")
  }

  @Test("Four times the statements take about four times as long", .timeLimit(.minutes(2)))
  func isLinearInStatements() {
    func time(_ count: Int) -> Duration {
      let lines = (0..<count).map { "a\($0 % 50) = \($0); g += a\($0 % 50)" }.joined(separator: "\n")
      let script = "global g probe begin { \(lines) }"
      return (0..<3).map { _ in ContinuousClock().measure { _ = Elaborated(script) } }.min() ?? .zero
    }
    let (small, large) = (time(500), time(2000))
    #expect(large < small * 8, "\(small) and \(large)")
  }

  /// Functions of one to seven parameters of many types.
  private static var source: String {
    let types = ["int", "long", "char *", "unsigned char", "short", "struct s *", "unsigned"]
    var text = "#include <stdlib.h>\nstruct s { int x; };\n"
    for index in 0..<count {
      let parameters = (0...(index % 7)).map { "\(types[($0 + index) % 7]) p\($0)" }.joined(separator: ", ")
      text +=
        "__attribute__((noinline)) long f\(index)(\(parameters)) { return (long)p0 + \(index) + rand(); }\n"
    }
    let names = (0..<count).map { "(void *)f\($0)" }.joined(separator: ",\n")
    return text + "void *all[] = {\(names)};\nint main(void) { return all[rand() % 3] != 0; }\n"
  }
}
