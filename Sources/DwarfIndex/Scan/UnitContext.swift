import Platform

/// What the unit DIE says that its other DIEs are read by.
struct UnitContext {
  let header: UnitHeader
  var name = StringReference.none
  var compilationDirectory = StringReference.none
  var lowPC: UInt64 = 0
  var statementList: Int?
  var language: UInt64 = 0
  var stringOffsetsBase: Int
  var addressBase: Int
  var rangeListsBase: Int
  var isPartial = false
  /// The DWARF is in a `.dwo` file of that name.
  var splitName = StringReference.none

  /// Reads the fields of a unit DIE.
  init(_ header: UnitHeader, _ fields: DIEFields, tag: UInt16, _ files: DwarfSections) {
    self.header = header
    // Without a base attribute an index counts from the end of the section's own header (DWARF 5, section
    // 7.26): 8 or 16 bytes.
    let contribution = header.version >= 5 ? (header.offsetSize == 8 ? 16 : 8) : 0
    stringOffsetsBase = fields[DIESlot.stringOffsetsBase].map { Int(clamping: $0) } ?? contribution
    addressBase = fields[DIESlot.addressBase].map { Int(clamping: $0) } ?? contribution
    rangeListsBase =
      fields[DIESlot.rangeListsBase].map { Int(clamping: $0) }
      ?? (header.version >= 5 ? (header.offsetSize == 8 ? 20 : 12) : 0)
    isPartial = tag == DwarfTag.partialUnit
    statementList = fields[DIESlot.statementList].map { Int(clamping: $0) }
    language = fields[DIESlot.language] ?? 0
    name = string(fields, DIESlot.name, files)
    compilationDirectory = string(fields, DIESlot.compilationDirectory, files)
    splitName = string(fields, DIESlot.splitName, files)
    lowPC = address(fields, DIESlot.lowPC, files) ?? 0
  }

  private var isAlternate: Bool { header.section.isAlternate }

  /// The string in `slot`, wherever its form puts it.
  func string(_ fields: DIEFields, _ slot: Int, _ files: DwarfSections) -> StringReference {
    guard let value = fields[slot] else { return .none }
    switch fields.form(slot) {
    case DwarfForm.string:
      let section: DebugSection = header.section.isTypeSection ? .types : .info
      return StringReference(section, isAlternate: isAlternate, offset: value)
    case DwarfForm.stringPointer: return StringReference(.strings, isAlternate: isAlternate, offset: value)
    case DwarfForm.lineStringPointer:
      return StringReference(.lineStrings, isAlternate: isAlternate, offset: value)
    case DwarfForm.stringPointerSupplement, DwarfForm.gnuStringPointerAlternate:
      return StringReference(.strings, isAlternate: true, offset: value)
    case DwarfForm.stringIndex, DwarfForm.stringIndex1, DwarfForm.stringIndex2, DwarfForm.stringIndex3,
      DwarfForm.stringIndex4, DwarfForm.gnuStringIndex:
      guard let place = slotOffset(value, base: stringOffsetsBase, width: header.offsetSize) else {
        return .none
      }
      var cursor = ByteCursor(files.bytes(.stringOffsets, isAlternate: isAlternate), at: place)
      let offset = cursor.readUnsigned(byteCount: header.offsetSize)
      return cursor.hasFailed ? .none : StringReference(.strings, isAlternate: isAlternate, offset: offset)
    default: return .none
    }
  }

  /// The address in `slot`; nil when the attribute is missing or no address.
  func address(_ fields: DIEFields, _ slot: Int, _ files: DwarfSections) -> UInt64? {
    guard let value = fields[slot] else { return nil }
    switch fields.form(slot) {
    case DwarfForm.address: return value
    case DwarfForm.addressIndex, DwarfForm.addressIndex1, DwarfForm.addressIndex2, DwarfForm.addressIndex3,
      DwarfForm.addressIndex4, DwarfForm.gnuAddressIndex:
      return indexedAddress(value, files)
    default: return nil
    }
  }

