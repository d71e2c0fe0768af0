/// Walks over the bytes of one operand.
struct OperandScanner {
  let bytes: [UInt8]
  var position = 0

  init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

  var isAtEnd: Bool { position >= bytes.count }
  var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  func error(_ reason: ArgumentError.Reason, at offset: Int? = nil) -> ArgumentError {
    ArgumentError(reason: reason, offset: offset ?? position)
  }

  /// Consumes `character` if it comes next.
  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func expect(_ character: Unicode.Scalar) throws(ArgumentError) {
    guard take(character) else { throw error(.syntax(expected: "'\(character)'")) }
  }

  mutating func expectEnd() throws(ArgumentError) {
    skipSpaces()
    guard isAtEnd else { throw error(.syntax(expected: "the end of the operand")) }
  }

  mutating func skipSpaces() {
    while next == UInt8(ascii: " ") || next == UInt8(ascii: "\t") { position += 1 }
  }

  /// Consumes letters, digits, and what else assemblers allow in a name after its first character.
  mutating func takeName(extra: [UInt8] = []) -> String {
    let start = position
    while let byte = next, isLetterOrDigit(byte) || extra.contains(byte) { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  /// Consumes a number as GNU as writes it: `12`, `0x1f`, `017`, `0b101`; wraps at 64 bits like the assembler.
  mutating func takeNumber() throws(ArgumentError) -> Int64 {
    let start = position
    let text = takeName()
    guard let first = text.utf8.first, isDigit(first) else {
      throw error(.syntax(expected: "a number"), at: start)
    }
    let radices: [(prefix: String, radix: Int)] = [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0", 8)]
    let form = text == "0" ? nil : radices.first { text.hasPrefix($0.prefix) }
    let digits = text.dropFirst(form?.prefix.count ?? 0)
    guard let value = UInt64(digits, radix: form?.radix ?? 10) else {
      throw error(.syntax(expected: "a 64-bit number"), at: start)
    }
    return Int64(bitPattern: value)
  }
}

/// `A`–`Z`, `a`–`z`, `0`–`9`, `_`.
func isLetterOrDigit(_ byte: UInt8) -> Bool {
  isDigit(byte) || byte == UInt8(ascii: "_") || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
}

/// `0`–`9`.
func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
