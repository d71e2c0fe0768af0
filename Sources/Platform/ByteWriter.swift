/// Appends integers and strings to a byte array, little endian: the mirror of ``ByteReader``.
package struct ByteWriter: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init(reserving byteCount: Int = 0) { bytes.reserveCapacity(byteCount) }

  package var count: Int { bytes.count }

  /// Appends one fixed-width integer.
  @inlinable
  package mutating func write<Word: FixedWidthInteger>(_ value: Word) {
    write(UInt64(truncatingIfNeeded: value), byteCount: Word.bitWidth / 8)
  }

  /// Appends the lowest `byteCount` bytes of `value`, 1 to 8.
  ///
  /// Not generic: other modules would call it with the operations of `Word` looked up at run time.
  @usableFromInline
  mutating func write(_ value: UInt64, byteCount: Int) {
    var rest = value
    for _ in 0..<byteCount {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }

  /// Appends integers: much faster than one by one.
  package mutating func write(_ words: [UInt32]) { bytes.append(littleEndian: words) }

  /// Appends integers: much faster than one by one.
  package mutating func write(_ words: [UInt64]) { bytes.append(littleEndian: words) }

  /// Appends bytes as they are.
  package mutating func write(_ content: [UInt8]) { bytes += content }

  /// Appends the UTF-8 of `text` and a zero byte.
  package mutating func writeString(_ text: String) {
    bytes += Array(text.utf8)
    bytes.append(0)
  }

  /// Appends one unsigned LEB128 (DWARF 5, section 7.6).
  package mutating func writeULEB128(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Appends one signed LEB128 (DWARF 5, section 7.6).
  package mutating func writeSLEB128(_ value: Int64) {
    var rest = value
    while rest < -0x40 || rest > 0x3f {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest) & 0x7f)
  }

  /// Appends zeros up to the next multiple of `alignment`; 0 and 1 do nothing.
  package mutating func align(to alignment: Int) {
    guard alignment > 1 else { return }
    let padding = (alignment - bytes.count % alignment) % alignment
    bytes += [UInt8](repeating: 0, count: padding)
  }

  /// Overwrites the integer at `offset`, which was written before; anything else changes nothing.
  package mutating func patch<Word: FixedWidthInteger>(_ value: Word, at offset: Int) {
    guard offset >= 0, offset + Word.bitWidth / 8 <= bytes.count else { return }
    for index in 0..<Word.bitWidth / 8 {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> Word(truncatingIfNeeded: 8 * index))
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append<Word: FixedWidthInteger>(littleEndian words: [Word]) {
    // Every machine that utrace runs on is little endian; the map makes the file so everywhere.
    let words = Word(1).littleEndian == 1 ? words : words.map(\.littleEndian)
    unsafe words.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }
}
