import ELF
import Platform
import TargetModel

/// Merges what the threads of a scan found, and the symbols, into the bytes of an index.
struct IndexBuilder {
  private(set) var strings = StringPool()
  private(set) var functions: ContiguousArray<FunctionRecord> = []
  private(set) var inlines: ContiguousArray<InlineRecord> = []
  private(set) var inlineUnits: ContiguousArray<UInt32> = []
  private(set) var units: ContiguousArray<UInt64> = []
  private(set) var variables: ContiguousArray<VariableRecord> = []
  private(set) var types: ContiguousArray<TypeRecord> = []
  private(set) var enumerators: ContiguousArray<EnumeratorRecord> = []
  /// Which unit knows which of ``inlines``.
  private var inlineSightings: ContiguousArray<ScanOutput.InlineSighting> = []
  private var inlineNumbers = KeyTable()
  private(set) var flags: UInt32 = 0
  private(set) var access: UnitAccess?

  /// Builds an index of `outputs`, whose strings are in `sections`, and of the functions in `symbols`.
  ///
  /// - Parameters:
  ///   - isCode: whether an address is in an executable segment; linkers leave debug info of dropped functions
  ///     behind, at addresses such as 0.
  ///   - access: how single units of a packed section can be unpacked.
  ///   - stamp: tells the files apart that the index was made from.
  static func build(
    _ outputs: [ScanOutput],
    _ sections: DwarfSections?,
    symbols: @autoclosure @escaping @Sendable () -> [ELFSymbol],
    access: UnitAccess? = nil,
    stamp: UInt64,
    isCode: (UInt64) -> Bool
  ) -> [UInt8] {
    let isSmall = outputs.reduce(0) { $0 + $1.functions.count } < 1000
    let wanted = WorkerThread(isSmall: isSmall, symbols)
    var builder = IndexBuilder()
    builder.access = access
    if let sections {
      builder.flags |= IndexHeader.hasDebugInfo
      for output in outputs { builder.add(output, sections, isCode) }
    }
    let others = builder.sortingOthers(isSmall: isSmall)
    builder.add(wanted.value(), isCode)
    builder.functions = sorted(builder.functions, builder.strings, name: \.name) { ($0.entry, $0.die) }
    builder.take(others.value())
    return builder.bytes(stamp: stamp)
  }

  private mutating func add(_ output: ScanOutput, _ sections: DwarfSections, _ isCode: (UInt64) -> Bool) {
    let names = OutputNames(output, sections, &strings)
    var pool = ReferencePool(output, sections)
    if output.hasForeignOrigins { flags |= IndexHeader.hasForeignOrigins }
    for function in output.functions where isCode(function.entry) {
      var flags: FunctionRecord.Flags = function.isExternal ? .external : []
      if function.needsPrologue { flags.insert(.needsPrologue) }
      if function.isAlias { flags.insert(.alias) }
      functions.append(
        FunctionRecord(
          name: pool.offset(of: function.name, &strings),
          linkageName: pool.offset(of: function.linkageName, &strings),
          scope: names.scope(function.scope),
          file: names.file(function.file),
          line: function.line,
          flags: flags,
          entry: function.entry,
          end: function.high,
          die: function.die
        )
      )
    }
    let numbers = output.inlines.map { inline in
      number(
        of: InlineRecord(
          name: pool.offset(of: inline.name, &strings),
          scope: names.scope(inline.scope),
          file: names.file(inline.file),
          line: inline.line,
          firstUnit: 0,
          unitCount: 0
        )
      )
    }
    for var sighting in output.inlineSightings {
      sighting.inline = numbers[Int(sighting.inline)]
      inlineSightings.append(sighting)
    }
    for variable in output.variables {
      variables.append(
        VariableRecord(
          name: pool.offset(of: variable.name, &strings),
          linkageName: pool.offset(of: variable.linkageName, &strings),
          scope: names.scope(variable.scope),
          unitName: pool.offset(of: variable.unitName, &strings),
          die: variable.die
        )
      )
    }
    for type in output.types {
      types.append(
        TypeRecord(
          name: pool.offset(of: type.name, &strings),
          scope: names.scope(type.scope),
          tag: UInt32(type.tag),
          die: type.die
        )
      )
    }
    for enumerator in output.enumerators {
      enumerators.append(
        EnumeratorRecord(
          name: pool.offset(of: enumerator.name, &strings),
          value: enumerator.value,
          enumeration: enumerator.enumeration
        )
      )
    }
  }

