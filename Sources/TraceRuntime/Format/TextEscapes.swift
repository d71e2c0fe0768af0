import TraceIR

extension ByteBuffer {
  /// Appends one byte as C source would write it; bytes that do not print become three octal digits.
  mutating func appendEscaped(_ byte: UInt8, quote: UInt8) {
    switch byte {
    case 7: append("\\a")
    case 8: append("\\b")
    case 9: append("\\t")
    case 10: append("\\n")
    case 11: append("\\v")
    case 12: append("\\f")
    case 13: append("\\r")
    case quote, UInt8(ascii: "\\"):
      append(UInt8(ascii: "\\"))
      append(byte)
    case 32...126: append(byte)
    default:
      append(UInt8(ascii: "\\"))
      append(48 + byte >> 6)
      append(48 + byte >> 3 & 7)
      append(48 + byte & 7)
    }
  }
}

extension ByteString {
  /// The text with escapes, in at most `limit` bytes; in double quotes, text cut off ends in `"...`.
  ///
  /// Source: manual pages `function::text_str`, `function::text_strn`.
  func escaped(limit: Int, quoted: Bool) -> ByteString {
    var output = ByteBuffer()
    if quoted { output.append(UInt8(ascii: "\"")) }
    let reserve = quoted ? 1 : 0
    var fits = output.count
    for byte in bytes {
      if output.count + reserve + 3 <= limit { fits = output.count }
      output.appendEscaped(byte, quote: UInt8(ascii: "\""))
      guard output.count + reserve > limit else { continue }
      return cutShort(output, at: fits, limit: limit, quoted: quoted)
    }
    if quoted { output.append(UInt8(ascii: "\"")) }
    return ByteString(output.bytes)
  }

  private func cutShort(_ output: ByteBuffer, at fits: Int, limit: Int, quoted: Bool) -> ByteString {
    guard quoted else { return unquotedCut(limit) }
    var output = output
    output.truncate(to: fits)
    output.append("\"...")
    return ByteString(output.bytes).cut(to: max(limit, 5))
  }

  private func unquotedCut(_ limit: Int) -> ByteString {
    var output = ByteBuffer()
    for byte in bytes {
      let end = output.count
      output.appendEscaped(byte, quote: UInt8(ascii: "\""))
      guard output.count > limit else { continue }
      output.truncate(to: end)
      break
    }
    return ByteString(output.bytes)
  }
}
