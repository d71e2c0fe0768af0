import Platform
import TargetModel

/// Which values of a discriminant stand for an alternative of a variant part (DWARF 5, section 5.7.10).
struct DiscriminantValues {
  private let byteCount: Int
  private let isSigned: Bool

  /// DW_DSC_label, DW_DSC_range (DWARF 5, section 7.23).
  private static let label: UInt8 = 0
  private static let range: UInt8 = 1
  /// More than any alternative of a Rust enum has; each is compared with.
  private static let mostKeys = 1024

  init(byteCount: Int, isSigned: Bool) {
    self.byteCount = byteCount
    self.isSigned = isSigned
  }

  /// - Parameter type: of the discriminant.
  init(_ type: DIE?, _ types: TypeReader) {
    byteCount = type.flatMap(types.byteCount) ?? 8
    if case .integer(let integer)? = type.map(types.baseLayout) {
      isSigned = integer.isSigned
    } else {
      isSigned = false
    }
  }

  /// The values of one alternative, extended with zeros; empty: all that no other one has.
  func keys(of variant: DIE) -> [Int64] {
    // A value may be written with its sign.
    if let value = variant.constant(DwarfAttribute.discriminantValue) { return [key(value)] }
    return variant.block(DwarfAttribute.discriminantList).map(keys) ?? []
  }

  /// The values of a DW_AT_discr_list: single ones and ranges; as far as it makes sense.
  func keys(_ list: [UInt8]) -> [Int64] {
    var cursor = ByteCursor(list.rawSpan)
    var keys: [Int64] = []
    while !cursor.isAtEnd, keys.count < Self.mostKeys {
      let kind = cursor.readUInt8()
      let low = number(&cursor)
      let high = kind == Self.range ? number(&cursor) : low
      guard !cursor.hasFailed, kind == Self.label || kind == Self.range, isOrdered(low, high) else { break }
      // The distance is right for numbers with and without a sign.
      let count = min(UInt64(bitPattern: high &- low), UInt64(Self.mostKeys - keys.count - 1))
      for step in 0...count { keys.append(key(low &+ Int64(bitPattern: step))) }
    }
    return keys
  }

  private func number(_ cursor: inout ByteCursor) -> Int64 {
    isSigned ? cursor.readSLEB128() : Int64(bitPattern: cursor.readULEB128())
  }

  private func isOrdered(_ low: Int64, _ high: Int64) -> Bool {
    isSigned ? low <= high : UInt64(bitPattern: low) <= UInt64(bitPattern: high)
  }

  private func key(_ value: Int64) -> Int64 {
    UInt64(bitPattern: value).extended(bitCount: byteCount * 8, isSigned: false)
  }
}
