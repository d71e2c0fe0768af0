/// Numbers keys of three words, for loops that meet the same few thousand keys millions of times.
///
/// Open addressing with a seed of this process's own, so that no file can be made that fills one place.
struct KeyTable {
  /// A key.
  struct Key: Equatable {
    var first: UInt64
    var second: UInt64 = 0
    var third: UInt64 = 0
  }

  /// The hash of a key above its number plus one; 0 is free.
  ///
  /// Small, so that the processor's caches hold them.
  private var slots: ContiguousArray<UInt64>
  /// By their numbers.
  private var keys = ContiguousArray<Key>()
  var count: Int { keys.count }

  private static let seed = UInt64.random(in: .min ... .max) | 1

  /// `count` keys fit without growing.
  init(reserving count: Int = 0) {
    var slotCount = 1 << 8
    while slotCount / 2 <= count, slotCount < 1 << 24 { slotCount *= 2 }
    slots = ContiguousArray(repeating: 0, count: slotCount)
    keys.reserveCapacity(min(count, slotCount))
  }

  /// The number of `key`: that of the first time, or the next one, which is the count before.
  mutating func number(of key: Key) -> (number: Int, isNew: Bool) {
    if count * 2 >= slots.count { grow() }
    let hash = Self.hash(key)
    let (index, number) = find(key, hash)
    if let number { return (number, false) }
    slots[index] = hash << 32 | UInt64(truncatingIfNeeded: count + 1)
    keys.append(key)
    return (count - 1, true)
  }

  /// The number of `key`; nil when it has none.
  func knownNumber(of key: Key) -> Int? { find(key, Self.hash(key)).number }

  /// Where `key` is, or where it goes.
  @inline(__always)
  private func find(_ key: Key, _ hash: UInt64) -> (index: Int, number: Int?) {
    var index = place(hash)
    while slots[index] != 0 {
      let number = Int(slots[index] & 0xffff_ffff) - 1
      if slots[index] >> 32 == hash, keys[number] == key { return (index, number) }
      index = (index + 1) & (slots.count - 1)
    }
    return (index, nil)
  }

  @inline(__always)
  private func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (slots.count - 1) }

  private mutating func grow() {
    let old = slots
    slots = ContiguousArray(repeating: 0, count: old.count * 2)
    for slot in old where slot != 0 {
      var index = place(slot >> 32)
      while slots[index] != 0 { index = (index + 1) & (slots.count - 1) }
      slots[index] = slot
    }
  }

  /// 32 bits.
  @inline(__always)
  private static func hash(_ key: Key) -> UInt64 {
    var hash = (key.first ^ seed) &* 0x9e37_79b9_7f4a_7c15
    hash = (hash ^ hash >> 32 ^ key.second) &* 0xc2b2_ae3d_27d4_eb4f
    hash = (hash ^ hash >> 29 ^ key.third) &* 0x1656_67b1_9e37_79f9
    return hash >> 32
  }
}
