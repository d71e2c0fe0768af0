import TargetModel

/// The string literals of a module, laid out as string fields in one read-only value.
struct LiteralPool {
  private(set) var contents: [UInt8] = []
  private var offsets: [[UInt8]: Int32] = [:]
  private var tables: [String: Int32] = [:]
  let capacity: Int

  /// For literals of at most `capacity` bytes; longer ones are cut.
  init(capacity: Int) { self.capacity = capacity }

  func bytes(_ text: String) -> [UInt8] { Array(ScriptBytes.bytes(of: text).prefix(capacity)) }

  /// Where the field of `bytes` begins.
  mutating func offset(of bytes: [UInt8]) -> Int32 {
    if let known = offsets[bytes] { return known }
    let offset = Int32(contents.count)
    contents.append(field: bytes)
    offsets[bytes] = offset
    return offset
  }

  /// Where the table of that name begins, which is put there by whoever asks first.
  mutating func offset(ofTable name: String, contents table: [UInt8]) -> Int32 {
    if let known = tables[name] { return known }
    let offset = Int32(contents.count)
    contents += table
    tables[name] = offset
    return offset
  }
}

extension [UInt8] {
  /// Appends a 32-bit count, the bytes, and zeros to a multiple of 8.
  mutating func append(field bytes: [UInt8]) {
    for shift in [0, 8, 16, 24] { append(UInt8(truncatingIfNeeded: bytes.count >> shift)) }
    self += bytes
    while count % 8 != 0 { append(0) }
  }
}
