import Platform

/// Collects strings, each once; a string's number is its offset.
struct StringPool {
  /// NUL-terminated, the empty one first.
  private(set) var bytes: [UInt8] = [0]
  /// A string's hash above its offset; open addressing, 0 is free, as the empty string never gets here.
  ///
  /// Strings lie all over memory: one whose hash is another is not looked at.
  private var slots: ContiguousArray<UInt64>
  private var count = 0

  init() { slots = ContiguousArray(repeating: 0, count: 1 << 12) }

  /// The offset of `string`, added when it is new; 0 when it is empty or nothing more fits.
  mutating func insert(_ string: RawSpan) -> UInt32 {
    guard string.byteCount > 0, bytes.count < 1 << 31, string.byteCount < 1 << 20 else { return 0 }
    if count * 2 >= slots.count { grow() }
    let hash = string.hashedString(at: 0, terminator: 0).hash
    var slot = Int(spread(hash)) & (slots.count - 1)
    while slots[slot] != 0 {
      let offset = UInt32(truncatingIfNeeded: slots[slot])
      if slots[slot] >> 32 == UInt64(hash), holds(string, at: Int(offset)) { return offset }
      slot = (slot + 1) & (slots.count - 1)
    }
    let offset = UInt32(truncatingIfNeeded: bytes.count)
    bytes.append(copying: string)
    bytes.append(0)
    slots[slot] = UInt64(hash) << 32 | UInt64(offset)
    count += 1
    return offset
  }

  /// The offset of `string`, added when it is new.
  mutating func insert(_ string: String) -> UInt32 {
    string.withRawSpan { insert($0) }
  }

  /// The string at `offset`.
  func string(at offset: UInt32) -> String { bytes.rawSpan.string(at: Int(offset)) ?? "" }

  /// The bytes of the string at `offset`.
  @_lifetime(borrow self)
  func bytes(at offset: UInt32) -> RawSpan {
    guard let string = bytes.rawSpan.stringBytes(at: Int(offset)) else { return RawSpan() }
    return string
  }

  /// The first eight bytes of the string, as a number that orders like they do.
  func prefix(at offset: UInt32) -> UInt64 {
    guard let string = bytes.rawSpan.stringBytes(at: Int(offset)) else { return 0 }
    if let word = string.load(at: 0, as: UInt64.self) { return word.bigEndian }
    var prefix: UInt64 = 0
    for index in 0..<8 { prefix = prefix << 8 | UInt64(string.byte(at: index) ?? 0) }
    return prefix
  }

  /// Whether the string at `left` comes before that at `right`, byte by byte.
  func precedes(_ left: UInt32, _ right: UInt32) -> Bool {
    guard let first = bytes.rawSpan.stringBytes(at: Int(left)),
      let second = bytes.rawSpan.stringBytes(at: Int(right))
    else { return left < right }
    return first.order(against: second) < 0
  }

  private func holds(_ string: RawSpan, at offset: Int) -> Bool {
    guard let known = bytes.rawSpan.stringBytes(at: offset) else { return false }
    return known.equals(string)
  }

  /// FNV leaves the low bits of similar names alike.
  private func spread(_ hash: UInt32) -> UInt32 { (hash ^ hash >> 15) &* 0x2c1b_3c6d }

  private mutating func grow() {
    let old = slots
    slots = ContiguousArray(repeating: 0, count: old.count * 2)
    for entry in old where entry != 0 {
      var slot = Int(spread(UInt32(truncatingIfNeeded: entry >> 32))) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = entry
    }
  }
}
