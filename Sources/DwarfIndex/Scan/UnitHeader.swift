import Platform

/// Which section of which file a unit lies in.
struct UnitSection: Hashable, Sendable {
  var isAlternate = false
  /// `.debug_types` of DWARF 4.
  var isTypeSection = false
}

/// The header of one unit (DWARF 5, section 7.5.1); offsets are bytes in its section.
struct UnitHeader: Sendable {
  var section: UnitSection
  /// Of the header itself.
  var start: Int
  /// One past the unit's last byte; never past the section.
  var end: Int
  /// Of the unit DIE.
  var firstDIE: Int
  var version: UInt16
  var kind: UInt8
  var addressSize: Int
  /// 4 or 8: the width of section offsets.
  var offsetSize: Int
  var abbreviationsOffset: UInt64
  /// Type units: the DIE of the type, from `start`.
  var typeOffset: UInt64

  /// Reads the header at `offset` of `bytes`; nil where they end or stop making sense.
  /// - Parameter origin: where in the section `bytes` begin.
  init?(_ bytes: RawSpan, at offset: Int, in section: UnitSection, from origin: Int = 0) {
    var cursor = ByteCursor(bytes, at: offset)
    self.section = section
    start = origin + offset
    // 1. unit_length, with the escape to 64-bit DWARF (section 7.4)
    var length = UInt64(cursor.readUInt32())
    offsetSize = 4
    if length == 0xffff_ffff {
      length = cursor.readUInt64()
      offsetSize = 8
    }
    guard !cursor.hasFailed, length > 0, length <= UInt64(cursor.byteCount - cursor.offset) else {
      return nil
    }
    end = origin + cursor.offset + Int(length)
    // 2. version
    version = cursor.readUInt16()
    guard (2...5).contains(version) else { return nil }
    // 3. to 5. the order changed in DWARF 5
    if version >= 5 {
      kind = cursor.readUInt8()
      addressSize = Int(cursor.readUInt8())
      abbreviationsOffset = cursor.readUnsigned(byteCount: offsetSize)
    } else {
      abbreviationsOffset = cursor.readUnsigned(byteCount: offsetSize)
      addressSize = Int(cursor.readUInt8())
      kind = section.isTypeSection ? DwarfUnitKind.type : DwarfUnitKind.compile
    }
    guard addressSize == 8 || addressSize == 4 else { return nil }
    // 6. what only some kinds have
    typeOffset = 0
    switch kind {
    case DwarfUnitKind.type, DwarfUnitKind.splitType:
      cursor.skip(8)
      typeOffset = cursor.readUnsigned(byteCount: offsetSize)
    case DwarfUnitKind.skeleton, DwarfUnitKind.splitCompile: cursor.skip(8)
    default: break
    }
    firstDIE = origin + cursor.offset
    guard !cursor.hasFailed, firstDIE <= end else { return nil }
  }

  /// How many bytes the unit takes whose header is at `offset` of `bytes`; nil when not even that is there.
  static func byteCount(_ bytes: RawSpan, at offset: Int) -> Int? {
    var cursor = ByteCursor(bytes, at: offset)
    let length = cursor.readUInt32()
    let isLong = length == 0xffff_ffff
    let (count, overflow) = Int(clamping: isLong ? cursor.readUInt64() : UInt64(length))
      .addingReportingOverflow(isLong ? 12 : 4)
    return cursor.hasFailed ? nil : overflow ? Int.max : count
  }

  /// All units of a section, in order; a broken header ends the list.
  static func all(in bytes: RawSpan, section: UnitSection) -> [UnitHeader] {
    var units: [UnitHeader] = []
    var offset = 0
    while let unit = UnitHeader(bytes, at: offset, in: section) {
      units.append(unit)
      offset = unit.end
    }
    return units
  }

  /// A DIE of this unit.
  func reference(_ offset: Int) -> DIEReference {
    DIEReference(
      offset: UInt64(offset),
      isAlternate: section.isAlternate,
      isTypeSection: section.isTypeSection
    )
  }
}
