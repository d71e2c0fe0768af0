import Platform

/// All units of an image, in the order of their sections.
struct UnitCatalog: Sendable {
  let files: DwarfSections
  /// `.debug_info`, then `.debug_types`, then the `.debug_info` of the alternate file.
  let headers: [UnitHeader]

  /// Reads every header; loads the sections that a scan needs.
  init(_ files: DwarfSections) {
    self.files = files
    var headers = UnitHeader.all(in: files.bytes(.info, isAlternate: false), section: UnitSection())
    headers += UnitHeader.all(
      in: files.bytes(.types, isAlternate: false),
      section: UnitSection(isTypeSection: true)
    )
    if files.hasAlternate {
      headers += UnitHeader.all(
        in: files.bytes(.info, isAlternate: true),
        section: UnitSection(isAlternate: true)
      )
    }
    self.headers = headers
  }

  /// Only these units.
  init(_ files: DwarfSections, _ headers: [UnitHeader]) {
    self.files = files
    self.headers = headers
  }

  /// Bytes of DIEs, to judge whether threads pay.
  var byteCount: Int { headers.reduce(0) { $0 &+ ($1.end - $1.start) } }

  /// The unit that holds a DIE.
  func unit(of die: DIEReference) -> UnitHeader? {
    var low = 0
    var high = headers.count
    // Sections are ordered by the bits above the offset, but for `.debug_types` and the alternate file.
    while low < high {
      let middle = low + (high - low) / 2
      if key(headers[middle].reference(headers[middle].end)) <= key(die) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low < headers.count else { return nil }
    let header = headers[low]
    return key(header.reference(header.start)) <= key(die) ? header : nil
  }

  /// The header at exactly that place.
  func unit(startingAt raw: UInt64) -> UnitHeader? {
    let reference = DIEReference(raw: raw)
    return unit(of: reference).flatMap { $0.reference($0.start) == reference ? $0 : nil }
  }

  /// Makes the order of `headers` that of numbers: the flags are above the offset already.
  private func key(_ die: DIEReference) -> UInt64 { die.raw }
}

/// Compiled abbreviation tables, for units that share them.
struct AbbreviationCache {
  private let files: DwarfSections
  private let purpose: AbbreviationTable.Purpose
  private var tables: [UInt64: AbbreviationTable] = [:]
  private var last: AbbreviationTable?
  /// Honest input has each table read once; overlapping ones could cost the square of the section.
  private var budget: Int

  init(_ files: DwarfSections, _ purpose: AbbreviationTable.Purpose) {
    self.files = files
    self.purpose = purpose
    let byteCount =
      files.bytes(.abbreviations, isAlternate: false).byteCount
      + files.bytes(.abbreviations, isAlternate: true).byteCount
    budget = byteCount * 16 + 1 << 20
  }

  /// The table of a unit; nil when the budget is used up.
  mutating func table(for unit: UnitHeader) -> AbbreviationTable? {
    if let known = known(for: unit) { return known }
    guard budget > 0 else { return nil }
    let files = self.files
    let bytes = files.bytes(.abbreviations, isAlternate: unit.section.isAlternate)
    let table = AbbreviationTable(bytes, for: unit, purpose: purpose)
    budget -= table.byteCount
    add(table)
    return table
  }

  /// The table of a unit that looks up declarations, made of what a scan for names has of it.
  mutating func table(for unit: UnitHeader, scannedWith names: inout AbbreviationCache) -> AbbreviationTable?
  {
    if let known = known(for: unit) { return known }
    guard let table = names.table(for: unit)?.lookingUpDeclarations else { return nil }
    add(table)
    return table
  }

  private mutating func known(for unit: UnitHeader) -> AbbreviationTable? {
    let key = AbbreviationTable.Key(unit)
    if let last, last.key == key { return last }
    guard let known = tables[key.offset], known.key == key else { return nil }
    last = known
    return known
  }

  private mutating func add(_ table: AbbreviationTable) {
    if tables.count >= 64 { tables.removeAll(keepingCapacity: true) }
    tables[table.key.offset] = table
    last = table
  }
}

/// Declarations in other units: dwz and link-time optimisation refer across them.
struct ForeignDeclarations {
  private let catalog: UnitCatalog
  private var tables: [UInt64: (unit: UnitContext, table: DeclarationTable)] = [:]

