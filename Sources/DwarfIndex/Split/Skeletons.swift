import ELF
import Platform

/// What a program keeps of a unit whose DIEs are elsewhere (DWARF 5, section 3.1.2; in DWARF 4 an extension).
struct Skeleton {
  /// Tells which split unit belongs to it.
  var number: UInt64
  /// DW_AT_dwo_name.
  var fileName: String
  var directory: String
  var addressBase: UInt64
  /// DW_AT_GNU_ranges_base; DWARF 5 has none.
  var rangesBase: UInt64
  /// DW_AT_stmt_list.
  var lineProgram: UInt64?
  var lowPC: UInt64

  /// DW_AT_GNU_dwo_id.
  static let gnuNumber: UInt16 = 0x2131

  /// The skeletons among the units of `files`.
  static func all(in files: DwarfSections) -> [Skeleton] {
    let info = files.bytes(.info, isAlternate: false)
    let units = UnitHeader.all(in: info, section: UnitSection())
    return units.compactMap { Skeleton($0, files) }
  }

  private init?(_ header: UnitHeader, _ files: DwarfSections) {
    let isNew = header.version >= 5
    guard !isNew || header.kind == DwarfUnitKind.skeleton else { return nil }
    let info = files.bytes(.info, isAlternate: false)
    let table = AbbreviationTable(
      files.bytes(.abbreviations, isAlternate: false),
      for: header,
      purpose: .names
    )
    var walker = DIEWalker(info, header, table)
    guard walker.next(), walker.abbreviation.action == .unit else { return nil }
    let fields = walker.fields
    let unit = UnitContext(header, fields, tag: walker.abbreviation.tag, files)
    fileName = files.string(unit.splitName)
    guard !fileName.isEmpty else { return nil }
    directory = files.string(unit.compilationDirectory)
    addressBase = UInt64(clamping: unit.addressBase)
    rangesBase = isNew ? 0 : fields[DIESlot.rangeListsBase] ?? 0
    lineProgram = fields[DIESlot.statementList]
    lowPC = unit.lowPC
    if isNew {
      var cursor = ByteCursor(info, at: header.firstDIE - 8)
      number = cursor.readUInt64()
    } else {
      guard let found = RootEntry(header, info, files.bytes(.abbreviations, isAlternate: false))?.splitNumber
      else {
        return nil
      }
      number = found
    }
  }
}

/// The unit DIE of a unit, attribute by attribute.
struct RootEntry {
  /// One attribute and its bytes in the section.
  struct Value {
    var attribute: RawAbbreviations.Attribute
    var bytes: Range<Int>
  }

  let code: UInt64
  let entry: RawAbbreviations.Entry
  let table: RawAbbreviations
  private(set) var values: [Value] = []
  /// One past its last byte.
  let end: Int
  /// DW_AT_GNU_dwo_id.
  private(set) var splitNumber: UInt64?

  /// Reads the DIE at the unit's beginning; nil when it cannot be read.
  init?(_ header: UnitHeader, _ info: RawSpan, _ abbreviations: RawSpan) {
    guard let offset = Int(exactly: header.abbreviationsOffset) else { return nil }
    table = RawAbbreviations(abbreviations, at: offset)
    var cursor = ByteCursor(info, at: header.firstDIE)
    code = cursor.readULEB128()
    guard let entry = table.entries[code] else { return nil }
    self.entry = entry
    let key = AbbreviationTable.Key(header)
    for attribute in entry.attributes {
      let start = cursor.offset
      cursor.skip(form: attribute.form, key)
      guard !cursor.hasFailed, cursor.offset <= header.end else { return nil }
      values.append(Value(attribute: attribute, bytes: start..<cursor.offset))
    }
    end = cursor.offset
    if let value = values.first(where: { $0.attribute.name == Skeleton.gnuNumber && $0.bytes.count == 8 }) {
      var cursor = ByteCursor(info, at: value.bytes.lowerBound)
      splitNumber = cursor.readUInt64()
    }
  }
}