  /// Adds symbols of functions that DWARF does not know, and other names of those it knows.
  private mutating func add(_ symbols: [ELFSymbol], _ isCode: (UInt64) -> Bool) {
    let byEntry = FunctionsByEntry(functions)
    var seen = KeyTable(reserving: symbols.count)
    // `.symtab` repeats what `.dynsym` exports; the first of them makes the record.
    let exported = symbols.lazy.filter(\.isExported)
    let others = symbols.lazy.filter { !$0.isExported }
    for symbol in [Array(exported), Array(others)].joined() where isCode(symbol.address.raw) {
      let name = strings.insert(symbol.name)
      let known = byEntry.indices(at: symbol.address.raw)
      if symbol.isExported {
        for index in known where functions[index].name == name || functions[index].linkageName == name {
          functions[index].flags.insert(.exported)
        }
      }
      let key = KeyTable.Key(first: symbol.address.raw, second: UInt64(name))
      guard name != 0, seen.number(of: key).isNew else { continue }
      guard !known.contains(where: { functions[$0].name == name || functions[$0].linkageName == name }) else {
        continue
      }
      add(symbol, name, of: known.first.map { functions[$0] })
    }
  }

  private mutating func add(_ symbol: ELFSymbol, _ name: UInt32, of known: FunctionRecord?) {
    var flags: FunctionRecord.Flags = symbol.binding == .local ? [] : .external
    if symbol.isExported { flags.insert(.exported) }
    let end = symbol.address.raw.addingReportingOverflow(symbol.byteCount)
    var record = FunctionRecord(
      name: name,
      linkageName: 0,
      scope: 0,
      file: 0,
      line: 0,
      flags: flags,
      entry: symbol.address.raw,
      end: end.overflow ? symbol.address.raw : end.partialValue,
      die: 0
    )
    if known == nil, let readable = SymbolName(symbol.name) {
      record.linkageName = name
      record.name = strings.insert(readable.name)
      record.scope = readable.scope.map { strings.insert($0) } ?? 0
      if let scope = readable.scopeByType {
        var byTrait = record
        byTrait.flags.insert(.alias)
        functions.append(byTrait)
        record.scope = strings.insert(scope)
      }
    }
    if let known {
      record.file = known.file
      record.line = known.line
      record.die = known.die
      record.end = known.end
      record.flags.formUnion(known.flags.intersection(.needsPrologue).union(.alias))
    }
    functions.append(record)
  }

  /// The tables that no symbol changes, in order.
  private struct Others: Sendable {
    var inlines: Inlines
    var variables: ContiguousArray<VariableRecord>
    var types: ContiguousArray<TypeRecord>
    var enumerators: ContiguousArray<EnumeratorRecord>
  }

  /// Puts the tables in order on another thread that no symbol changes.
  private func sortingOthers(isSmall: Bool) -> WorkerThread<Others> {
    WorkerThread(isSmall: isSmall) { [strings, inlines, inlineSightings, variables, types, enumerators] in
      var (types, enumerators) = (types, enumerators)
      types = Self.sorted(types, strings, name: \.name) { (UInt64($0.scope) << 32 | UInt64($0.tag), $0.die) }
      types = Self.withoutRepetition(types) { ($0.name, $0.scope, $0.tag) == ($1.name, $1.scope, $1.tag) }
      enumerators = Self.sorted(enumerators, strings, name: \.name) { ($0.enumeration, 0) }
      return Others(
        inlines: Inlines(inlines, inlineSightings, strings),
        variables: Self.sorted(variables, strings, name: \.name) { ($0.die, 0) },
        types: types,
        enumerators: Self.withoutRepetition(enumerators) { $0.name == $1.name }
      )
    }
  }

