import Diagnostics
import Foundation
import StapSyntax
import Testing

@testable import Tapset

@Suite("TapsetLibrary") struct TapsetLibraryTests {
  /// A folder that goes away with its owner.
  final class Folder {
    let path: String

    init(_ files: [String: String]) throws {
      path = NSTemporaryDirectory() + "tapset-\(UUID().uuidString)"
      for (name, text) in files {
        let file = URL(filePath: path).appending(path: name)
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(),
          withIntermediateDirectories: true
        )
        try text.write(to: file, atomically: true, encoding: .utf8)
      }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  private let facts = PreprocessorEnvironment(kernelRelease: "6.1.0", arch: "x86_64", arguments: ["unseen"])

  @Test func findsWhatIsDeclared() throws {
    let folder = try Folder([
      "a.stp": "function f() { return @one } private function hidden() {} global g",
      "b.stp": "probe syscall.open = kernel.function(\"x\") {} probe syscall.close.return = end {}",
      "c.stp": "function f(x) { return x } function broken( {",
      "m.stpm": "@define one %( 1 %)",
      "x86_64/d.stp": "function onlyHere() {}",
      "arm64/e.stp": "function notHere() {}",
      "readme.txt": "function neither() {}",
    ])
    var sources = SourceSet()
    var library = TapsetLibrary(directories: [folder.path], environment: facts, sources: &sources)
    #expect(library.diagnostics.isEmpty)
    #expect(Set(library.functionNames) == ["f", "broken", "onlyHere"])
    #expect(Array(library.globalNames) == ["g"])
    #expect(Set(library.aliasNames) == ["syscall.open", "syscall.close.return"])
    #expect(sources.files.count == 1)
    let files = library.files(declaringFunction: "f", in: &sources)
    #expect(files.map { sources[$0.source].name } == [folder.path + "/a.stp", folder.path + "/c.stp"])
    #expect(files.map { $0.script != nil } == [true, false])
    #expect(files[1].diagnostics.count == 1)
    let again = library.files(declaringGlobal: "g", in: &sources)
    #expect(again.map(\.source) == [files[0].source])
    #expect(library.files(declaringFunction: "hidden", in: &sources).isEmpty)
  }

  @Test(
    "aliases by probe point",
    arguments: [
      ("syscall.open", ["a.stp"]), ("syscall.open.return", ["a.stp", "b.stp"]),
      ("syscall.*", ["a.stp", "c.stp"]),
      ("sys*.open", ["a.stp"]), ("syscall.**", ["a.stp", "b.stp", "c.stp"]), ("syscall", []),
      ("vfs.read", []),
    ] as [(String, [String])]
  )
  func findsAliases(_ point: String, _ expected: [String]) throws {
    let folder = try Folder([
      "a.stp": "probe syscall.open = begin {}", "b.stp": "probe syscall.open.return = begin {}",
      "c.stp": "probe syscall.close = other.close = begin {}", "d.stp": "probe vfs.write += begin {}",
    ])
    var sources = SourceSet()
    var library = TapsetLibrary(directories: [folder.path], environment: facts, sources: &sources)
    let text = sources.add(SourceFile(name: "-l", text: Array(point.utf8)))
    let wanted = try #require(parseProbePoints(text, in: sources, environment: facts).product?.first)
    let files = library.files(declaringAliasFor: wanted, in: &sources)
    #expect(files.map { URL(filePath: sources[$0.source].name).lastPathComponent } == expected)
  }

  @Test func theSameFileCountsOnce() throws {
    let folder = try Folder(["a.stp": "function f() {}"])
    try FileManager.default.linkItem(atPath: folder.path + "/a.stp", toPath: folder.path + "/b.stp")
    var sources = SourceSet()
    var library = TapsetLibrary(
      directories: [folder.path, folder.path + "/.", "/nowhere"],
      environment: facts,
      sources: &sources
    )
    #expect(library.files(declaringFunction: "f", in: &sources).count == 1)
    #expect(library.diagnostics.map(\.id) == ["unreadable-tapset"])
  }

