import Diagnostics
import Foundation
import Testing

@testable import StapSyntax

/// Our own examples, and the sample scripts of Debian's `systemtap` packages where they are installed.
enum Corpus {
  static let folders = [examples, "/usr/share/systemtap/examples", "/usr/share/doc/systemtap/examples"]

  private static let examples = project.appending(path: "Examples").path
  private static let tapset = project.appending(path: "Tapset").path
  private static let project = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
    .deletingLastPathComponent()

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

  /// Our tapset's own.
  static let macros: String = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: tapset)) ?? []
    return names.filter { $0.hasSuffix(".stpm") }.sorted().map {
      String(decoding: bytes(tapset + "/" + $0), as: UTF8.self)
    }.joined()
  }()

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