  private mutating func take(_ others: Others) {
    (inlines, inlineUnits, units) = (others.inlines.records, others.inlines.units, others.inlines.allUnits)
    (variables, types, enumerators) = (others.variables, others.types, others.enumerators)
  }

  /// The place of an inlined function in ``inlines``, the same for the same.
  private mutating func number(of record: InlineRecord) -> UInt32 {
    let key = KeyTable.Key(
      first: UInt64(record.name) << 32 | UInt64(record.scope),
      second: UInt64(record.file) << 32 | UInt64(record.line)
    )
    let (number, isNew) = inlineNumbers.number(of: key)
    if isNew { inlines.append(record) }
    return UInt32(truncatingIfNeeded: number)
  }

  /// Inlined functions by their names, each with the units that know it.
  private struct Inlines: Sendable {
    var records: ContiguousArray<InlineRecord>
    /// Numbers in ``allUnits``; a record tells where its own begin.
    var units: ContiguousArray<UInt32> = []
    var allUnits: ContiguousArray<UInt64>

    init(
      _ unsorted: ContiguousArray<InlineRecord>,
      _ sightings: ContiguousArray<ScanOutput.InlineSighting>,
      _ strings: StringPool
    ) {
      records = unsorted
      allUnits = ContiguousArray(Set(sightings.map(\.unit)).sorted())
      var numbers: [UInt64: UInt32] = [:]
      for (number, unit) in allUnits.enumerated() { numbers[unit] = UInt32(clamping: number) }
      // Counted, then filed: the sightings of one function end up side by side.
      var ends = [Int](repeating: 0, count: records.count)
      for sighting in sightings { ends[Int(sighting.inline)] += 1 }
      var starts = ends
      var total = 0
      for index in ends.indices {
        starts[index] = total
        total += ends[index]
        ends[index] = starts[index]
      }
      var filed = ContiguousArray<UInt32>(repeating: 0, count: total)
      for sighting in sightings {
        filed[ends[Int(sighting.inline)]] = numbers[sighting.unit] ?? 0
        ends[Int(sighting.inline)] += 1
      }
      for index in records.indices { records[index].firstUnit = UInt32(clamping: index) }
      records = IndexBuilder.sorted(records, strings, name: \.name) {
        (UInt64($0.scope) << 32 | UInt64($0.line), UInt64($0.file))
      }
      units.reserveCapacity(total)
      for index in records.indices {
        let old = Int(records[index].firstUnit)
        let first = units.count
        for unit in filed[starts[old]..<ends[old]].sorted() where units.count == first || units.last != unit {
          units.append(unit)
        }
        records[index].firstUnit = UInt32(clamping: first)
        records[index].unitCount = UInt32(clamping: units.count - first)
      }
    }
  }

  private static func sorted<Record>(
    _ records: ContiguousArray<Record>,
    _ strings: StringPool,
    name: (Record) -> UInt32,
    tie: (Record) -> (UInt64, UInt64)
  ) -> ContiguousArray<Record> {
    var keys = ContiguousArray<SortKey>()
    keys.reserveCapacity(records.count)
    for (index, record) in records.enumerated() {
      let name = name(record)
      let tie = tie(record)
      let prefix = strings.prefix(at: name)
      keys.append(SortKey(prefix: prefix, name: name, first: tie.0, second: tie.1, index: index))
    }
    keys.sort { left, right in
      if left.prefix != right.prefix { return left.prefix < right.prefix }
      if left.name != right.name { return strings.precedes(left.name, right.name) }
      return (left.first, left.second, left.index) < (right.first, right.second, right.index)
    }
    return ContiguousArray(keys.map { records[$0.index] })
  }

  private struct SortKey {
    /// The first eight bytes of the name, big endian: settles most comparisons.
    let prefix: UInt64
    let name: UInt32
    let first: UInt64
    let second: UInt64
    let index: Int
  }

