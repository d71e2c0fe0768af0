/// Splits a `.d` file into words and signs; comments, `#pragma` and the preprocessor's line markers are passed over.
struct ProviderLexer {
  /// One word or sign.
  struct Token {
    enum Kind { case word, sign, text, end }

    let kind: Kind
    let text: String
    let bytes: Range<Int>
  }

  private let bytes: [UInt8]
  private var offset = 0
  private var isLineStart = true
  /// What cannot be read; the tokens end there.
  private(set) var problem: (message: String, bytes: Range<Int>)?

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() -> Token {
    skipBlanks()
    guard problem == nil, offset < bytes.count else {
      return Token(kind: .end, text: "", bytes: bytes.count..<bytes.count)
    }
    isLineStart = false
    let start = offset
    if isWord(bytes[offset]) {
      while offset < bytes.count, isWord(bytes[offset]) { offset += 1 }
      return token(.word, start)
    }
    let quote = bytes[offset]
    offset += 1
    guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { return token(.sign, start) }
    while offset < bytes.count, bytes[offset] != quote {
      offset = min(bytes.count, offset + (bytes[offset] == UInt8(ascii: "\\") ? 2 : 1))
    }
    offset = min(bytes.count, offset + 1)
    return token(.text, start)
  }

  private func token(_ kind: Token.Kind, _ start: Int) -> Token {
    Token(kind: kind, text: String(decoding: bytes[start..<offset], as: UTF8.self), bytes: start..<offset)
  }

  private mutating func skipBlanks() {
    while problem == nil, offset < bytes.count {
      switch bytes[offset] {
      case UInt8(ascii: "\n"):
        isLineStart = true
        offset += 1
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): offset += 1
      case UInt8(ascii: "/") where follows("*"): skipComment()
      case UInt8(ascii: "/") where follows("/"): skipLine()
      case UInt8(ascii: "#") where isLineStart: skipDirective()
      default: return
      }
    }
  }

  private func follows(_ character: Unicode.Scalar) -> Bool {
    offset + 1 < bytes.count && bytes[offset + 1] == UInt8(ascii: character)
  }

  private mutating func skipLine() {
    while offset < bytes.count, bytes[offset] != UInt8(ascii: "\n") { offset += 1 }
  }

  private mutating func skipComment() {
    let start = offset
    offset += 2
    while offset + 1 < bytes.count {
      if bytes[offset] == UInt8(ascii: "*"), bytes[offset + 1] == UInt8(ascii: "/") {
        offset += 2
        return
      }
      offset += 1
    }
    problem = ("the comment has no end", start..<min(start + 2, bytes.count))
  }

  /// `#pragma D …` and `# 12 "file"` mean nothing here; the others need the preprocessor.
  private mutating func skipDirective() {
    let start = offset
    skipLine()
    let words = String(decoding: bytes[start + 1..<offset], as: UTF8.self).split { $0 == " " || $0 == "\t" }
    guard let name = words.first, name != "pragma", name != "line", name.contains(where: { !$0.isNumber })
    else { return }
    problem = ("'#\(name)' needs the preprocessor: give '-C'", start..<offset)
  }
}

private func isWord(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
    UInt8(ascii: "$"), UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...:
    true
  default: false
  }
}
