import DwarfIndex
import TestSupport
import Testing

@Suite("DebugInfoFinder") struct DebugInfoFinderTests {
  /// A stripped program and its debug file, apart.
  private func split(_ scratch: ScratchDirectory) throws -> (program: String, debug: String) {
    let program = try scratch.compileC(Samples.shapes, to: "shapes")
    let debug = scratch.path + "/shapes.debug"
    #expect(try run("objcopy", ["--only-keep-debug", program, debug]).status == 0)
    #expect(try run("strip", [program]).status == 0)
    return (program, debug)
  }

  @Test func debugLinkIsFollowed() throws {
    let scratch = try ScratchDirectory()
    let (program, debug) = try split(scratch)
    #expect(try run("objcopy", ["--add-gnu-debuglink=" + debug, program]).status == 0)
    let image = try Samples.open(program)
    #expect(image.hasDebugInfo)
    #expect(image.function(named: "work")?.die != nil)
    #expect(image.searchReport.last == "\(debug): DWARF found")
    #expect(image.places(in: "work")["p"] == .found(.value(.register(5))))
  }

  @Test func debugLinkWithoutBuildIDNeedsTheChecksum() throws {
    let scratch = try ScratchDirectory()
    let flags = ["-g", "-O2", "-Wl,--build-id=none"]
    let program = try scratch.compileC(Samples.shapes, to: "shapes", flags: flags)
    let debug = scratch.path + "/shapes.debug"
    #expect(try run("objcopy", ["--only-keep-debug", program, debug]).status == 0)
    #expect(try run("strip", [program]).status == 0)
    #expect(try run("objcopy", ["--add-gnu-debuglink=" + debug, program]).status == 0)
    #expect(try Samples.open(program).hasDebugInfo)
    #expect(try run("objcopy", ["--remove-section=.comment", debug]).status == 0)
    let image = try Samples.open(program)
    #expect(!image.hasDebugInfo)
    #expect(image.searchReport.contains { $0.contains("checksum") })
  }

  @Test func buildIDDirectoryIsSearched() throws {
    let scratch = try ScratchDirectory()
    let (program, debug) = try split(scratch)
    let buildID = try #require(try Samples.open(program).buildID).description
    let directory = "\(scratch.path)/debug/.build-id/\(buildID.prefix(2))"
    #expect(try run("mkdir", ["-p", directory]).status == 0)
    #expect(try run("mv", [debug, "\(directory)/\(buildID.dropFirst(2)).debug"]).status == 0)
    let image = try Samples.open(program, debugDirectories: [scratch.path + "/debug"])
    #expect(image.hasDebugInfo)
    #expect(image.function(named: "on_item") != nil)
  }

  @Test func debugInfoOfAnotherBuildIsNamedAndRefused() throws {
    let scratch = try ScratchDirectory()
    let (program, debug) = try split(scratch)
    #expect(try run("objcopy", ["--add-gnu-debuglink=" + debug, program]).status == 0)
    let other = try scratch.compileC(Samples.shapes + "int extra;\n", to: "other")
    #expect(try run("objcopy", ["--only-keep-debug", other, debug]).status == 0)
    let image = try Samples.open(program)
    #expect(!image.hasDebugInfo)
    let expected = try #require(image.buildID).description
    #expect(image.searchReport.contains { $0.contains("refused") && $0.hasSuffix("not \(expected)") })
  }

  @Test func strippedProgramsStillHaveTheirDynamicSymbols() throws {
    let scratch = try ScratchDirectory()
    let program = try scratch.compileC(Samples.shapes, to: "shapes", flags: ["-O2", "-rdynamic", "-s"])
    let image = try Samples.open(program)
    #expect(!image.hasDebugInfo)
    let work = try #require(image.function(named: "work"))
    #expect(work.isExported)
    #expect(work.die == nil)
    #expect(image.variables(of: work, at: work.entry).isEmpty)
    #expect(image.returnValue(of: work).type == nil)
    #expect(image.searchReport == ["\(program): no DWARF in the file itself"])
  }

  @Test func dwzMovesPartsToAnotherFile() throws {
    let scratch = try ScratchDirectory()
    let common = """
      struct shared { int first; long second; enum { SHARED_A = 7, SHARED_B } kind; char text[32]; };
      static inline __attribute__((always_inline)) int shared_helper(struct shared *s) { return s->first * 3; }
      """
    var programs: [String] = []
    for (index, name) in ["one", "two"].enumerated() {
      let source = """
        \(common)
        struct shared global_\(name);
        __attribute__((noinline)) int use_\(name)(struct shared *s, int n) { return shared_helper(s) + n + \(index); }
        int main(int c, char **v) { return use_\(name)(&global_\(name), c); }
        """
      programs.append(try scratch.compileC(source, to: name, flags: ["-g", "-O2", "-gdwarf-4"]))
    }
    let alternate = scratch.path + "/common.debug"
    let result = try run("dwz", ["-m", alternate, "-L", "1"] + programs)
    guard result.status == 0 else { return }
    for (program, name) in zip(programs, ["one", "two"]) {
      let image = try Samples.open(program)
      let function = try #require(image.function(named: "use_" + name))
      #expect(function.die != nil)
      #expect(image.places(in: "use_" + name)["s"] == .found(.value(.register(5))))
      let types = image.types
      let shared = try #require(types.type(named: "struct shared"))
      guard case .structure(let layout) = types.layout(of: shared) else {
        Issue.record("struct shared is \(types.layout(of: shared))")
        continue
      }
      #expect(layout.members.map(\.name) == ["first", "second", "kind", "text"])
      #expect(types.enumerator(named: "SHARED_B") == 8)
      let inlined = image.functions(matching: FunctionPattern(name: "shared_helper", includeInlines: true))
      #expect(inlined.contains { $0.isInlineInstance })
    }
  }

  @Test func errorsSayWhatIsWrong() throws {
    let scratch = try ScratchDirectory()
    #expect(throws: DwarfIndexError.self) { try Samples.open(scratch.path + "/missing") }
    let text = try scratch.write("hello", to: "text")
    #expect(throws: DwarfIndexError.unreadable(path: text, reason: "'\(text)' is not an ELF file")) {
      try Samples.open(text)
    }
  }
}