  /// An entry of `.debug_addr` (DWARF 5, section 7.27).
  func indexedAddress(_ index: UInt64, _ files: DwarfSections) -> UInt64? {
    guard let place = slotOffset(index, base: addressBase, width: header.addressSize) else { return nil }
    var cursor = ByteCursor(files.bytes(.addresses, isAlternate: isAlternate), at: place)
    let address = cursor.readUnsigned(byteCount: header.addressSize)
    return cursor.hasFailed ? nil : address
  }

  /// The DIE that the reference in `slot` means; nil for signatures and missing attributes.
  func reference(_ fields: DIEFields, _ slot: Int) -> DIEReference? {
    guard let value = fields[slot] else { return nil }
    switch fields.form(slot) {
    case DwarfForm.reference1, DwarfForm.reference2, DwarfForm.reference4, DwarfForm.reference8,
      DwarfForm.referenceUnsigned:
      let (target, overflow) = UInt64(header.start).addingReportingOverflow(value)
      guard !overflow, target < UInt64(header.end), let offset = Int(exactly: target) else { return nil }
      return header.reference(offset)
    case DwarfForm.referenceAddress: return DIEReference(offset: value, isAlternate: isAlternate)
    case DwarfForm.gnuReferenceAlternate, DwarfForm.referenceSupplement4, DwarfForm.referenceSupplement8:
      return DIEReference(offset: value, isAlternate: true)
    default: return nil
    }
  }

  /// The code of a function or inlined instance.
  struct CodeRange {
    /// Where calls arrive.
    var entry: UInt64
    /// The range that holds `entry`.
    var low: UInt64
    var high: UInt64
  }

  /// DW_AT_low_pc with DW_AT_high_pc, or DW_AT_ranges (DWARF 5, section 2.17); nil for a DIE without code.
  func codeRange(_ fields: DIEFields, _ files: DwarfSections) -> CodeRange? {
    let entry = entryAddress(fields, files)
    if fields.has(DIESlot.ranges) {
      guard let first = firstRange(fields, containing: entry, files) else { return nil }
      return CodeRange(entry: entry ?? first.low, low: first.low, high: first.high)
    }
    guard let low = address(fields, DIESlot.lowPC, files) else { return nil }
    guard let high = fields[DIESlot.highPC] else { return nil }
    let end = address(fields, DIESlot.highPC, files) ?? low.addingReportingOverflow(high).partialValue
    return CodeRange(entry: entry ?? low, low: low, high: max(low, end))
  }

  /// DW_AT_entry_pc: an address, or an offset from the DIE's base address (DWARF 5, section 2.18).
  private func entryAddress(_ fields: DIEFields, _ files: DwarfSections) -> UInt64? {
    guard let value = fields[DIESlot.entryPC] else { return nil }
    if let address = address(fields, DIESlot.entryPC, files) { return address }
    guard let base = address(fields, DIESlot.lowPC, files) else { return nil }
    return base &+ value
  }

  /// The first range that is not empty, or the one that holds `address`.
  private func firstRange(
    _ fields: DIEFields,
    containing address: UInt64?,
    _ files: DwarfSections
  ) -> (low: UInt64, high: UInt64)? {
    var reader = RangeReader(self, fields, files)
    var first: (low: UInt64, high: UInt64)?
    while let range = reader.next() {
      guard let address else { return range }
      if range.low <= address && address < range.high { return range }
      if first == nil { first = range }
    }
    return first
  }

  private func slotOffset(_ index: UInt64, base: Int, width: Int) -> Int? {
    let (product, overflow) = index.multipliedReportingOverflow(by: UInt64(width))
    guard !overflow, let product = Int(exactly: product) else { return nil }
    let (sum, tooFar) = base.addingReportingOverflow(product)
    return tooFar ? nil : sum
  }
}
