/// The bytes that the lexer tells apart.
enum Byte {
  static let at = UInt8(ascii: "@")
  static let backslash = UInt8(ascii: "\\")
  static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
  static let dollar = UInt8(ascii: "$")
  static let hash = UInt8(ascii: "#")
  /// Vertical tab, form feed and carriage return.
  static let feeds: ClosedRange<UInt8> = 0x0b...0x0d
  static let leftBrace = UInt8(ascii: "{")
  static let lowercase = UInt8(ascii: "a")...UInt8(ascii: "z")
  static let newline = UInt8(ascii: "\n")
  static let percent = UInt8(ascii: "%")
  static let quote = UInt8(ascii: "\"")
  static let rightBrace = UInt8(ascii: "}")
  static let slash = UInt8(ascii: "/")
  static let space = UInt8(ascii: " ")
  static let star = UInt8(ascii: "*")
  static let tab = UInt8(ascii: "\t")
  static let underscore = UInt8(ascii: "_")
  static let uppercase = UInt8(ascii: "A")...UInt8(ascii: "Z")

  static func isAlphanumeric(_ byte: UInt8) -> Bool { lowercase ~= byte | 0x20 || digits ~= byte }

  static func isDigit(_ byte: UInt8) -> Bool { digits ~= byte }

  static func isOctal(_ byte: UInt8) -> Bool { byte & 0xf8 == UInt8(ascii: "0") }

  static func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == underscore || byte == dollar }

  /// The value of a digit in any radix up to 36; 36 for any other byte.
  static func value(of byte: UInt8) -> Int {
    switch byte {
    case digits: Int(byte) - 0x30
    case lowercase, uppercase: Int(byte | 0x20) - 0x61 + 10
    default: 36
    }
  }
}

/// Operators and brackets.
enum Punctuation {
  private static let three: Set<String> = ["<<<", ">>>", "<<=", ">>="]
  private static let two: Set<String> = [
    "==", "!=", "<=", ">=", "=~", "!~", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", ".=", "&&", "||",
    "++",
    "--", "->", "<<", ">>", "%(", "%?", "%:", "%)",
  ]

  /// The most bytes at the start of the text that form one operator; 0 when none does.
  static func length(_ first: UInt8?, _ second: UInt8?, _ third: UInt8?) -> Int {
    guard let first, first > 0x20, first < 0x7f else { return 0 }
    guard let second, isOperator(second) else { return 1 }
    if let third, three.contains(text(first, second, third)) { return 3 }
    return two.contains(text(first, second)) ? 2 : 1
  }

  private static func text(_ bytes: UInt8...) -> String { String(decoding: bytes, as: UTF8.self) }

  /// Whether `byte` may be the second or third of an operator.
  private static func isOperator(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x28, 0x29, 0x3a, 0x3f: true  // ( ) : ?
    case 0x26, 0x2b, 0x2d, 0x3c, 0x3d, 0x3e, 0x7c, 0x7e: true  // & + - < = > | ~
    default: false
    }
  }
}
