import Platform

/// Adapts the section offsets in the DIEs of a split DWARF 4 unit (gcc's wiki, “DebugFission”): its location
/// lists have a form of their own, its ranges count from a base in the skeleton.
struct OldLocations {
  private let locations: SharedBytes
  private let addresses: [UInt8]
  private let addressBase: UInt64
  private let rangesBase: UInt64
  /// Lists already converted: old offset to new.
  private var known: [UInt64: UInt32] = [:]
  /// `.debug_loc` of the merged file.
  private(set) var section: [UInt8]

  /// - Parameter section: what is there already; lists are appended.
  init(_ unit: SplitUnit, _ skeleton: Skeleton, addresses: [UInt8], appendingTo section: [UInt8]) {
    locations = unit.sections.locations
    self.addresses = addresses
    addressBase = skeleton.addressBase
    rangesBase = skeleton.rangesBase
    self.section = section
  }

  /// DW_AT_location and its kin, whose section offsets are those of location lists.
  private static let locationAttributes: Set<UInt16> = [
    DwarfAttribute.location, 0x19, 0x2a, DwarfAttribute.dataMemberLocation, DwarfAttribute.frameBase, 0x46,
    0x48,
    0x4a, 0x4d,
  ]

  /// Changes every such offset in the unit's bytes, where DIEs begin at `start`.
  mutating func adapt(
    _ bytes: inout [UInt8],
    _ header: UnitHeader,
    _ table: RawAbbreviations,
    from start: Int
  ) {
    let copy = SharedBytes(bytes)
    var cursor = ByteCursor(copy.span, at: start)
    let key = AbbreviationTable.Key(header)
    while !cursor.isAtEnd && !cursor.hasFailed {
      let code = cursor.readULEB128()
      guard code != 0 else { continue }
      guard let entry = table.entries[code] else { return }
      for attribute in entry.attributes {
        let place = cursor.offset
        cursor.skip(form: attribute.form, key)
        guard attribute.form == DwarfForm.sectionOffset, header.offsetSize == 4, cursor.offset == place + 4
        else {
          continue
        }
        var reader = ByteCursor(copy.span, at: place)
        let old = UInt64(reader.readUInt32())
        var new = UInt32(truncatingIfNeeded: old)
        if attribute.name == DwarfAttribute.ranges { new = UInt32(truncatingIfNeeded: old &+ rangesBase) }
        if Self.locationAttributes.contains(attribute.name) { new = converted(old) }
        for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: new >> UInt32(8 * index)) }
      }
    }
  }

  private func address(_ index: UInt64) -> UInt64 {
    let place = index.multipliedReportingOverflow(by: 8)
    let (offset, overflow) = place.partialValue.addingReportingOverflow(addressBase)
    guard !place.overflow, !overflow, offset < UInt64(addresses.count), Int(offset) + 8 <= addresses.count
    else {
      return 0
    }
    return addresses[Int(offset)..<Int(offset) + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  }

  /// The list at `old` as `.debug_loc` has it (DWARF 4, section 2.6.2); its new offset.
  private mutating func converted(_ old: UInt64) -> UInt32 {
    if let new = known[old] { return new }
    let new = UInt32(truncatingIfNeeded: section.count)
    known[old] = new
    var writer = ByteWriter()
    // Addresses below are absolute, whatever the unit's base.
    writer.write(UInt64.max)
    writer.write(UInt64(0))
    var base: UInt64 = 0
    var cursor = ByteCursor(locations.span, at: Int(clamping: old))
    while !cursor.hasFailed, writer.count < 1 << 24 {
      let low: UInt64
      let high: UInt64
      switch cursor.readUInt8() {
      case 1:  // base address selection
        base = address(cursor.readULEB128())
        continue
      case 2:  // both ends by index
        low = address(cursor.readULEB128())
        high = address(cursor.readULEB128())
      case 3:  // the first by index, and a length
        low = address(cursor.readULEB128())
        high = low &+ UInt64(cursor.readUInt32())
      case 4:  // offsets from the base
        low = base &+ UInt64(cursor.readUInt32())
        high = base &+ UInt64(cursor.readUInt32())
      default:
        writer.write(UInt64(0))
        writer.write(UInt64(0))
        section += writer.bytes
        return new
      }
      let byteCount = Int(cursor.readUInt16())
      let start = cursor.offset
      cursor.skip(byteCount)
      guard !cursor.hasFailed else { break }
      writer.write(low)
      writer.write(high)
      writer.write(UInt16(byteCount))
      writer.write(locations.span.extracting(start..<start + byteCount).copied())
    }
    writer.write(UInt64(0))
    writer.write(UInt64(0))
    section += writer.bytes
    return new
  }
}
