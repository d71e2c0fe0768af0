import Diagnostics
import Testing

@testable import StapSyntax

@Suite("PrintFormat") struct PrintFormatTests {
  private func read(_ source: String) -> (format: PrintFormat?, marked: String) {
    var sources = SourceSet()
    let text = Array("x \"\(source)\"".utf8)
    let file = sources.add(SourceFile(name: "f", text: text))
    let token = Lexer.tokens(of: text, source: file, arguments: []).tokens[1]
    switch PrintFormat.parse(Literal(.string(token.text), token.range), in: sources) {
    case .success(let format): return (format, "")
    case .failure(let problem):
      let bytes = problem.diagnostic.range?.bytes ?? 0..<0
      return (nil, String(decoding: text[bytes], as: UTF8.self))
    }
  }

  private typealias Row = (
    String, PrintFormat.Flag?, PrintFormat.Size, PrintFormat.Size, PrintFormat.Conversion
  )

  @Test("directives")
  func readsDirectives() {
    let rows: [Row] = [
      ("%d", nil, .none, .none, .decimal), ("%ld", nil, .none, .none, .decimal),
      ("%-5s", .minus, .fixed(5), .none, .string), ("%05u", .zero, .fixed(5), .none, .unsigned),
      ("%+i", .plus, .none, .none, .integer), ("% x", .space, .none, .none, .hex),
      ("%#X", .alternate, .none, .none, .upperHex), ("%*d", nil, .argument, .none, .decimal),
      ("%.*s", nil, .none, .argument, .string), ("%10.4m", nil, .fixed(10), .fixed(4), .memory),
      ("%#M", .alternate, .none, .none, .memoryHex), ("%.s", nil, .none, .fixed(0), .string),
      ("%4b", nil, .fixed(4), .none, .binary), ("%#c", .alternate, .none, .none, .character),
      ("%p", nil, .none, .none, .pointer), ("%#o", .alternate, .none, .none, .octal),
      ("%-*.*lx", .minus, .argument, .argument, .hex),
    ]
    for (text, flag, width, precision, conversion) in rows {
      let expected = PrintFormat.Directive(
        flag: flag,
        width: width,
        precision: precision,
        conversion: conversion
      )
      #expect(read(text).format == PrintFormat([.directive(expected)]), "\(text)")
    }
  }

  @Test func textBetweenDirectivesIsKept() {
    let number = PrintFormat.Directive(flag: nil, width: .none, precision: .none, conversion: .decimal)
    #expect(
      read("a %% b\\t%d%%%d!").format
        == PrintFormat([
          .text("a % b\t"), .directive(number), .text("%"), .directive(number), .text("!"),
        ])
    )
    #expect(read("").format == PrintFormat([]))
    #expect(read("%-*.*lx %d %%").format?.argumentCount == 4)
  }

  @Test(
    "mistakes and where they stand",
    arguments: [
      ("a%", "%"), ("a%y b", "%y"), ("%-05d", nil), ("%+-d", "%+-"), ("\\t\\x41%lld", "%ll"), ("%3b", "%3b"),
      ("%n", "%n"), ("%99999999999d", "%99999999999"), ("%d%f", "%f"), ("é%é", "%\u{c3}"), ("%5", "%5"),
    ] as [(String, String?)]
  )
  func refuses(_ text: String, _ marked: String?) {
    let result = read(text)
    #expect((result.format == nil) == (marked != nil))
    if let marked, marked.unicodeScalars.allSatisfy(\.isASCII) { #expect(result.marked == marked) }
  }
}
