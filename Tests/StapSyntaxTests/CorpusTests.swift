import Diagnostics
import Foundation
import Testing

@testable import StapSyntax

/// Our own examples, and the sample scripts of Debian's `systemtap` packages where they are installed.
enum Corpus {
  static let folders = [examples, "/usr/share/systemtap/examples", "/usr/share/doc/systemtap/examples"]

  private static let examples = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Examples").path

  /// Holds `{...}` where a body should be: it is meant to be filled in by hand.
  static let notScripts: Set<String> = ["security-band-aids/security-bandaid-template.stp"]

  static let files: [String] = folders.flatMap { folder in
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix(".stp") && !notScripts.contains($0) }.sorted().map {
      folder + "/" + $0
    }
  }

  static func bytes(_ path: String) -> [UInt8] {
    FileManager.default.contents(atPath: path).map { Array($0) } ?? []
  }

  /// What the samples take as arguments: numbers or names, probe points, functions.
  static let arguments: [[String]] = [
    ["1", "2", "3", "4", "5", "6", "7", "8", "9"],
    Array(repeating: "process.function", count: 9),
    ["1", "1", "@count", "begin", "end"],
    ["begin", "1"],
    ["begin", "end", "1"],
    ["process", "f", "1"],
  ]

  /// Stand-ins of the same shape for the macros that SystemTap's tapset gives the samples.
  static let macros = """
    @define choose_defined(a, b) %( (@defined(@a) ? @a : @b) %)
    @define cast_module_sizeof(m, t) %( (&@cast(0, @t, @m)[1] - 0) %)
    @define cast_sizeof(t) %( (&@cast(0, @t)[1] - 0) %)
    @define container_of(p, t, m) %( @cast(@p - &@cast(0, @t)->@m, @t) %)
    @define errno %( @var("errno") %)
    @define json_output_array_numeric_value(a, i, n, v) %( println(@a, @i, @n, @v) %)
    @define json_output_data_end %( println("}") %)
    @define json_output_data_start %( println("{") %)
    @define module_container_of(p, k, t, m) %( @cast(@p - &@cast(0, @t, @k)->@m, @t) %)
    @define prometheus_dump_array1(a, n, k) %( foreach (x in @a) println(@n, @k, x) %)
    @define prometheus_dump_array1_map_unquoted(a, n, k, f, g) %( foreach (x in @a) println(@f(x), @n, @k) %)
    @define prometheus_dump_array2_map(a, n, i, j, f, g, v) %( foreach ([x, y] in @a) println(@f(x)) %)
    @define prometheus_dump_array3(a, n, i, j, k) %( foreach ([x, y, z] in @a) println(@n, @i, @j, @k) %)
    @define prometheus_dump_array3_map(a, n, i, j, k, f, g, h, v) %( foreach ([x, y, z] in @a) println(@f(x)) %)
    @define prometheus_dump_array7(a, n, i, j, k, l, m, o, p) %( println(@n, @i, @j, @k, @l, @m, @o, @p) %)
    @define task(t) %( @cast(@t, "task_struct") %)
    @define this1 %( this[1, tid()] %)
    @define this2 %( this[2, tid()] %)
    @define this3 %( this[3, tid()] %)
    @define this4 %( this[4, tid()] %)
    @define this5 %( this[5, tid()] %)
    """

  /// The first of ``arguments`` with which the file parses, or the first of all.
  static func parse(_ path: String) -> Parsed {
    let bytes = bytes(path)
    let tries = arguments.lazy.map {
      Parsed(bytes: bytes, environment(arguments: $0), macros: macros, origin: .tapset)
    }
    return tries.first { $0.checked.product != nil } ?? Parsed(bytes: bytes, macros: macros, origin: .tapset)
  }
}

@Suite("Sample scripts") struct CorpusTests {
  @Test("parse and print to the same tree", .enabled(if: !Corpus.files.isEmpty), arguments: Corpus.files)
  func roundTrips(_ path: String) throws {
    let first = Corpus.parse(path)
    let script = try #require(first.product, "\(first.messages)")
    let text = ASTPrinter.text(script)
    let second = Parsed(text)
    let again = try #require(second.product, "\(second.messages)\(text)")
    #expect(structure(script) == structure(again))
    #expect(ASTPrinter.text(again) == text)
  }
}
