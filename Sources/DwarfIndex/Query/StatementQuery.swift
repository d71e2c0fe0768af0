import Platform
import TargetModel

/// One row of a line table, for one unit.
struct LineRow: Sendable {
  var address: UInt64
  var file: String
  var line: Int
}

extension ImageCore {
  /// The first instruction of each matching line, once for each function or inlined instance that has code for it.
  func statements(matching pattern: StatementPattern) -> StatementResult {
    guard let index, info.main != nil else { return StatementResult(statements: [], nearestLines: []) }
    let units = units(for: pattern, index)
    return session.read { reader in
      var search = StatementSearch(pattern, index)
      for unit in units {
        if let die = reader.unit(unit) { search.collect(die, reader) }
      }
      return search.result
    }
  }

  /// The statement that holds `address`, and whether it begins there; nil without line numbers for it.
  func statement(at address: LinkAddress) -> (statement: StatementMatch, isStart: Bool)? {
    guard let index, let record = index.function(containing: address.raw), record.die != 0 else { return nil }
    return session.read { reader in
      guard let die = reader.die(DIEReference(raw: record.die)), let unit = die.unit else { return nil }
      let rows = unit.lineRows
      let next = LineRow.firstIndex(in: rows, from: address.raw &+ 1)
      guard next > 0, rows[next - 1].address >= record.entry else { return nil }
      let row = rows[next - 1]
      let function = FunctionMatch(scope: die.innermostFunction(at: address.raw), around: die)
      return (
        StatementMatch(address: address, file: row.file, line: row.line, function: function),
        row.address == address.raw
      )
    }
  }

  /// The units whose code may have such statements.
  private func units(for pattern: StatementPattern, _ index: IndexFile) -> [DIEReference] {
    let name = NamePattern(pattern.function)
    guard name.literal == nil, name.prefix.isEmpty, !name.hasScopes else {
      return units(withFunction: pattern.function, index)
    }
    guard let main = source.file else { return [] }
    let catalog = UnitCatalog(DwarfSections(main: main, alternate: info.alternate))
    let file = pattern.file.map(FilePattern.init)
    var abbreviations = AbbreviationCache(catalog.files, .names)
    return catalog.headers.compactMap { header in
      guard !header.section.isAlternate, let table = abbreviations.table(for: header) else { return nil }
      var walker = DIEWalker(catalog.files.bytes(of: header.section), header, table)
      guard walker.next(), walker.abbreviation.action == .unit else { return nil }
      let unit = UnitContext(header, walker.fields, tag: walker.abbreviation.tag, catalog.files)
      guard unit.statementList != nil else { return nil }
      if let file {
        let files = LineFiles(of: unit, catalog.files).files
        guard files.contains(where: { file.matches($0.path(catalog.files.string)) }) else { return nil }
      }
      return header.reference(header.start)
    }
  }

  /// The units that have a function of that name, out of line or inlined.
  private func units(withFunction name: String, _ index: IndexFile) -> [DIEReference] {
    let query = SiteQuery(index)
    let pattern = FunctionPattern(name: name)
    let functions = query.functions(matching: pattern).compactMap(\.match.die)
    let inlines = query.inlines(matching: pattern).flatMap(\.units).map { DIEReference(raw: $0) }
    let direct = session.read { reader in
      functions.compactMap { reader.unit(of: DIEReference(raw: $0)) }
    }
    return Set(direct + inlines).sorted()
  }
}

/// Walks line tables and keeps what a pattern asks for.
private struct StatementSearch {
  private let pattern: StatementPattern
  private let name: NamePattern
  private let file: FilePattern?
  private let index: IndexFile
  private var statements: [StatementMatch] = []
  /// Rows of the right function and file whose line was not asked for; asked for when nothing else is found.
  private var others: [StatementMatch] = []
  private var seen: Set<Key> = []
  private var fileAnswers: [String: Bool] = [:]
  private var functions: [UInt64: FunctionMatch] = [:]

  private struct Key: Hashable {
    let scope: UInt64
    let line: Int
  }

  init(_ pattern: StatementPattern, _ index: IndexFile) {
    self.pattern = pattern
    self.index = index
    name = NamePattern(pattern.function)
    file = pattern.file.map(FilePattern.init)
  }

  var result: StatementResult {
    if pattern.isNearest { return nearest }
    guard statements.isEmpty else {
      return StatementResult(statements: sorted(statements), nearestLines: [])
    }
    guard case .absolute(let line) = pattern.line else {
      return StatementResult(statements: [], nearestLines: [])
    }
    return StatementResult(statements: [], nearestLines: Self.neighbours(of: line, among: others.map(\.line)))
  }

