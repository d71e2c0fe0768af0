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

  private struct Slot {
    var key: Key
    /// The number plus one; 0 is free.
    var number: UInt32
  }

  private var slots: ContiguousArray<Slot>
  private(set) var count = 0

  private static let seed = UInt64.random(in: .min ... .max) | 1
  private static let free = Slot(key: Key(first: 0), number: 0)

  /// `count` keys fit without growing.
  init(reserving count: Int = 0) {
    var slotCount = 1 << 8
    while slotCount / 2 <= count, slotCount < 1 << 24 { slotCount *= 2 }
    slots = ContiguousArray(repeating: Self.free, count: slotCount)
  }

  /// The number of `key`: that of the first time, or the next one, which is the count before.
  mutating func number(of key: Key) -> (number: Int, isNew: Bool) {
    if count * 2 >= slots.count { grow() }
    var index = Self.hash(key) & (slots.count - 1)
    while slots[index].number != 0 {
      if slots[index].key == key { return (Int(slots[index].number) - 1, false) }
      index = (index + 1) & (slots.count - 1)
    }
    slots[index] = Slot(key: key, number: UInt32(truncatingIfNeeded: count + 1))
    count += 1
    return (count - 1, true)
  }

  /// The number of `key`; nil when it has none.
  func knownNumber(of key: Key) -> Int? {
    var index = Self.hash(key) & (slots.count - 1)
    while slots[index].number != 0 {
      if slots[index].key == key { return Int(slots[index].number) - 1 }
      index = (index + 1) & (slots.count - 1)
    }
    return nil
  }

  private mutating func grow() {
    let old = slots
    slots = ContiguousArray(repeating: Self.free, count: old.count * 2)
    for slot in old where slot.number != 0 {
      var index = Self.hash(slot.key) & (slots.count - 1)
      while slots[index].number != 0 { index = (index + 1) & (slots.count - 1) }
      slots[index] = slot
    }
  }

  @inline(__always)
  private static func hash(_ key: Key) -> Int {
    var hash = (key.first ^ seed) &* 0x9e37_79b9_7f4a_7c15
    hash = (hash ^ hash >> 32 ^ key.second) &* 0xc2b2_ae3d_27d4_eb4f
    hash = (hash ^ hash >> 29 ^ key.third) &* 0x1656_67b1_9e37_79f9
    return Int(truncatingIfNeeded: hash >> 20)
  }
}
