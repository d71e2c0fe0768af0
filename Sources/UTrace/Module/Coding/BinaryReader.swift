/// Reads what ``BinaryWriter`` wrote; the bytes are not trusted.
struct BinaryReader {
  private let bytes: [UInt8]
  private(set) var offset = 0
  private var texts: [String] = []
  private var blobs: [[UInt8]] = []
  private var depth = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The value in `bytes`, which must hold nothing else.
  static func read<Value: BinaryCoded>(_: Value.Type, from bytes: [UInt8]) throws(CodingFailure) -> Value {
    var reader = BinaryReader(bytes)
    let value = try Value(from: &reader)
    guard reader.offset == bytes.count else { throw reader.malformed }
    return value
  }

  /// The next value.
  mutating func value<Value: BinaryCoded>() throws(CodingFailure) -> Value { try Value(from: &self) }

  /// The next value, which may hold values of its own kind.
  mutating func nested<Value: BinaryCoded>() throws(CodingFailure) -> Value {
    // The stack of the smallest thread holds this many in a debug build.
    guard depth < 256 else { throw .tooDeep }
    depth += 1
    let value = try Value(from: &self)
    depth -= 1
    return value
  }

  /// What to throw for a value that does not exist.
  var malformed: CodingFailure { .malformed(offset: offset) }

  mutating func readTag() throws(CodingFailure) -> UInt8 {
    guard offset < bytes.count else { throw .truncated(offset: offset) }
    offset += 1
    return bytes[offset - 1]
  }

  mutating func readUnsigned() throws(CodingFailure) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let byte = try readTag()
      if shift == 63, byte > 1 { break }
      value |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw malformed
  }

  mutating func readSigned() throws(CodingFailure) -> Int64 {
    let value = try readUnsigned()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// A count of things that take at least a byte each.
  mutating func readCount() throws(CodingFailure) -> Int {
    let count = try readUnsigned()
    guard count <= UInt64(bytes.count - offset) else { throw .truncated(offset: offset) }
    return Int(count)
  }

  /// A text: the number of one that came before, or the next number and the text itself.
  mutating func readText() throws(CodingFailure) -> String {
    let index = try readUnsigned()
    if index < UInt64(texts.count) { return texts[Int(index)] }
    guard index == UInt64(texts.count) else { throw malformed }
    let text = String(decoding: try readSlice(), as: UTF8.self)
    texts.append(text)
    return text
  }

  /// Bytes, numbered like texts.
  mutating func readBlob() throws(CodingFailure) -> [UInt8] {
    let index = try readUnsigned()
    if index < UInt64(blobs.count) { return blobs[Int(index)] }
    guard index == UInt64(blobs.count) else { throw malformed }
    let blob = Array(try readSlice())
    blobs.append(blob)
    return blob
  }

  private mutating func readSlice() throws(CodingFailure) -> ArraySlice<UInt8> {
    let count = try readCount()
    offset += count
    return bytes[offset - count..<offset]
  }
}
