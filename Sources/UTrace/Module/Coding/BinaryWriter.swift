/// Appends values: integers as LEB128, counts before arrays, a number before each enum's values, each text once.
struct BinaryWriter {
  private(set) var bytes: [UInt8] = []
  private var textNumbers: [String: Int] = [:]
  /// Texts of late, most of which come again: comparing is faster than hashing.
  private var recent = [(text: String, number: Int)](repeating: ("", -1), count: 8)
  private var nextRecent = 0
  private var blobNumbers: [[UInt8]: Int] = [:]

  /// The bytes of one value.
  static func bytes(of value: some BinaryCoded) -> [UInt8] {
    var writer = BinaryWriter()
    value.write(to: &writer)
    return writer.bytes
  }

  /// Appends values one after the other.
  mutating func write<each Value: BinaryCoded>(_ values: repeat each Value) {
    for value in repeat each values { value.write(to: &self) }
  }

  /// Appends an enum's case and its values.
  mutating func write<each Value: BinaryCoded>(case tag: UInt8, _ values: repeat each Value) {
    write(tag: tag)
    for value in repeat each values { value.write(to: &self) }
  }

  mutating func write(tag: UInt8) { bytes.append(tag) }

  mutating func write(unsigned value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Zigzag, so that small negative numbers stay short.
  mutating func write(signed value: Int64) {
    write(unsigned: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  /// Sites share paths, and functions and files their names: a text stands where it comes first.
  mutating func write(text: String) {
    for entry in recent where entry.number >= 0 && entry.text == text {
      return write(unsigned: UInt64(entry.number))
    }
    let number = textNumbers[text] ?? textNumbers.count
    recent[nextRecent] = (text, number)
    nextRecent = (nextRecent + 1) % recent.count
    write(unsigned: UInt64(number))
    guard number == textNumbers.count else { return }
    textNumbers[text] = number
    write(unsigned: UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  /// The same for bytes.
  mutating func write(blob: [UInt8]) {
    if let number = blobNumbers[blob] { return write(unsigned: UInt64(number)) }
    write(unsigned: UInt64(blobNumbers.count))
    blobNumbers[blob] = blobNumbers.count
    write(unsigned: UInt64(blob.count))
    bytes += blob
  }
}
