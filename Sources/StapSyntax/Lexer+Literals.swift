import Diagnostics

/// Strings, embedded C and script arguments.
extension Lexer {
  /// `"…"` with C's escapes; any other escaped character stands for itself.
  mutating func readString() {
    let start = position
    var bytes: [UInt8] = []
    advance()
    while let byte = peek(0), byte != Byte.newline {
      advance()
      if byte == Byte.quote {
        return append(.string, StringBytes.string(from: bytes), from: start)
      }
      if byte == Byte.backslash { readEscape(into: &bytes) } else { bytes.append(byte) }
    }
    fail(.unterminatedString(range(start, position)), string(start, position), from: start)
  }

  /// The bytes of the one string that `range` of `text` holds, each with the place where it is written.
  static func stringOffsets(in text: [UInt8], _ range: Range<Int>) -> [(byte: UInt8, offset: Int)] {
    var lexer = Lexer(source: SourceID(index: 0), arguments: [], text: Array(text[range]))
    var result: [(byte: UInt8, offset: Int)] = []
    lexer.advance()
    while lexer.position < range.count - 1, let byte = lexer.peek(0) {
      let place = range.lowerBound + lexer.position
      var bytes = [byte]
      lexer.advance()
      if byte == Byte.backslash {
        bytes = []
        lexer.readEscape(into: &bytes)
      }
      result += bytes.map { ($0, place) }
    }
    return result
  }

  private mutating func readEscape(into bytes: inout [UInt8]) {
    guard let byte = peek(0), byte != Byte.newline else { return }
    if Byte.isOctal(byte) { return bytes.append(readDigits(radix: 8, atMost: 3)) }
    if byte == UInt8(ascii: "x"), let next = peek(1), Byte.value(of: next) < 16 {
      advance()
      return bytes.append(readDigits(radix: 16, atMost: 2))
    }
    advance()
    bytes.append(StringBytes.simpleEscapes.first { $0.letter == byte }?.value ?? byte)
  }

  /// `\777` is the byte 0xff, as a C compiler has it after its warning.
  private mutating func readDigits(radix: Int, atMost count: Int) -> UInt8 {
    var value = 0
    for _ in 0..<count {
      guard let byte = peek(0), Byte.value(of: byte) < radix else { break }
      value = value * radix + Byte.value(of: byte)
      advance()
    }
    return UInt8(truncatingIfNeeded: value)
  }

  /// `%{ … %}`, verbatim.
  mutating func readEmbeddedC() {
    let start = position
    advance(2)
    while let byte = peek(0) {
      if byte == Byte.percent, peek(1) == Byte.rightBrace {
        let body = string(start + 2, position)
        advance(2)
        return append(.embeddedC, body, from: start)
      }
      if byte == Byte.rightBrace, peek(1) == Byte.percent, peek(2) != Byte.rightBrace {
        list.diagnostics.append(.reversedClosing(range(position, position + 2)))
      }
      advance()
    }
    fail(.unterminatedC(range(start, start + 2)), "%{", from: start)
  }

  /// `$1 @1 $# @#`; false when the text here is no argument.
  mutating func readArgument() -> Bool {
    let start = position
    let isQuoted = text[start] == Byte.at
    guard let next = peek(1), next == Byte.hash || Byte.isDigit(next) else { return false }
    let isNested = isInArgument
    advance(2)
    while next != Byte.hash, let byte = peek(0), Byte.isDigit(byte) { advance() }
    let word = string(start, position)
    if isNested {
      fail(.nestedArgument(word, range(start, position)), word, from: start)
    } else if next == Byte.hash {
      append(isQuoted ? .string : .number, "\(arguments.count)", from: start)
    } else {
      readArgument(word, isQuoted: isQuoted, from: start)
    }
    return true
  }

  private mutating func readArgument(_ word: String, isQuoted: Bool, from start: Int) {
    guard let number = Int(word.dropFirst()), number >= 1, number <= arguments.count else {
      return fail(.argumentOutOfRange(word, arguments.count, range(start, position)), word, from: start)
    }
    list.usedArguments.insert(number)
    if isQuoted {
      append(.string, arguments[number - 1], from: start)
    } else {
      paste(Array(arguments[number - 1].utf8), over: start)
    }
  }
}

extension Diagnostic {
  fileprivate static func argumentOutOfRange(_ word: String, _ count: Int, _ range: SourceRange) -> Diagnostic
  {
    let fact =
      switch count {
      case 0: "the script was given no arguments"
      case 1: "the script was given 1 argument"
      default: "the script was given \(count) arguments"
      }
    return Diagnostic(.error, "argument-out-of-range", "no argument for \(word): \(fact)", at: range)
  }

  fileprivate static func nestedArgument(_ word: String, _ range: SourceRange) -> Diagnostic {
    Diagnostic(
      .error,
      "nested-argument",
      "an argument of the script may not itself name '\(word)'",
      at: range
    )
  }

  fileprivate static func reversedClosing(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.warning, "reversed-closing", "'}%' does not end embedded C", at: range, fixIt: "%}")
  }

  fileprivate static func unterminatedC(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "unterminated-embedded-c", "no '%}' ends this embedded C", at: range)
  }

  fileprivate static func unterminatedString(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "unterminated-string", "no '\"' ends this string on its line", at: range)
  }
}