  /// The statements of one unit.
  mutating func collect(_ unit: DIE, _ reader: DwarfReader) {
    var function: (record: FunctionRecord, die: DIE)?
    for row in unit.lineRows where isInFile(row.file) {
      // Most rows of a file are of lines that nobody asked for: no need to know more of them.
      let isAbsolute = pattern.line.includes(row.line, declaredAt: nil)
      if isAbsolute == false, !statements.isEmpty, !pattern.isNearest { continue }
      if function.map({ row.address < $0.record.entry || row.address >= $0.record.end }) ?? true {
        function = index.function(containing: row.address).flatMap { record in
          record.die == 0 ? nil : reader.die(DIEReference(raw: record.die)).map { (record, $0) }
        }
      }
      guard let around = function?.die ?? unit.function(at: row.address) else { continue }
      add(row, in: match(around.innermostFunction(at: row.address), around: around))
    }
  }

  /// What is known of a function, asked for once: thousands of rows share a few.
  private mutating func match(_ scope: DIE, around function: DIE) -> FunctionMatch {
    let key = scope.reference.raw
    if let known = functions[key] { return known }
    let match = FunctionMatch(scope: scope, around: function)
    functions[key] = match
    return match
  }

  private mutating func add(_ row: LineRow, in function: FunctionMatch) {
    guard isWanted(function) else { return }
    let match = StatementMatch(
      address: LinkAddress(row.address),
      file: row.file,
      line: row.line,
      function: function
    )
    guard seen.insert(Key(scope: function.die ?? 0, line: row.line)).inserted else { return }
    if pattern.line.includes(row.line, declaredAt: function.line) ?? false {
      statements.append(match)
    } else {
      others.append(match)
    }
  }

  private func isWanted(_ function: FunctionMatch) -> Bool {
    if name.isMangled {
      return function.linkageName.map { text in text.withRawSpan { name.matches(linkageName: $0) } } ?? false
    }
    return function.name.withRawSpan { name.name.matches($0) } && name.matches(scope: function.scope ?? "")
  }

  private mutating func isInFile(_ path: String) -> Bool {
    if let known = fileAnswers[path] { return known }
    let answer = file?.matches(path) ?? true
    fileAnswers[path] = answer
    return answer
  }

  /// The statements of the line closest to each one asked for; of two as close, the later one.
  private var nearest: StatementResult {
    let all = statements + others
    let lines = Set(all.map(\.line))
    var chosen: [StatementMatch] = []
    for wanted in pattern.line.single {
      guard
        let line = lines.min(by: { (abs($0 - wanted), -$0) < (abs($1 - wanted), -$1) })
      else { continue }
      chosen += all.filter { $0.line == line && !chosen.contains($0) }
    }
    return StatementResult(statements: sorted(chosen), nearestLines: [])
  }

  private func sorted(_ statements: [StatementMatch]) -> [StatementMatch] {
    statements.sorted { ($0.address, $0.line) < ($1.address, $1.line) }
  }

  /// The closest lines below and above the one asked for.
  private static func neighbours(of line: Int, among lines: [Int]) -> [Int] {
    [lines.filter { $0 < line }.max(), lines.filter { $0 > line }.min()].compactMap { $0 }
  }
}

extension LineRow {
  /// The first row at or above `address`.
  static func firstIndex(in rows: [LineRow], from address: UInt64) -> Int {
    var low = 0
    var high = rows.count
    while low < high {
      let middle = low + (high - low) / 2
      if rows[middle].address < address { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension FunctionPattern.LineSpec {
  /// Whether `line` is meant, in a function declared at line `start`; nil when that cannot be told without it.
  fileprivate func includes(_ line: Int, declaredAt start: Int?) -> Bool? {
    switch self {
    case .all: true
    case .absolute(let wanted): line == wanted
    case .relative(let distance): start.map { line == $0 &+ distance }
    case .ranges(let ranges): ranges.contains { $0.contains(line) }
    }
  }

  /// Lines that are asked for one by one.
  fileprivate var single: [Int] {
    switch self {
    case .all, .relative: []
    case .absolute(let line): [line]
    case .ranges(let ranges): ranges.filter { $0.count == 1 }.map(\.lowerBound)
    }
  }
}

extension FunctionMatch {
  /// A DIE of a function, or of an inlined instance inside `function`.
  init(scope die: DIE, around function: DIE) {
    let isInline = die.tag == DwarfTag.inlinedSubroutine
    let entry = die.entryAddress ?? function.entryAddress ?? 0
    self.init(
      name: die.name ?? "",
      scope: die.enclosingScope,
      linkageName: die.string(DwarfAttribute.linkageName),
      entry: LinkAddress(entry),
      end: isInline ? nil : die.highAddress.map { LinkAddress($0) },
      file: die.declarationFile,
      line: die.declarationLine,
      isInlineInstance: isInline,
      die: die.reference.raw
    )
  }
}