  private static func withoutRepetition<Record>(
    _ records: ContiguousArray<Record>,
    _ areSame: (Record, Record) -> Bool
  ) -> ContiguousArray<Record> {
    var kept = ContiguousArray<Record>()
    kept.reserveCapacity(records.count)
    for record in records {
      if let last = kept.last, areSame(last, record) { continue }
      kept.append(record)
    }
    return kept
  }
}

/// Positions of functions by where they begin.
private struct FunctionsByEntry {
  private var numbers: KeyTable
  /// The first function of each entry, and behind each function the next one of the same; -1 is none.
  private var first: ContiguousArray<Int32> = []
  private var next: ContiguousArray<Int32>

  init(_ functions: ContiguousArray<FunctionRecord>) {
    numbers = KeyTable(reserving: functions.count)
    next = ContiguousArray(repeating: -1, count: functions.count)
    for index in functions.indices.reversed() {
      let (number, isNew) = numbers.number(of: KeyTable.Key(first: functions[index].entry))
      if isNew { first.append(-1) }
      next[index] = first[number]
      first[number] = Int32(clamping: index)
    }
  }

  /// In ascending order.
  func indices(at entry: UInt64) -> [Int] {
    guard let number = numbers.knownNumber(of: KeyTable.Key(first: entry)) else { return [] }
    var found: [Int] = []
    var index = first[number]
    while index >= 0 {
      found.append(Int(index))
      index = next[Int(index)]
    }
    return found
  }
}

/// Where references to strings ended up in the pool: thousands of records share a reference.
private struct ReferencePool {
  private let output: ScanOutput
  private let sections: DwarfSections
  private var numbers: KeyTable
  private var offsets: ContiguousArray<UInt32> = []

  init(_ output: ScanOutput, _ sections: DwarfSections) {
    // Most functions have a name of their own.
    numbers = KeyTable(reserving: output.functions.count)
    self.output = output
    self.sections = sections
  }

  mutating func offset(of reference: StringReference, _ strings: inout StringPool) -> UInt32 {
    if reference.isNone { return 0 }
    let (number, isNew) = numbers.number(of: KeyTable.Key(first: reference.raw))
    if isNew { offsets.append(strings.insert(output.stringBytes(reference, sections))) }
    return offsets[number]
  }
}

/// The strings that a scan's numbers stand for, as offsets in the pool.
private struct OutputNames {
  private var scopes: ContiguousArray<UInt32> = []
  private var files: ContiguousArray<UInt32> = []

  init(_ output: ScanOutput, _ sections: DwarfSections, _ strings: inout StringPool) {
    // A scope's number is above its parent's.
    for scope in output.scopes {
      let parent = scopes.indices.contains(Int(scope.parent)) ? scopes[Int(scope.parent)] : 0
      let text = parent == 0 ? "" : strings.string(at: parent)
      scopes.append(strings.insert(output.text(of: scope, below: text, sections)))
    }
    for file in output.files {
      files.append(strings.insert(file.path { output.string($0, sections) }))
    }
  }

  func scope(_ number: Int32) -> UInt32 { scopes.indices.contains(Int(number)) ? scopes[Int(number)] : 0 }

  func file(_ number: Int32) -> UInt32 { files.indices.contains(Int(number)) ? files[Int(number)] : 0 }
}

extension LineFiles.File {
  /// The whole path: `name`, below `directory`, below `base`, as far as each is relative.
  func path(_ string: (StringReference) -> String) -> String {
    var path = string(name)
    for part in [directory, base] where !path.hasPrefix("/") && !part.isNone {
      let prefix = string(part)
      if !prefix.isEmpty { path = prefix + "/" + path }
    }
    guard Self.mayHaveEmptyParts(path) else { return path }
    let parts = path.split(separator: "/").filter { $0 != "." }
    return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
  }

  /// Whether a slash stands behind a dot or another slash: looked at for every file of every unit.
  private static func mayHaveEmptyParts(_ path: String) -> Bool {
    var last: UInt8 = 0
    for byte in path.utf8 {
      if byte == UInt8(ascii: "/"), last == UInt8(ascii: "/") || last == UInt8(ascii: ".") { return true }
      last = byte
    }
    return false
  }
}
