import TargetModel

/// One row of a line table, for one unit.
struct LineRow: Sendable {
  var address: UInt64
  var file: String
  var line: Int
}

extension ImageCore {
  /// The first instruction of each matching line, once for each function that has code for it.
  func statements(matching pattern: StatementPattern) -> StatementResult {
    guard let index else { return StatementResult(statements: [], nearestLines: []) }
    let query = SiteQuery(index)
    let functions = query.functions(matching: FunctionPattern(name: pattern.function, file: nil)).filter {
      $0.match.die != nil
    }
    let file = pattern.file.map(FilePattern.init)
    var statements: [StatementMatch] = []
    var otherLines: Set<Int> = []
    for (unit, functions) in byUnit(functions.map(\.match)) {
      let rows = session.read { reader in
        reader.die(DIEReference(raw: unit))?.lineRows ?? []
      }
      for function in functions {
        collect(rows, function, pattern, file, &statements, &otherLines)
      }
    }
    guard statements.isEmpty else {
      return StatementResult(statements: statements.sorted { $0.address < $1.address }, nearestLines: [])
    }
    return StatementResult(statements: [], nearestLines: Self.nearest(otherLines, to: pattern.line))
  }

  /// Functions by the unit DIE above them.
  private func byUnit(_ functions: [FunctionMatch]) -> [(unit: UInt64, functions: [FunctionMatch])] {
    let units = session.read { reader in
      functions.map { function in
        function.die.flatMap { reader.die(DIEReference(raw: $0))?.unit?.reference.raw }
      }
    }
    var groups: [UInt64: [FunctionMatch]] = [:]
    for (function, unit) in zip(functions, units) {
      if let unit { groups[unit, default: []].append(function) }
    }
    return groups.sorted { $0.key < $1.key }.map { (unit: $0.key, functions: $0.value) }
  }

  private func collect(
    _ rows: [LineRow],
    _ function: FunctionMatch,
    _ pattern: StatementPattern,
    _ file: FilePattern?,
    _ statements: inout [StatementMatch],
    _ otherLines: inout Set<Int>
  ) {
    guard let end = function.end else { return }
    var seen: Set<Int> = []
    var fileAnswers: [String: Bool] = [:]
    let first = Self.firstIndex(in: rows, from: function.entry.raw)
    for row in rows[first...].prefix(while: { $0.address < end.raw }) {
      let isInFile =
        fileAnswers[row.file] ?? (file.map { $0.matches(row.file) } ?? (row.file == function.file))
      fileAnswers[row.file] = isInFile
      guard isInFile else { continue }
      guard includes(pattern.line, row.line, function) else {
        otherLines.insert(row.line)
        continue
      }
      guard seen.insert(row.line).inserted else { continue }
      statements.append(
        StatementMatch(
          address: LinkAddress(row.address),
          file: row.file,
          line: row.line,
          function: function
        )
      )
    }
  }

  private static func firstIndex(in rows: [LineRow], from address: UInt64) -> Int {
    var low = 0
    var high = rows.count
    while low < high {
      let middle = low + (high - low) / 2
      if rows[middle].address < address { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func includes(_ lines: FunctionPattern.LineSpec, _ line: Int, _ function: FunctionMatch) -> Bool {
    switch lines {
    case .all: true
    case .absolute(let wanted): line == wanted
    case .relative(let distance): line == (function.line ?? 0) &+ distance
    case .ranges(let ranges): ranges.contains { $0.contains(line) }
    }
  }

  /// The closest line below and above the one asked for.
  private static func nearest(_ lines: Set<Int>, to wanted: FunctionPattern.LineSpec) -> [Int] {
    guard case .absolute(let line) = wanted else { return [] }
    let below = lines.filter { $0 < line }.max()
    let above = lines.filter { $0 > line }.min()
    return [below, above].compactMap { $0 }
  }
}
