package import Diagnostics

/// The format of `printf` and `sprintf` as a value (systemtap.md, section 1.8).
package struct PrintFormat: Hashable, Sendable {
  /// Text that stands for itself, or a directive.
  package enum Piece: Hashable, Sendable {
    /// See ``StringBytes`` for what it holds; `%%` is one `%` here.
    case text(String)
    case directive(Directive)
  }

  /// One `%[flag][width][.precision]conversion`.
  package struct Directive: Hashable, Sendable {
    package var flag: Flag?
    package var width: Size
    package var precision: Size
    package var conversion: Conversion

    package init(flag: Flag?, width: Size, precision: Size, conversion: Conversion) {
      self.flag = flag
      self.width = width
      self.precision = precision
      self.conversion = conversion
    }

    /// How many values it takes: its own, and one for each `*` before it.
    package var argumentCount: Int { 1 + (width == .argument ? 1 : 0) + (precision == .argument ? 1 : 0) }
  }

  /// A directive has one at most.
  package enum Flag: String, Sendable {
    case zero = "0"
    case plus = "+"
    case minus = "-"
    case space = " "
    case alternate = "#"
  }

  /// A width or precision.
  package enum Size: Hashable, Sendable {
    case none
    case fixed(Int)
    /// `*`: the next argument.
    case argument
  }

  /// What a value is printed as.
  package enum Conversion: String, Sendable, CaseIterable {
    case binary = "b"
    case character = "c"
    case decimal = "d"
    case integer = "i"
    case memory = "m"
    case memoryHex = "M"
    case octal = "o"
    case pointer = "p"
    case string = "s"
    case unsigned = "u"
    case hex = "x"
    case upperHex = "X"

    /// Whether the value is a string; all others are numbers.
    package var takesString: Bool { self == .string }
  }

  /// A format that cannot be read.
  package struct Problem: Error {
    package let diagnostic: Diagnostic
  }

  package var pieces: [Piece]

  package init(_ pieces: [Piece]) { self.pieces = pieces }

  /// How many values the whole format takes.
  package var argumentCount: Int {
    pieces.reduce(0) { count, piece in
      guard case .directive(let directive) = piece else { return count }
      return count + directive.argumentCount
    }
  }

  /// Reads the format that `literal` holds; `sources` serve to point at the wrong directive.
  package static func parse(_ literal: Literal, in sources: SourceSet) -> Result<PrintFormat, Problem> {
    guard case .string(let text) = literal.value else { return .success(PrintFormat([])) }
    var reader = FormatReader(literal: literal, bytes: StringBytes.bytes(of: text), sources: sources)
    return Result { () throws(Problem) in try reader.read() }
  }
}

/// Walks the bytes of a format.
private struct FormatReader {
  let literal: Literal
  let bytes: [UInt8]
  let sources: SourceSet
  private var position = 0
  private var start = 0

  init(literal: Literal, bytes: [UInt8], sources: SourceSet) {
    self.literal = literal
    self.bytes = bytes
    self.sources = sources
  }

  mutating func read() throws(PrintFormat.Problem) -> PrintFormat {
    var pieces: [PrintFormat.Piece] = []
    var text: [UInt8] = []
    while position < bytes.count {
      guard bytes[position] == Byte.percent else {
        text.append(bytes[position])
        position += 1
        continue
      }
      if let directive = try readDirective() {
        if !text.isEmpty { pieces.append(.text(StringBytes.string(from: text))) }
        text = []
        pieces.append(.directive(directive))
      } else {
        text.append(Byte.percent)
      }
    }
    if !text.isEmpty { pieces.append(.text(StringBytes.string(from: text))) }
    return PrintFormat(pieces)
  }

  /// Nil for `%%`.
  private mutating func readDirective() throws(PrintFormat.Problem) -> PrintFormat.Directive? {
    start = position
    position += 1
    let flag = peek().flatMap { PrintFormat.Flag(rawValue: $0) }
    if flag != nil { position += 1 }
    let width = try readSize()
    let precision = peek() == "." ? try readPrecision() : .none
    let isLong = peek() == "l"
    if isLong { position += 1 }
    guard let letter = peek() else { throw problem("the format ends within a directive") }
    position += 1
    if letter == "%" { return nil }
    guard let conversion = PrintFormat.Conversion(rawValue: letter) else {
      throw unknown(letter, flag, isLong)
    }
    if conversion == .binary, case .fixed(let count) = width, ![1, 2, 4, 8].contains(count) {
      throw problem("'%b' writes 1, 2, 4 or 8 bytes, not \(count)")
    }
    return PrintFormat.Directive(flag: flag, width: width, precision: precision, conversion: conversion)
  }

  private func peek() -> String? {
    position < bytes.count ? String(decoding: [bytes[position]], as: UTF8.self) : nil
  }

  private mutating func readPrecision() throws(PrintFormat.Problem) -> PrintFormat.Size {
    position += 1
    let size = try readSize()
    // As in C, a lone period is a precision of zero.
    return size == .none ? .fixed(0) : size
  }

  private mutating func readSize() throws(PrintFormat.Problem) -> PrintFormat.Size {
    if peek() == "*" {
      position += 1
      return .argument
    }
    let digits = bytes[position...].prefix { Byte.isDigit($0) }
    guard !digits.isEmpty else { return .none }
    position += digits.count
    guard let size = Int32(String(decoding: digits, as: UTF8.self)) else {
      throw problem("this width is too large")
    }
    return .fixed(Int(size))
  }

  private func unknown(_ letter: String, _ flag: PrintFormat.Flag?, _ isLong: Bool) -> PrintFormat.Problem {
    if isLong, letter == "l", let conversion = peek(), PrintFormat.Conversion(rawValue: conversion) != nil {
      return problem("every number has 64 bits: '%\(conversion)' says it all")
    }
    if flag != nil, PrintFormat.Flag(rawValue: letter) != nil {
      return problem("a directive has one flag at most")
    }
    let shown = bytes[position - 1] < 0x80 ? letter : "…"
    return problem("no conversion '%\(shown)'")
  }

  private func problem(_ message: String) -> PrintFormat.Problem {
    let place = literal.range(ofBytes: start..<position, in: sources)
    return PrintFormat.Problem(diagnostic: Diagnostic(.error, "print-format", message, at: place))
  }
}

extension Literal {
  /// Where some of a string's own bytes stand in the script, for messages about a part of a literal.
  ///
  /// A literal that was glued or came through a macro or an argument gives its whole range.
  package func range(ofBytes bytes: Range<Int>, in sources: SourceSet) -> SourceRange {
    guard case .string(let text) = value else { return range }
    let source = sources[range.source].text
    guard range.bytes.upperBound <= source.count else { return range }
    var offsets: [Int] = []
    var copy: [UInt8] = []
    for end in Lexer.stringOffsets(in: source, range.bytes) {
      offsets.append(end.offset)
      copy.append(end.byte)
    }
    guard copy == StringBytes.bytes(of: text), bytes.upperBound <= copy.count else { return range }
    offsets.append(range.bytes.upperBound - 1)
    return SourceRange(range.source, offsets[bytes.lowerBound]..<offsets[bytes.upperBound])
  }
}
