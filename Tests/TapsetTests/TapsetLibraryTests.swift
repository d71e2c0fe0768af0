import Diagnostics
import Foundation
import Platform
import StapSyntax
import TestSupport
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
    #expect(library.globalNames == ["g"])
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

/// What one run keeps of the library for the next.
@Suite("LibraryCatalog") struct LibraryCatalogTests {
  private typealias Folder = TapsetLibraryTests.Folder

  private let facts = PreprocessorEnvironment(kernelRelease: "6.1.0", arch: "x86_64")
  private let files = [
    "a.stp": "function f() { return @one } global g probe syscall.open = end {} probe syscall.close = end {}",
    "b.stp": "function f(x) { return x } probe syscall.close.return = begin {}",
    "m.stpm": "@define one %( 1 %) @define two %( 2 %)", "x86_64/c.stp": "@two probe begin {}",
  ]

  private func library(_ folder: Folder, _ cache: Folder, _ sources: inout SourceSet) -> TapsetLibrary {
    TapsetLibrary(
      directories: [folder.path],
      environment: facts,
      cache: CacheDirectory(cache.path),
      sources: &sources
    )
  }

  /// Everything that a library answers about these files.
  private func answers(_ folder: Folder, _ cache: Folder) -> [String] {
    var sources = SourceSet()
    var library = self.library(folder, cache, &sources)
    var result = [library.functionNames, library.globalNames, library.aliasNames].map { "\($0)" }
    result += library.files(declaringFunction: "f", in: &sources).map { file in
      "\(sources[file.source].name) \(file.script == nil) \(file.diagnostics.map(\.id))"
    }
    for text in ["syscall.open", "syscall.*", "s*.close.return", "other"] {
      let source = sources.add(SourceFile(name: "-l", text: Array(text.utf8)))
      let points = parseProbePoints(source, in: sources, environment: facts).product ?? []
      let found = points.flatMap { library.files(declaringAliasFor: $0, in: &sources) }
      result.append(text + "\(found.map { sources[$0.source].name })")
    }
    result += library.diagnostics.map(\.message)
    return result + ["\(library.facts.map(\.path))"]
  }

  private func kept(_ cache: Folder) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: cache.path)) ?? []
  }

  /// Long enough that no change is too young to be told from a later one.
  private func wait() { Thread.sleep(forTimeInterval: 0.1) }

  @Test func aKeptOneAnswersTheSame() throws {
    let (folder, cache) = (try Folder(files), try Folder([:]))
    wait()
    let first = answers(folder, cache)
    #expect(kept(cache).count == 1)
    #expect(answers(folder, cache) == first)
    #expect(first.contains { $0.hasSuffix("a.stp false []") })
  }

  @Test func whatChangesIsSeen() throws {
    let (folder, cache) = (try Folder(files), try Folder([:]))
    wait()
    _ = answers(folder, cache)
    try "function g() {}".write(toFile: folder.path + "/b.stp", atomically: false, encoding: .utf8)
    #expect(answers(folder, cache)[0] == "[\"f\", \"g\"]")
    try "function h() {}".write(toFile: folder.path + "/z.stp", atomically: false, encoding: .utf8)
    #expect(answers(folder, cache)[0] == "[\"f\", \"g\", \"h\"]")
    wait()
    _ = answers(folder, cache)
    try FileManager.default.removeItem(atPath: folder.path + "/z.stp")
    #expect(answers(folder, cache)[0] == "[\"f\", \"g\"]")
  }

  @Test func aLibraryWithMistakesIsReadEachTime() throws {
    let folder = try Folder(files.merging(["n.stpm": "@define one %( 3 %)"]) { $1 })
    let cache = try Folder([:])
    wait()
    for _ in 0..<2 {
      #expect(answers(folder, cache).contains("macro '@one' is defined twice"))
      #expect(kept(cache).isEmpty)
    }
  }

  @Test func whatWasJustWrittenIsNotKept() throws {
    let (folder, cache) = (try Folder(files), try Folder([:]))
    _ = answers(folder, cache)
    #expect(kept(cache).isEmpty)
  }

  @Test(
    "macros are read for texts that may use them",
    arguments: [
      ("probe begin { println(1) } # a@b.c", false), ("probe begin { println(@one) } # a@b.c", true),
      ("probe process(\"x\").statement(\"f@one.c:1\") { }", false), ("/* @one */ probe begin { @one }", true),
      ("probe begin { println(@unknown) }", true), ("probe begin { println(@count(x), \"@\", @1) }", false),
      ("@define", false), ("@", false), ("", false),
    ] as [(String, Bool)]
  )
  func readsMacros(_ text: String, _ isRead: Bool) throws {
    let (folder, cache) = (try Folder(files), try Folder([:]))
    wait()
    _ = answers(folder, cache)
    var sources = SourceSet()
    var library = self.library(folder, cache, &sources)
    let macros = library.macros(for: Array(text.utf8), in: &sources)
    #expect(Set(macros.names) == (isRead ? ["one", "two"] : []))
    let pasting = library.macros(for: Array("probe begin { println($1) }".utf8), ["1 + @two"], in: &sources)
    #expect(Set(pasting.names) == ["one", "two"])
  }

  /// A catalog of files that are not there.
  private var example: [UInt8] {
    var maker = CatalogMaker([FileFact("/proc/self/exe"), FileFact("/nowhere")])
    maker.add(FileFact("/nowhere/a.stp"), DeclarationScanner.scan(Array(files["a.stp", default: ""].utf8)))
    maker.add(FileFact("/nowhere/b.stp"), DeclarationScanner.scan(Array(files["b.stp", default: ""].utf8)))
    maker.add(FileFact("/nowhere/m.stpm"), macros: ["two", "one"])
    return maker.encoded()
  }

  @Test func findsNamesInPlace() throws {
    let catalog = try #require(LibraryCatalog(SharedBytes(example)))
    #expect(catalog.places(of: "f", .function).map(\.file) == [0, 1])
    #expect(catalog.places(of: "f", .global).isEmpty && catalog.places(of: "", .function).isEmpty)
    #expect(catalog.places(of: "ff", .function).isEmpty && catalog.places(of: "e", .function).isEmpty)
    #expect(catalog.names(.macro) == ["one", "two"])
    #expect(catalog.places(of: "syscall", .family).map(\.spans.count) == [2, 1])
    #expect(LibraryCatalog.empty.names(.function).isEmpty)
  }

  @Test func damageIsSeenOrHarmless() {
    let whole = example
    for count in whole.indices { #expect(LibraryCatalog(SharedBytes(Array(whole[..<count]))) == nil) }
    var random = SeededGenerator(seed: 7)
    for _ in 0..<2_000 {
      var bytes = whole
      let place = Int.random(in: LibraryCatalog.checkedStart..<bytes.count, using: &random)
      bytes[place] = UInt8.random(in: 0...255, using: &random)
      let checksum = bytes.rawSpan.crc64(from: LibraryCatalog.checkedStart)
      for index in 0..<8 { bytes[8 + index] = UInt8(truncatingIfNeeded: checksum >> UInt64(index * 8)) }
      guard let catalog = LibraryCatalog(SharedBytes(bytes)) else { continue }
      for kind in LibraryCatalog.Kind.allCases {
        for name in catalog.names(kind) { _ = catalog.places(of: name, kind) }
      }
    }
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
