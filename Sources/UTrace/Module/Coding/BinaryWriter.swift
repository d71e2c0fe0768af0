/// Appends values: integers as LEB128, counts before arrays, a number before each enum's values, each text once.
struct BinaryWriter {
  private(set) var bytes: [UInt8] = []
  private var texts: [String] = []
  private var textNumbers: [String: Int] = [:]
  /// Numbers of texts of late, most of which come again: comparing is faster than hashing.
  private var recent: [Int] = []
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
    if let number = recent.first(where: { isNumber($0, of: text) }) { return write(unsigned: UInt64(number)) }
    let known = textNumbers[text].flatMap { isNumber($0, of: text) ? $0 : nil }
    remember(known ?? texts.count)
    write(unsigned: UInt64(known ?? texts.count))
    guard known == nil else { return }
    textNumbers[text] = texts.count
    texts.append(text)
    write(unsigned: UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  /// Strings that are equal may differ in their bytes: `é` as one scalar or as two.
  private func isNumber(_ number: Int, of text: String) -> Bool {
    texts[number] == text && texts[number].utf8.elementsEqual(text.utf8)
  }

  private mutating func remember(_ number: Int) {
    if recent.count < 8 { return recent.append(number) }
    recent[nextRecent] = number
    nextRecent = (nextRecent + 1) % recent.count
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