  init(_ catalog: UnitCatalog) { self.catalog = catalog }

  /// The declaration `die` and the unit it is in.
  mutating func row(
    of die: DIEReference,
    _ abbreviations: inout AbbreviationCache,
    _ output: inout ScanOutput
  ) -> (row: DeclarationTable.Row, unit: UnitContext)? {
    guard let header = catalog.unit(of: die) else { return nil }
    let key = header.reference(header.start).raw
    if tables[key] == nil {
      if tables.count >= 512 { tables.removeAll() }
      tables[key] = Self.read(header, catalog.files, &abbreviations, &output)
    }
    guard let found = tables[key], let row = found.table.row(of: die.raw) else { return nil }
    return (row, found.unit)
  }

  private static func read(
    _ header: UnitHeader,
    _ files: DwarfSections,
    _ abbreviations: inout AbbreviationCache,
    _ output: inout ScanOutput
  ) -> (unit: UnitContext, table: DeclarationTable)? {
    guard let abbreviationTable = abbreviations.table(for: header) else { return nil }
    var walker = DIEWalker(
      files.bytes(of: header.section),
      from: files.origin(of: header.section),
      header,
      abbreviationTable
    )
    guard walker.next(), walker.abbreviation.action == .unit else { return nil }
    let unit = UnitContext(header, walker.fields, tag: walker.abbreviation.tag, files)
    var table = DeclarationTable()
    var scopes: ContiguousArray<Int32> = [-1]
    while walker.next() {
      let depth = walker.depth
      while scopes.count <= depth + 1 { scopes.append(-1) }
      scopes[depth + 1] = scopes[depth]
      switch walker.abbreviation.action {
      case .subprogram, .variable:
        table.append(unit.row(of: walker, scope: scopes[depth], files))
      case .scope, .type:
        if walker.fields.isSet(DIESlot.declaration), walker.abbreviation.action == .type {
          table.append(unit.row(of: walker, scope: scopes[depth], files))
        }
        guard walker.abbreviation.hasChildren else { continue }
        var scope = ScanOutput.Scope(
          parent: scopes[depth],
          name: unit.string(walker.fields, DIESlot.name, files)
        )
        if walker.abbreviation.action == .type {
          // Defined outside of the scope that it is declared in.
          if let origin = unit.reference(walker.fields, DIESlot.specification),
            let declared = table.row(of: origin.raw)
          {
            scope = ScanOutput.Scope(
              parent: declared.scope,
              name: scope.name.isNone ? declared.name : scope.name
            )
          }
          if scope.name.isNone { continue }
        }
        scopes[depth + 1] = output.number(of: scope)
      case .declaration, .enumeration, .enumerator, .unit, .inlined, .ignore, .skipTree: continue
      }
    }
    return (unit, table)
  }
}

extension UnitContext {
  var isRust: Bool { language == DwarfLanguage.rust }

  /// C has no scopes, and nothing to find inside its structures.
  var isC: Bool {
    switch language {
    case 0x01, 0x02, 0x0c, 0x1d, 0x2c, 0x3e: true  // C89, C, C99, C11, C17, C23
    default: false
    }
  }

  /// Whether `die` is one of this unit's.
  func contains(_ die: DIEReference) -> Bool {
    die >= header.reference(header.start) && die < header.reference(header.end)
  }

  /// The walker's DIE as a declaration.
  func row(of walker: borrowing DIEWalker, scope: Int32, _ files: DwarfSections) -> DeclarationTable.Row {
    let fields = walker.fields
    let origin = reference(fields, DIESlot.specification) ?? reference(fields, DIESlot.abstractOrigin)
    let inline = fields[DIESlot.inline] ?? 0
    return DeclarationTable.Row(
      die: header.reference(walker.offset).raw,
      name: string(fields, DIESlot.name, files),
      linkageName: string(fields, DIESlot.linkageName, files),
      scope: scope,
      file: fields.number(DIESlot.declFile),
      line: fields.number(DIESlot.declLine),
      origin: origin?.raw ?? 0,
      isExternal: fields.isSet(DIESlot.external),
      isInlined: inline == 1 || inline == 3
    )
  }
}