  @Test func filesThatMacrosWriteAreParsed() throws {
    let folder = try Folder([
      "a.stp": "@make(made) probe vfs.@kind = begin {}",
      "m.stpm": "@define make(n) %( function @n() {} %) @define kind %( read %)",
    ])
    var sources = SourceSet()
    var library = TapsetLibrary(directories: [folder.path], environment: facts, sources: &sources)
    #expect(library.files(declaringFunction: "made", in: &sources).count == 1)
    #expect(Set(library.aliasNames) == ["vfs.read"])
  }

  @Test func aHundredFilesAreScannedInTime() throws {
    let body = String(repeating: "  x = y + z /* sum */ . \"text { probe\" # why\n", count: 12)
    let files = (0..<100).map { number in
      let functions = (0..<8).map { "function f\(number)_\($0)(a, b) {\n\(body)}\n" }.joined()
      return ("f\(number).stp", functions + "probe family\(number).member = begin { name = \"x\" }\n")
    }
    let folder = try Folder(Dictionary(uniqueKeysWithValues: files))
    let clock = ContinuousClock()
    var best = Duration.seconds(10)
    for _ in 0..<10 {
      var sources = SourceSet()
      best = min(
        best,
        clock.measure {
          let library = TapsetLibrary(directories: [folder.path], environment: facts, sources: &sources)
          #expect(library.aliasNames.count == 100)
        }
      )
    }
    print("index of 100 files, \(files.reduce(0) { $0 + $1.1.utf8.count }) bytes: \(best)")
    #expect(best < .milliseconds(200))
  }
}

@Suite("DeclarationScanner") struct DeclarationScannerTests {
  @Test(
    "finds names as the parser does",
    arguments: [
      ("function f() {} function g:long(a) %{ function no() %}", ["f", "g"], [], []),
      ("global a, b%[10] = 3, c = \"global x\", d = 0xfe\nfunction f() {}", ["f"], ["a", "b", "c", "d"], []),
      ("private global a private b, c private function f() {} global d", [], ["d"], []),
      (
        "probe a.b(\"=\").c = x.function(\"y\") {} probe d += e {} probe f = g = h {}", [], [],
        [
          "a.b.c", "d", "f", "g",
        ]
      ),
      ("probe begin { x = $p->function; y = a == b }", [], [], []),
      (
        "# function no()\n// global no\n/* probe no = x */ \"function no\" function yes() {}", ["yes"], [], []
      ),
      ("%( arch == \"x\" %? function f() {} %: function g() {} %)", ["f", "g"], [], []),
      ("@define m(a) %( function no() { \"%)\" } %( 1 %) %) function f() {}", ["f"], [], []),
      ("probe a = kernel.function(\"f\"), kernel.function(\"g\")? { if (x) { y } }", [], [], ["a"]),
      ("function f() { \"\\\"} function no\" } global x = \"\\\\\" function g() {}", ["f", "g"], ["x"], []),
    ] as [(String, [String], [String], [String])]
  )
  func finds(_ text: String, _ functions: [String], _ globals: [String], _ aliases: [String]) {
    let found = DeclarationScanner.scan(Array(text.utf8))
    #expect(found.functions == functions)
    #expect(found.globals == globals)
    let names = found.aliases.flatMap(\.names).map { DeclarationScanner.parts(of: Array(text.utf8), at: $0) }
    #expect(names.map { $0.joined(separator: ".") } == aliases)
    #expect(found.aliases.map(\.head) == names.map(\.[0]))
    #expect(!found.isOpaque)
  }

  @Test(
    "macros at the top make a file opaque",
    arguments: [
      ("@make(x)", true), ("function f() {} @make(x)", true), ("global a @make(x)", true),
      ("probe a = b(@x) { @y }", false), ("function f() { @count(x) }", false), ("@define a %( @b %)", false),
    ]
  )
  func tellsOpaqueFiles(_ text: String, _ expected: Bool) {
    #expect(DeclarationScanner.scan(Array(text.utf8)).isOpaque == expected)
  }

  @Test func anyTextIsScannedToItsEnd() {
    let text = Array(
      "function f(a) { \"x\\\" } global g[3] = 0x1f, h probe a.b(\"c\") = d @define m %( %) /* */ %{ %}".utf8
    )
    for end in text.indices {
      _ = DeclarationScanner.scan(Array(text[..<end]))
      _ = DeclarationScanner.scan(Array(text[end...]))
    }
  }
}
