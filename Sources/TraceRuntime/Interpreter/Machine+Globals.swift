import TraceIR

extension Machine {
  /// Does an operation on globals.
  mutating func performGlobal(
    _ operation: ComplexOperation,
    _ step: Step,
    _ unit: CodeUnit,
    _ frame: Frame
  ) throws(ScriptFault) {
    do {
      try performStored(operation, unit, frame)
    } catch let error as ScriptFault {
      throw error.located(at: step.place)
    } catch {
      throw ScriptFault(.arrayFull, subject: operation.globalNumber, location: step.place)
    }
  }

  private mutating func performStored(
    _ operation: ComplexOperation,
    _ unit: CodeUnit,
    _ frame: Frame
  ) throws {
    switch operation {
    case .loadGlobal(.long(let result), let global):
      longs[frame.longs + Int(result)] = store.long(global)
    case .loadGlobal(.string(let result), let global):
      strings[frame.strings + Int(result)] = store.string(global)
    case .storeGlobal(let global, .long(let value)): store.set(global, long(value, unit, frame))
    case .storeGlobal(let global, .string(let value)): store.set(global, string(value, unit, frame))
    case .addGlobal(let result, let global, let value):
      longs[frame.longs + Int(result)] = store.add(global, long(value, unit, frame))
    case .loadElement(let result, let global, let key):
      let missing: Datum = if case .long = result { .long(0) } else { .string("") }
      set(result, store.element(global, keys(key, unit, frame)) ?? missing, frame)
    case .storeElement(let global, let key, let value):
      try store.setElement(global, keys(key, unit, frame), datum(value, unit, frame))
    case .addElement(let result, let global, let key, let value):
      longs[frame.longs + Int(result)] =
        try store.addElement(global, keys(key, unit, frame), long(value, unit, frame))
    case .contains(let result, let global, let key):
      longs[frame.longs + Int(result)] = store.contains(global, pattern(key, unit, frame)) ? 1 : 0
    case .delete(let global, let key): store.delete(global, pattern(key, unit, frame))
    case .aggregate(let global, let key, let value):
      try store.aggregate(global, keys(key, unit, frame), long(value, unit, frame))
    default: try performStatistic(operation, unit, frame)
    }
  }

  private mutating func performStatistic(
    _ operation: ComplexOperation,
    _ unit: CodeUnit,
    _ frame: Frame
  ) throws {
    switch operation {
    case .extract(let result, let field, let global, let key):
      guard let answer = store.statistic(global, pattern(key, unit, frame)).extract(field) else {
        throw ScriptFault(.emptyAggregate)
      }
      longs[frame.longs + Int(result)] = answer
    case .histogramBucket(let result, let shape, let global, let key, let bucket):
      let buckets = store.statistic(global, pattern(key, unit, frame)).buckets(shape)
      let index = long(bucket, unit, frame)
      guard index >= 0, index < buckets.count else { throw ScriptFault(.histogramIndex) }
      longs[frame.longs + Int(result)] = Int64(bitPattern: buckets[Int(index)])
    case .packHistogram(let result, let shape, let global, let key, let first, let count):
      let buckets = store.statistic(global, pattern(key, unit, frame)).buckets(shape)
      strings[frame.strings + Int(result)] = ByteString(packing: buckets.dropFirst(first).prefix(count))
    case .printHistogram(let shape, let global, let key):
      let statistic = store.statistic(global, pattern(key, unit, frame))
      if statistic.count > 0 { output.append(statistic.buckets(shape), of: shape) }
    case .foreach(let plan): begin(plan, unit, frame)
    default: preconditionFailure("performGlobal is given operations on globals only")
    }
  }

  // MARK: foreach

  private mutating func begin(_ plan: ForeachPlan, _ unit: CodeUnit, _ frame: Frame) {
    let slice = pattern(plan.slice, unit, frame)
    var rows: [(keys: [Datum], value: Datum)]
    if let shape = plan.histogram {
      rows = store.statistic(plan.global, slice).buckets(shape).enumerated().map { bucket in
        ([.long(Int64(bucket.offset))], .long(Int64(bitPattern: bucket.element)))
      }
      rows = sorted(rows.map { ($0.keys, $0.value, $0.value) }, by: plan.order)
    } else {
      let elements = store.elements(plan.global, slice)
      rows = sorted(elements.map { ($0.keys, $0.shown, $0.rank(plan.order)) }, by: plan.order)
    }
    if let limit = plan.limit {
      rows.removeLast(rows.count - Int(clamping: min(max(0, long(limit, unit, frame)), Int64(rows.count))))
    }
    iterators[frame.iterators + plan.iterator] = Iterator(rows: rows)
  }

  /// Orders rows by their rank; rows of equal rank by their keys, so that every run prints the same.
  private func sorted(
    _ rows: [(keys: [Datum], value: Datum, rank: Datum)],
    by order: ForeachOperation.Order
  ) -> [(keys: [Datum], value: Datum)] {
    let isDescending: Bool
    var rows = rows
    switch order {
    case .none: return rows.map { ($0.keys, $0.value) }
    case .key(let index, let descending):
      isDescending = descending
      for row in rows.indices where index < rows[row].keys.count { rows[row].rank = rows[row].keys[index] }
    case .value(let descending), .statistic(_, let descending): isDescending = descending
    }
    let ordered = rows.sorted { left, right in
      if left.rank != right.rank { return isDescending ? right.rank < left.rank : left.rank < right.rank }
      return left.keys.lexicographicallyPrecedes(right.keys)
    }
    return ordered.map { ($0.keys, $0.value) }
  }

  /// Sets a `foreach`'s variables to the next element; false behind the last.
  mutating func advance(_ operation: ComplexOperation, _ frame: Frame) -> Bool {
    guard case .foreach(let plan) = operation else { return false }
    let slot = frame.iterators + plan.iterator
    guard iterators[slot].index < iterators[slot].rows.count else {
      iterators[slot] = Iterator()
      return false
    }
    let row = iterators[slot].rows[iterators[slot].index]
    iterators[slot].index += 1
    for (key, value) in zip(plan.keys, row.keys) { set(key, value, frame) }
    if let value = plan.value { set(value, row.value, frame) }
    return true
  }
}

extension StoredElement {
  /// What a `foreach` with a value sees.
  fileprivate var shown: Datum {
    switch value {
    case .datum(let value): value
    case .statistic(let statistic): .long(statistic.count)
    }
  }

  /// What it is sorted by; an empty statistic counts as 0.
  fileprivate func rank(_ order: ForeachOperation.Order) -> Datum {
    guard case .statistic(let statistic) = value, case .statistic(let field, _) = order else { return shown }
    return .long(statistic.extract(field) ?? 0)
  }
}

extension ComplexOperation {
  /// The global's index, for messages.
  fileprivate var globalNumber: Int64 {
    switch self {
    case .storeElement(let global, _, _), .addElement(_, let global, _, _), .aggregate(let global, _, _):
      Int64(global.index)
    default: -1
    }
  }
}

extension ByteString {
  /// Numbers of 8 bytes each, the lowest byte first.
  init(packing longs: some Sequence<UInt64>) {
    self.init(longs.flatMap { long in (0..<8).map { UInt8(truncatingIfNeeded: long >> (8 * $0)) } })
  }

  /// What `init(packing:)` was given.
  var unpackedLongs: [UInt64] {
    stride(from: 0, to: count - count % 8, by: 8).map { start in
      bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
  }
}
