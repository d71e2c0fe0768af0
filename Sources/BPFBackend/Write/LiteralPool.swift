import Platform
import TargetModel

/// The string literals of a module, laid out as string fields in one read-only value.
struct LiteralPool {
  /// What is kept, each once.
  private enum Entry: Hashable {
    case text([UInt8])
    /// The contents go with the name.
    case table(String)
  }

  private(set) var contents: [UInt8] = []
  private var offsets: [Entry: Int32] = [:]
  /// Entries and where each begins, ascending.
  private var entries: [(entry: Entry, start: Int32)] = []
  let capacity: Int

  /// For literals of at most `capacity` bytes; longer ones are cut.
  init(capacity: Int) { self.capacity = capacity }

  func bytes(_ text: String) -> [UInt8] { Array(ScriptBytes.bytes(of: text).prefix(capacity)) }

  /// Where the field of `bytes` begins.
  mutating func offset(of bytes: [UInt8]) -> Int32 {
    offset(of: .text(bytes)) { $0.append(field: bytes) }
  }

  /// Where the table of that name begins, which is put there by whoever asks first.
  mutating func offset(ofTable name: String, contents table: [UInt8]) -> Int32 {
    offset(of: .table(name)) { $0 += table }
  }

  private mutating func offset(of entry: Entry, _ append: (inout [UInt8]) -> Void) -> Int32 {
    if let known = offsets[entry] { return known }
    let offset = Int32(contents.count)
    append(&contents)
    offsets[entry] = offset
    entries.append((entry, offset))
    return offset
  }

  /// Takes over what another pool has, in its order; gives where a byte of the other one is here.
  mutating func take(_ other: LiteralPool) -> (Int32) -> Int32 {
    let ends = other.entries.dropFirst().map(\.start) + [Int32(other.contents.count)]
    let moves = zip(other.entries, ends).map { place, end in
      let start = offset(of: place.entry) { $0 += other.contents[Int(place.start)..<Int(end)] }
      return (from: place.start, by: start - place.start)
    }
    return { offset in
      let begun = moves.countAtStart { $0.from <= offset }
      return offset + (begun > 0 ? moves[begun - 1].by : 0)
    }
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
