import Platform

/// What is needed to unpack single units of a packed `.debug_info`, without what lies before them.
struct UnitAccess: Sendable, Equatable {
  /// All of the section.
  var stretches: [PackedStretch]
  /// All of its units.
  var fronts: [UnitFront]

  /// How far apart stretches begin: a unit of 240 KB is in one or two of them, and their windows take 1.6 % of the
  /// section's size in the index.
  static let spacing = 2 << 20
}

/// The first bytes of a unit, with all of its header: libdw walks over headers to find a unit.
struct UnitFront: Sendable, Equatable {
  /// Of the unit's first byte, in the section.
  var offset: UInt64
  /// ``byteCount`` bytes, zeros behind a shorter unit.
  var bytes: [UInt8]

  /// The longest header (DWARF 5, section 7.5.1) is that of a type unit in 64-bit DWARF.
  static let byteCount = 40

  init(offset: UInt64, bytes: [UInt8]) {
    self.offset = offset
    self.bytes = bytes
  }

  /// The front of the unit at `start` of `span`, which begins at `origin` of the section.
  init(_ span: RawSpan, at start: Int, origin: Int, _ unitByteCount: Int) {
    offset = UInt64(origin + start)
    let count = min(Self.byteCount, unitByteCount, span.byteCount - start)
    bytes = span.extracting(start..<start + count).copied()
    bytes += [UInt8](repeating: 0, count: Self.byteCount - count)
  }
}
