package import TraceIR

/// The globals that only the user side touches.
///
/// Arrays keep the order of insertion, which unsorted `foreach` follows and by which a wrapping array knows its
/// oldest element.
package final class InMemoryStore: GlobalStore {
  /// An array's elements; `nil` in `order` stands for deleted ones until it is compacted.
  private struct Table {
    var values: [[Datum]: (value: StoredElement.Value, position: Int)] = [:]
    var order: [[Datum]?] = []
    var oldest = 0
  }

  private let globals: [Global]
  private let limits: Limits
  private var longs: [Int64]
  private var strings: [ByteString]
  private var statistics: [Statistic]
  private var tables: [Table]

  /// Every global with its initial value.
  package init(_ program: TraceProgram) {
    globals = program.globals
    limits = program.limits
    longs = program.globals.map(\.initialLong)
    strings = program.globals.map { ByteString($0.initialString) }
    statistics = program.globals.map { Statistic($0.statistics) }
    tables = program.globals.map { _ in Table() }
  }

  package func long(_ global: GlobalID) -> Int64 { longs[global.index] }

  package func string(_ global: GlobalID) -> ByteString { strings[global.index] }

  package func set(_ global: GlobalID, _ value: Int64) { longs[global.index] = value }

  package func set(_ global: GlobalID, _ value: ByteString) {
    strings[global.index] = value.cut(to: limits.maxStringLength - 1)
  }

  package func add(_ global: GlobalID, _ value: Int64) -> Int64 {
    defer { longs[global.index] &+= value }
    return longs[global.index]
  }

  package func element(_ global: GlobalID, _ keys: [Datum]) -> Datum? {
    guard case .datum(let value) = tables[global.index].values[keys]?.value else { return nil }
    return value
  }

  package func setElement(_ global: GlobalID, _ keys: [Datum], _ value: Datum) throws(StoreError) {
    try put(global, keys, .datum(value))
  }

  package func addElement(
    _ global: GlobalID,
    _ keys: [Datum],
    _ value: Int64
  ) throws(StoreError) -> Int64 {
    let before = element(global, keys)?.long ?? 0
    try put(global, keys, .datum(.long(before &+ value)))
    return before
  }

  package func contains(_ global: GlobalID, _ pattern: [Datum?]) -> Bool {
    if let keys = pattern.exactKeys { return tables[global.index].values[keys] != nil }
    return tables[global.index].values.keys.contains { $0.matches(pattern) }
  }

  package func delete(_ global: GlobalID, _ pattern: [Datum?]) {
    let index = global.index
    switch globals[index].kind {
    case .scalar:
      longs[index] = 0
      strings[index] = ByteString()
    case .statistic: statistics[index] = Statistic(globals[index].statistics)
    case .array, .statisticArray:
      if let keys = pattern.exactKeys { return remove(keys, index) }
      let matching = tables[index].values.keys.filter { $0.matches(pattern) }
      for keys in matching { remove(keys, index) }
    }
  }

  package func elements(_ global: GlobalID, _ pattern: [Datum?]) -> [StoredElement] {
    let table = tables[global.index]
    return table.order[table.oldest...].compactMap { keys in
      guard let keys, keys.matches(pattern), let entry = table.values[keys] else { return nil }
      return StoredElement(keys: keys, value: entry.value)
    }
  }

  package func aggregate(_ global: GlobalID, _ keys: [Datum], _ value: Int64) throws(StoreError) {
    let index = global.index
    if keys.isEmpty { return statistics[index].add(value) }
    var statistic = Statistic(globals[index].statistics)
    if case .statistic(let old) = tables[index].values[keys]?.value { statistic = old }
    statistic.add(value)
    try put(global, keys, .statistic(statistic))
  }

  package func statistic(_ global: GlobalID, _ pattern: [Datum?]) -> Statistic {
    if pattern.isEmpty, globals[global.index].kind == .statistic { return statistics[global.index] }
    if let keys = pattern.exactKeys {
      if case .statistic(let value) = tables[global.index].values[keys]?.value { return value }
      return Statistic(globals[global.index].statistics)
    }
    var merged = Statistic(globals[global.index].statistics)
    for element in elements(global, pattern) {
      if case .statistic(let value) = element.value { merged.merge(value) }
    }
    return merged
  }

  private func put(_ global: GlobalID, _ keys: [Datum], _ value: StoredElement.Value) throws(StoreError) {
    let index = global.index
    if let old = tables[index].values[keys] {
      tables[index].values[keys] = (value, old.position)
      return
    }
    if tables[index].values.count >= globals[index].maximumEntries {
      guard globals[index].wraps else { throw .full }
      removeOldest(index)
    }
    tables[index].values[keys] = (value, tables[index].order.count)
    tables[index].order.append(keys)
  }

  private func removeOldest(_ index: Int) {
    var position = tables[index].oldest
    while position < tables[index].order.count {
      if let keys = tables[index].order[position] {
        tables[index].oldest = position
        return remove(keys, index)
      }
      position += 1
    }
  }

  private func remove(_ keys: [Datum], _ index: Int) {
    guard let entry = tables[index].values.removeValue(forKey: keys) else { return }
    tables[index].order[entry.position] = nil
    if entry.position == tables[index].oldest { tables[index].oldest += 1 }
    if tables[index].order.count > 2 * tables[index].values.count + 64 { compact(index) }
  }

  private func compact(_ index: Int) {
    let kept = tables[index].order.compactMap { $0 }
    tables[index].order = kept
    tables[index].oldest = 0
    for (position, keys) in kept.enumerated() { tables[index].values[keys]?.position = position }
  }
}
