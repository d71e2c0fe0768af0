import Platform

/// Decodes one range list: `.debug_ranges` (DWARF 4, section 2.17.3) or `.debug_rnglists` (DWARF 5, section
/// 7.25).
///
/// Empty ranges are left out.
struct RangeReader: ~Copyable {
  private let unit: UnitContext
  private let files: DwarfSections
  private var base: UInt64
  private var position: Int?

  /// Starts at the list that DW_AT_ranges of `fields` names.
  init(_ unit: UnitContext, _ fields: DIEFields, _ files: DwarfSections) {
    self.unit = unit
    self.files = files
    base = unit.lowPC
    guard let value = fields[DIESlot.ranges] else { return }
    if fields.form(DIESlot.ranges) == DwarfForm.rangeListIndex {
      position = Self.listOffset(index: value, unit, files)
    } else {
      position = Int(exactly: value)
    }
  }

  /// The table of offsets follows the header that DW_AT_rnglists_base points behind.
  private static func listOffset(index: UInt64, _ unit: UnitContext, _ files: DwarfSections) -> Int? {
    let width = unit.header.offsetSize
    guard let index = Int(exactly: index), index < 1 << 32 else { return nil }
    let (place, overflow) = unit.rangeListsBase.addingReportingOverflow(index * width)
    guard !overflow else { return nil }
    let bytes = files.bytes(.rangeLists, isAlternate: unit.header.section.isAlternate)
    var cursor = ByteCursor(bytes, at: place)
    let offset = cursor.readUnsigned(byteCount: width)
    guard !cursor.hasFailed, offset < UInt64(bytes.byteCount) else { return nil }
    return unit.rangeListsBase + Int(offset)
  }

  /// The next range; nil at the end of the list or where it breaks.
  mutating func next() -> (low: UInt64, high: UInt64)? {
    guard let start = position else { return nil }
    let isAlternate = unit.header.section.isAlternate
    let isNew = unit.header.version >= 5
    let files = self.files
    var cursor = ByteCursor(files.bytes(isNew ? .rangeLists : .ranges, isAlternate: isAlternate), at: start)
    while !cursor.hasFailed {
      guard let range = isNew ? readEntry(&cursor) : readPair(&cursor) else { break }
      guard range.low < range.high else { continue }
      position = cursor.offset
      return range
    }
    position = nil
    return nil
  }

  /// One entry of DWARF 2 to 4; an empty answer for a base selection.
  private mutating func readPair(_ cursor: inout ByteCursor) -> (low: UInt64, high: UInt64)? {
    let width = unit.header.addressSize
    let low = cursor.readUnsigned(byteCount: width)
    let high = cursor.readUnsigned(byteCount: width)
    guard !cursor.hasFailed, low != 0 || high != 0 else { return nil }
    if low == (width == 8 ? UInt64.max : 0xffff_ffff) {
      base = high
      return (0, 0)
    }
    return (base &+ low, base &+ high)
  }

  /// One DW_RLE_* entry; an empty answer for one that only sets the base.
  private mutating func readEntry(_ cursor: inout ByteCursor) -> (low: UInt64, high: UInt64)? {
    let width = unit.header.addressSize
    switch cursor.readUInt8() {
    case 0x01:  // base_addressx
      base = unit.indexedAddress(cursor.readULEB128(), files) ?? 0
      return (0, 0)
    case 0x02:  // startx_endx
      let low = unit.indexedAddress(cursor.readULEB128(), files) ?? 0
      return (low, unit.indexedAddress(cursor.readULEB128(), files) ?? 0)
    case 0x03:  // startx_length
      let low = unit.indexedAddress(cursor.readULEB128(), files) ?? 0
      return (low, low &+ cursor.readULEB128())
    case 0x04:  // offset_pair
      let low = base &+ cursor.readULEB128()
      return (low, base &+ cursor.readULEB128())
    case 0x05:  // base_address
      base = cursor.readUnsigned(byteCount: width)
      return (0, 0)
    case 0x06:  // start_end
      let low = cursor.readUnsigned(byteCount: width)
      return (low, cursor.readUnsigned(byteCount: width))
    case 0x07:  // start_length
      let low = cursor.readUnsigned(byteCount: width)
      return (low, low &+ cursor.readULEB128())
    default: return nil  // end_of_list, or broken
    }
  }
}
