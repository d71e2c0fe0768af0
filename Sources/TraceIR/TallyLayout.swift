/// How a *tally* lies in its map: counts by one number, in a table of our own instead of the kernel's hash.
///
/// An element of the kernel's hash fills a cache line, and another line has its bucket: a hit waits for both. Here an
/// element is a slot of 16 bytes, four of which fill a line: the *mark* of its key, 0 while the slot is free, and the count.
/// A key's line follows from its mark. When that has no free slot, the key is in one of the next lines, the first one
/// following the last. A slot is taken by a compare-exchange of its mark and stays with its key until all elements are
/// deleted at once, so that a key is found before the first free slot, or is not there. (docs/decisions/0115-tallies.md)
///
/// With the scalars lie three words more: how many elements there are, and a slot for the one key that has the mark 0.
package struct TallyLayout: Hashable, Sendable {
  package static let slotsPerLine = 4
  package static let slotByteCount = 16
  package static let lineByteCount = slotsPerLine * slotByteCount
  /// Of a slot: the mark, 64 bits.
  package static let markOffset = 0
  /// Of a slot: the count, 64 bits.
  package static let countOffset = 8

  /// Of the words with the scalars: how many elements there are; one is counted before it takes a slot.
  package static let elementCountOffset = 0
  /// Of the words with the scalars: the slot of ``oddKey``, whose mark is 1 there.
  package static let oddSlotOffset = 8
  package static let wordsByteCount = 24

  /// What is added to a key to get its mark: 0 is too frequent a key to be treated apart.
  package static let markDistance: Int32 = 0x5eed_ca5e
  /// The key with the mark 0.
  package static let oddKey = -Int64(markDistance)
  /// 2⁶⁴ divided by the golden ratio.
  ///
  /// Multiplied once, keys that lie 64 apart would crowd in some lines.
  package static let multiplier: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// All slots come with the map, so larger arrays are left to the kernel's hash.
  private static let mostEntries = 1 << 20

  package let maximumEntries: Int
  package let lineCount: Int

  /// The tally that `global` is kept as; nil when it is none.
  package init?(_ global: Global) {
    guard global.isTally, global.kind == .array(keys: [.long], value: .long), !global.wraps,
      global.maximumEntries <= Self.mostEntries
    else { return nil }
    maximumEntries = max(1, global.maximumEntries)
    // A third is always free: most keys are in their own line.
    lineCount = (maximumEntries + maximumEntries / 2 + Self.slotsPerLine - 1) / Self.slotsPerLine
  }

  /// What stands in the slot of `key`; 0 for ``oddKey``.
  package static func mark(of key: Int64) -> UInt64 { UInt64(bitPattern: key &+ Int64(markDistance)) }

  /// The key with that mark.
  package static func key(of mark: UInt64) -> Int64 { Int64(bitPattern: mark) &- Int64(markDistance) }

  /// The line in which the search for a mark begins.
  package func line(of mark: UInt64) -> Int {
    let once = (mark ^ (mark >> 32)) &* Self.multiplier
    let twice = (once ^ (once >> 32)) &* Self.multiplier
    return Int(((twice >> 32) &* UInt64(lineCount)) >> 32)
  }
}
