import TargetModel

/// A string of the script: any bytes, not necessarily UTF-8.
package struct ByteString: Sendable {
  package var bytes: [UInt8]

  package init() { bytes = [] }

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The bytes that a string of the script stands for.
  package init(_ text: String) { bytes = ScriptBytes.bytes(of: text) }

  package var count: Int { bytes.count }

  package var isEmpty: Bool { bytes.isEmpty }

  /// The bytes read as UTF-8, malformed ones replaced.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// At most the first `limit` bytes.
  package func cut(to limit: Int) -> ByteString {
    bytes.count <= limit ? self : ByteString(Array(bytes[..<max(0, limit)]))
  }

  /// Where `needle` first begins at or after `start`.
  package func firstIndex(of needle: ByteString, from start: Int = 0) -> Int? {
    if needle.isEmpty { return start }
    guard bytes.count >= needle.count else { return nil }
    let first = needle.bytes[0]
    var position = start
    while position <= bytes.count - needle.count {
      if bytes[position] == first, matches(needle, at: position) { return position }
      position += 1
    }
    return nil
  }

  private func matches(_ needle: ByteString, at position: Int) -> Bool {
    for index in 0..<needle.count where bytes[position + index] != needle.bytes[index] { return false }
    return true
  }
}

extension ByteString: Hashable, Comparable {
  package static func == (left: ByteString, right: ByteString) -> Bool { left.bytes == right.bytes }

  /// Byte by byte, unsigned, as strcmp(3).
  package static func < (left: ByteString, right: ByteString) -> Bool {
    let count = min(left.bytes.count, right.bytes.count)
    var index = 0
    while index < count {
      if left.bytes[index] != right.bytes[index] { return left.bytes[index] < right.bytes[index] }
      index += 1
    }
    return left.bytes.count < right.bytes.count
  }

  /// Feeds eight bytes at a time: feeding single bytes costs a call each.
  package func hash(into hasher: inout Hasher) {
    var word: UInt64 = UInt64(bytes.count)
    var filled = 0
    for byte in bytes {
      word = word << 8 | UInt64(byte)
      filled += 1
      if filled == 8 {
        hasher.combine(word)
        filled = 0
      }
    }
    hasher.combine(word)
  }
}

extension ByteString: ExpressibleByStringLiteral, CustomStringConvertible {
  package init(stringLiteral text: String) { self.init(text) }

  package var description: String { text }
}
