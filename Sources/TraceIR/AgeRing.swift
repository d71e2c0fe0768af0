/// In which order the elements of an array that wraps came: a ring of entries in an array map.
///
/// An entry is an element's birth (``ElementLayout``) and its key; an element that was deleted leaves its entry behind,
/// which shows by the birth. Positions in the ring grow for ever, and are kept with the scalars
/// (``ScalarLayout/agePositionOffsets``). Whoever changes the ring holds the array's lock.
package struct AgeRing: Hashable, Sendable {
  /// Of the positions, 64 bits each: the one after the newest entry.
  package static let headOffset = 0
  /// Of the positions: that of the oldest entry.
  package static let tailOffset = 8
  /// Of the positions, while the ring is cleared: that of the oldest entry that is kept so far.
  package static let keptOffset = 16
  /// Of the positions, while the ring is cleared: that of the entry that was looked at last.
  package static let seenOffset = 24
  package static let positionsByteCount = 32

  /// Of an entry: when the element came, 64 bits.
  package static let birthOffset = 0
  /// Of an entry: the key.
  package static let keyOffset = 8

  package let entryByteCount: Int
  /// How many entries there is room for: twice as many as elements, so that clearing the ring always frees half of it.
  package let entryCount: Int

  /// The ring of `global`; nil when it does not wrap.
  package init?(_ global: Global, _ limits: Limits) {
    guard global.wraps else { return nil }
    entryByteCount = Self.keyOffset + KeyLayout(global, limits).fields.byteCount
    entryCount = 2 * max(1, min(global.maximumEntries, Int(Int32.max) / 4))
  }
}
