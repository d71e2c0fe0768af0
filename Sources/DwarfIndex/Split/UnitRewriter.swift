import Platform

/// Turns a split unit into an ordinary one without moving any of its DIEs: they refer to each other by their
/// distance from the unit's header.
///
/// What its numbers count from goes into the abbreviation of its unit DIE, where it takes no room; the line
/// program and the lowest address take the place of the unit's number.
///
///     split_compile 1234  DW_TAG_compile_unit name …   ⇒   compile  DW_TAG_compile_unit name … stmt_list
struct UnitRewriter {
  /// Where the parts of the merged file are that the unit counts in.
  struct Bases {
    var stringOffsets: UInt64
    /// Nil for a type unit.
    var addresses: UInt64?
    var rangeLists: UInt64
    var locationLists: UInt64
    var lineProgram: UInt64?
    /// The index of the unit's lowest address; nil where it is 0.
    var lowPC: UInt64?
  }

  private let header: UnitHeader
  private let root: RootEntry
  private let bytes: [UInt8]

  /// Nil when the unit cannot be read.
  init?(_ unit: SplitUnit) {
    let section = UnitSection(isTypeSection: unit.isTypeSection)
    guard let header = UnitHeader(unit.info.span, at: 0, in: section),
      let root = RootEntry(header, unit.info.span, unit.sections.abbreviations.span)
    else { return nil }
    let isSplit = header.kind == DwarfUnitKind.splitCompile || header.kind == DwarfUnitKind.splitType
    guard isSplit || header.version < 5 else { return nil }
    self.header = header
    self.root = root
    bytes = unit.info.span.extracting(first: header.end).copied()
  }

  var isNew: Bool { header.version >= 5 }
  var isType: Bool { header.kind == DwarfUnitKind.splitType || header.section.isTypeSection }
  var offsetSize: Int { header.offsetSize }
  var unit: UnitHeader { header }

  /// The number that its skeleton has too, or the signature of its type.
  var number: UInt64? {
    if !isNew && !isType { return root.splitNumber }
    let place =
      isNew ? header.firstDIE - (isType ? 8 + header.offsetSize : 8) : header.firstDIE - 8 - header.offsetSize
    guard place >= 0, place + 8 <= bytes.count else { return nil }
    return bytes[place..<place + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  }

  /// The unit and its abbreviations, which will lie at `abbreviationsOffset`.
  func rewritten(_ bases: Bases, abbreviationsOffset: UInt64) -> (unit: [UInt8], abbreviations: [UInt8])? {
    var entry = RawAbbreviations.Entry(
      tag: root.entry.tag,
      hasChildren: root.entry.hasChildren,
      attributes: []
    )
    var body = ByteWriter()
    body.writeULEB128(root.code)
    let dropped: Set<UInt16> = [
      DwarfAttribute.statementList, Skeleton.gnuNumber, DwarfAttribute.stringOffsetsBase,
      DwarfAttribute.addressBase, DwarfAttribute.rangeListsBase, DwarfAttribute.locationListsBase,
    ]
    for value in root.values where !dropped.contains(value.attribute.name) {
      entry.attributes.append(value.attribute)
      body.write(Array(bytes[value.bytes]))
    }
    let isShorter = isNew && !isType
    // The number of a split_compile header is missing in that of a compile unit.
    let start = isShorter ? header.firstDIE - 8 : header.firstDIE
    addLineProgram(bases, room: root.end - start, &entry, &body)
    guard body.count <= root.end - start, pad(to: root.end - start, &entry, &body) else { return nil }
    entry.attributes += constants(bases)
    var unit = rewrittenHeader(abbreviationsOffset, upTo: start)
    unit += body.bytes
    unit += bytes[root.end...]
    return (unit, root.table.encoded(replacing: root.code, by: entry))
  }

  private func addLineProgram(
    _ bases: Bases,
    room: Int,
    _ entry: inout RawAbbreviations.Entry,
    _ body: inout ByteWriter
  ) {
    typealias Attribute = RawAbbreviations.Attribute
    if let lineProgram = bases.lineProgram, body.count + header.offsetSize <= room {
      entry.attributes.append(Attribute(name: DwarfAttribute.statementList, form: DwarfForm.sectionOffset))
      if header.offsetSize == 8 {
        body.write(lineProgram)
      } else {
        body.write(UInt32(truncatingIfNeeded: lineProgram))
      }
    }
    guard let lowPC = bases.lowPC, lowPC < 1 << 28, body.count + 4 <= room else { return }
    entry.attributes.append(
      Attribute(
        name: DwarfAttribute.lowPC,
        form: isNew ? DwarfForm.addressIndex4 : DwarfForm.gnuAddressIndex
      )
    )
    if isNew {
      body.write(UInt32(truncatingIfNeeded: lowPC))
    } else {
      // A ULEB128 that is longer than it need be.
      for shift in stride(from: UInt64(0), to: 28, by: 7) {
        body.write(UInt8(truncatingIfNeeded: lowPC >> shift & 0x7f) | (shift < 21 ? 0x80 : 0))
      }
    }
  }

  /// Fills the room that is left with an attribute that means nothing.
  private func pad(to byteCount: Int, _ entry: inout RawAbbreviations.Entry, _ body: inout ByteWriter) -> Bool
  {
    let left = byteCount - body.count
    guard left > 0 else { return left == 0 }
    guard left <= 256 else { return false }
    entry.attributes.append(
      RawAbbreviations.Attribute(name: DwarfAttribute.lastOfUsers, form: DwarfForm.block1)
    )
    body.write(UInt8(left - 1))
    body.write([UInt8](repeating: 0, count: left - 1))
    return true
  }

  /// What takes no room: the value is in the abbreviation.
  private func constants(_ bases: Bases) -> [RawAbbreviations.Attribute] {
    var values: [(name: UInt16, value: UInt64)] = [(DwarfAttribute.stringOffsetsBase, bases.stringOffsets)]
    if let addresses = bases.addresses {
      values.append((isNew ? DwarfAttribute.addressBase : DwarfAttribute.gnuAddressBase, addresses))
    }
    if isNew {
      values.append((DwarfAttribute.rangeListsBase, bases.rangeLists))
      values.append((DwarfAttribute.locationListsBase, bases.locationLists))
    }
    return values.map { name, value in
      RawAbbreviations.Attribute(
        name: name,
        form: DwarfForm.implicitConstant,
        constant: Int64(bitPattern: value)
      )
    }
  }

  /// Length and version stay; the kind and the offset of the abbreviations change.
  private func rewrittenHeader(_ abbreviationsOffset: UInt64, upTo end: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(Array(bytes[..<end]))
    let versionPlace = header.offsetSize == 8 ? 12 : 4
    if isNew { writer.patch(isType ? DwarfUnitKind.type : DwarfUnitKind.compile, at: versionPlace + 2) }
    let place = versionPlace + (isNew ? 4 : 2)
    if header.offsetSize == 8 {
      writer.patch(abbreviationsOffset, at: place)
    } else {
      writer.patch(UInt32(truncatingIfNeeded: abbreviationsOffset), at: place)
    }
    return writer.bytes
  }
}
