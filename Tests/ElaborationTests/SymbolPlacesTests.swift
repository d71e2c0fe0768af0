import DwarfIndex
import Foundation
import Platform
import TargetModel
import TestSupport
import Testing

@testable import Elaboration

/// Points that symbols answer, as for a program whose index takes long to make.
@Suite("Points by symbols alone")
struct SymbolPlacesTests {
  private static let source = """
    #include <stdio.h>
    static inline __attribute__((always_inline)) int twice(int n) { return 2 * n; }
    __attribute__((noinline)) long work(long n, const char *text) { return twice(n) + text[0]; }
    __attribute__((noinline)) long works(long n) { return n + work(n, "x"); }
    int main(int argc, char **argv) { printf("%ld\\n", works(argc)); return 0; }
    """

  /// What came of a script, and whether an index was made for it.
  private struct Outcome {
    var sites: [ProbeSite]
    var messages: String
    var madeIndex: Bool
  }

  private func outcome(
    of script: String,
    _ program: String,
    smallest: Int = 0,
    adjust: (inout ElaborationEnvironment) -> Void = { _ in }
  ) throws -> Outcome {
    let scratch = try ScratchDirectory()
    var options = DebugInfoOptions(cacheDirectory: scratch.path, smallestCachedByteCount: 0)
    options.smallestSkippedByteCount = smallest
    let programs = SystemPrograms(environment: .current(), options: options)
    let text = script.replacingOccurrences(of: "PROGRAM", with: "process(\"\(program)\")")
    let elaborated = Elaborated(text, programs: programs, adjust: adjust)
    let kept = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
    return Outcome(
      sites: elaborated.checked.product?.probes.flatMap { $0.trigger.sites } ?? [],
      messages: elaborated.messages,
      madeIndex: kept.contains { $0.hasSuffix(".index") }
    )
  }

  @Test(
    "No index is made for what symbols tell",
    arguments: [
      "probe PROGRAM.function(\"work\").call { hits++ } global hits",
      "probe PROGRAM.function(\"work\").return { println(returnval()) }",
      "probe PROGRAM.function(\"work*\").call { println(probefunc(), long_arg(1)) }",
      "probe PROGRAM.function(\"work\").exported { println(user_string(pointer_arg(2))) }",
      "probe PROGRAM.function(\"works\").call { print_ubacktrace() }",
    ]
  )
  func leavesTheIndex(_ script: String) throws {
    let scratch = try ScratchDirectory()
    let program = try scratch.compileC(Self.source, to: "worker", flags: ["-g", "-O2", "-rdynamic"])
    let quick = try outcome(of: script, program)
    let usual = try outcome(of: script, program, smallest: .max)
    #expect(!quick.madeIndex && usual.madeIndex, "\(quick.messages)")
    #expect(!quick.sites.isEmpty)
    #expect(quick.sites.map(\.fileOffset) == usual.sites.map(\.fileOffset))
    #expect(quick.sites.map(\.description.function) == usual.sites.map(\.description.function))
    #expect(quick.messages == usual.messages)
    // Nobody sees that the line is missing.
    #expect(quick.sites.allSatisfy { !$0.description.probePoint.contains("@") })
    #expect(usual.sites.allSatisfy { $0.description.probePoint.contains("@") })
  }

  @Test(
    "Whatever takes debug information has it",
    arguments: [
      "probe PROGRAM.function(\"work\") { hits++ } global hits",
      "probe PROGRAM.function(\"work\").inline ?, PROGRAM.function(\"work\").call { println(pp()) }",
      "probe PROGRAM.function(\"work\").call { println($n) }",
      "probe PROGRAM.function(\"work\").return { println($return) }",
      "probe PROGRAM.function(\"work*\").call { println($$parms) }",
      "function where() { return pp() } probe PROGRAM.function(\"work\").call { println(where()) }",
      "probe PROGRAM.function(\"work@worker.c\").call { hits++ } global hits",
      "probe PROGRAM.function(\"work\").callee(\"twice\") { hits++ } global hits",
      "probe PROGRAM.function(\"wrok\").call { hits++ } global hits",
      "probe PROGRAM.function(\"twice\").call { hits++ } global hits",
    ]
  )
  func takesTheIndex(_ script: String) throws {
    let scratch = try ScratchDirectory()
    let program = try scratch.compileC(Self.source, to: "worker", flags: ["-g", "-O2"])
    let found = try outcome(of: script, program)
    let usual = try outcome(of: script, program, smallest: .max)
    #expect(found.madeIndex)
    #expect(found.sites == usual.sites)
    #expect(found.messages == usual.messages)
  }

  @Test("Records that say where a site is say all of it")
  func showsPlaces() throws {
    let scratch = try ScratchDirectory()
    let program = try scratch.compileC(Self.source, to: "worker", flags: ["-g", "-O2"])
    let script = "probe PROGRAM.function(\"work\").call { hits++ } global hits"
    let shown = try outcome(of: script, program) { $0.showsPlaces = true }
    #expect(shown.sites.map { $0.description.probePoint.contains("work@") } == [true])
  }

  @Test("Code that was not optimised is entered behind its prologue", arguments: ["gcc", "clang"])
  func keepsPrologues(_ compiler: String) throws {
    let scratch = try ScratchDirectory()
    let source = try scratch.write(Self.source, to: "worker.c")
    let program = scratch.path + "/worker"
    let made = try run(compiler, ["-g", "-O0", source, "-o", program])
    try #require(made.status == 0, "\(made.output)")
    let script = "probe PROGRAM.function(\"work\").call { hits++ } global hits"
    let found = try outcome(of: script, program)
    let usual = try outcome(of: script, program, smallest: .max)
    #expect(found.sites == usual.sites)
  }
}
