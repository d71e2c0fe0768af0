import Diagnostics
import Testing

@testable import StapSyntax

@Suite("Lexer") struct LexerTests {
  private func words(_ text: String, arguments: [String] = []) -> [String] {
    list(text, arguments).tokens.dropLast().map(\.text)
  }

  private func list(_ text: String, _ arguments: [String] = []) -> TokenList {
    Lexer.tokens(of: Array(text.utf8), source: SourceID(index: 0), arguments: arguments)
  }

  @Test(
    "cuts words",
    arguments: [
      ("a+++b", ["a", "++", "+", "b"]),
      ("x<<<1", ["x", "<<<", "1"]),
      ("a>>>b>>=c", ["a", ">>>", "b", ">>=", "c"]),
      ("a>>>=b", ["a", ">>>", "=", "b"]),
      ("p->q-- >r", ["p", "->", "q", "--", ">", "r"]),
      ("$x$ $$vars$$", ["$x$", "$$vars$$"]),
      ("@count(x)", ["@count", "(", "x", ")"]),
      ("0x1fG 07", ["0x1fG", "07"]),
      ("%( 1 %? 2 %: 3 %)", ["%(", "1", "%?", "2", "%:", "3", "%)"]),
      ("a%b % (c)", ["a", "%", "b", "%", "(", "c", ")"]),
      ("a !~ b =~ c", ["a", "!~", "b", "=~", "c"]),
      ("a # c\nb // d\nc /* e\n */ d", ["a", "b", "c", "d"]),
      ("#!/usr/bin/env utrace\nx", ["x"]),
      ("/*/ */ x /**/ y", ["x", "y"]),
      ("%{ \"}\" %} x", [" \"}\" ", "x"]),
    ]
  )
  func cutsWords(_ text: String, _ expected: [String]) {
    #expect(words(text) == expected)
  }

  @Test(
    "unescapes strings",
    arguments: [
      (#""a\tb\n""#, "a\tb\n"),
      (#""\a\b\v\f\r""#, "\u{7}\u{8}\u{b}\u{c}\r"),
      (#""\q\"\\""#, "q\"\\"),
      (#""\0\10\101\1012""#, "\0\u{8}AA2"),
      (#""\x41\x4a4\xg""#, "AJ4xg"),
      (#""käse""#, "käse"),
      (#""\303\244""#, "ä"),
    ]
  )
  func unescapes(_ text: String, _ expected: String) {
    #expect(words(text) == [expected])
  }

  @Test(
    "keeps any bytes of a string",
    arguments: [
      (#""\xff""#, [0xff]), (#""\xe2\x82""#, [0xe2, 0x82]), (#""a\xc3z""#, [0x61, 0xc3, 0x7a]),
      (#""\777\0""#, [0xff, 0]), ("\"\u{10ffff}\"", [0xf4, 0x8f, 0xbf, 0xbf]),
    ] as [(String, [UInt8])]
  )
  func keepsBytes(_ text: String, _ expected: [UInt8]) {
    let string = words(text)[0]
    #expect(StringBytes.bytes(of: string) == expected)
    #expect(words(StringBytes.quoted(string)) == [string])
  }

  @Test(
    "pastes arguments",
    arguments: [
      ("$1 + $2", ["12", "+", "x"]),
      ("$1u", ["12u"]),
      ("$2_y$1", ["x_y$1"]),
      ("@1 \"$2\"", ["12", "$2"]),
      ("$3;", ["a", "(", "b", ")", ";"]),
      ("$# @#", ["4", "4"]),
      ("@4", ["\"\\ü"]),
      ("a$1 b", ["a$1", "b"]),
      ("# $9\n// @9\n/* $9 */ x", ["x"]),
    ]
  )
  func pastesArguments(_ text: String, _ expected: [String]) {
    #expect(words(text, arguments: ["12", "x", "a(b)", "\"\\ü"]) == expected)
  }

  @Test func pastedWordsStandWhereTheArgumentIsNamed() {
    let tokens = list("x $1 y $1", [String(repeating: "long ", count: 9)]).tokens
    #expect(
      tokens.map(\.range.bytes) == [0..<1] + Array(repeating: 2..<4, count: 9) + [5..<6]
        + Array(repeating: 7..<9, count: 9) + [9..<9]
    )
  }

  @Test func manyLongArgumentsAreFast() {
    let text = String(repeating: "$1 ", count: 20_000)
    let clock = ContinuousClock()
    var count = 0
    let time = clock.measure { count = list(text, ["a b c d e f g h"]).tokens.count }
    #expect(count == 160_001)
    #expect(time < .seconds(5))
  }

  @Test(
    "refuses what is not a word",
    arguments: [
      ("\"abc", "unterminated-string"), ("\"abc\nd", "unterminated-string"),
      ("%{ x", "unterminated-embedded-c"),
      ("a “b", "unknown-character"), ("\u{1}", "unknown-character"), ("$3", "argument-out-of-range"),
      ("$0", "argument-out-of-range"), ("@99999999999999999999", "argument-out-of-range"),
      ("$2", "nested-argument"),
    ]
  )
  func refuses(_ text: String, _ id: String) {
    #expect(list(text, ["a", "$1"]).problems.map(\.id) == [id])
  }

  @Test func remembersUsedArguments() {
    #expect(list("$1 @3 \"$2\"", ["a", "b", "c"]).usedArguments == [1, 3])
  }
}
