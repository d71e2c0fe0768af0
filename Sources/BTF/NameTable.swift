/// Type numbers by a hash of their names: a chained hash table in two arrays.
///
/// A `Dictionary` keyed by strings took twenty times as long to fill.
struct NameTable: Sendable {
  private let heads: [UInt32]
  private let next: [UInt32]

  init(words: [UInt32], starts: [UInt32], strings: [UInt8]) {
    var size = 16
    while size < starts.count { size *= 2 }
    var heads = [UInt32](repeating: 0, count: size)
    var next = [UInt32](repeating: 0, count: starts.count)
    for number in starts.indices.dropFirst() {
      let offset = Int(words[Int(starts[number])])
      guard offset > 0, offset < strings.count else { continue }
      var hash = seed
      var place = offset
      // The last string byte is 0: the loop ends inside.
      while strings[place] != 0 {
        hash = step(hash, strings[place])
        place += 1
      }
      let bucket = Int(finish(hash)) & (size - 1)
      next[number] = heads[bucket]
      heads[bucket] = UInt32(number)
    }
    self.heads = heads
    self.next = next
  }

  /// Numbers of types whose name may be `name`.
  func candidates(for name: [UInt8]) -> [UInt32] {
    let hash = finish(name.reduce(seed, step))
    var found: [UInt32] = []
    var number = heads[Int(hash) & (heads.count - 1)]
    while number != 0 {
      found.append(number)
      number = next[Int(number)]
    }
    return found
  }
}

private let seed: UInt32 = 0x811c_9dc5

/// FNV-1a.
private func step(_ hash: UInt32, _ byte: UInt8) -> UInt32 { (hash ^ UInt32(byte)) &* 0x0100_0193 }

private func finish(_ hash: UInt32) -> UInt32 { hash ^ (hash >> 15) }
