/// Names one DIE of an image for as long as its build ID stays the same.
///
/// The low 56 bits are the offset in the section; the top two say which section. The value is what
/// ``FunctionMatch/die`` and type references carry.
struct DIEReference: Hashable, Comparable, Sendable {
  let raw: UInt64

  init(raw: UInt64) { self.raw = raw }

  /// A DIE at `offset` of `.debug_info` or, for DWARF 4 type units, of `.debug_types`.
  init(offset: UInt64, isAlternate: Bool = false, isTypeSection: Bool = false) {
    raw =
      offset & Self.offsetMask | (isAlternate ? Self.alternateBit : 0)
      | (isTypeSection ? Self.typeSectionBit : 0)
  }

  var offset: UInt64 { raw & Self.offsetMask }
  /// In the file that dwz made (`.gnu_debugaltlink`).
  var isAlternate: Bool { raw & Self.alternateBit != 0 }
  /// In `.debug_types`.
  var isTypeSection: Bool { raw & Self.typeSectionBit != 0 }

  static func < (left: DIEReference, right: DIEReference) -> Bool { left.raw < right.raw }

  static let alternateBit: UInt64 = 1 << 63
  static let typeSectionBit: UInt64 = 1 << 62
  private static let offsetMask: UInt64 = (1 << 56) - 1
}
