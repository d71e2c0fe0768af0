import TargetModel
import TraceIR

// `foreach`: the rows first, then a loop like any other.
//
//     foreach (v = k in a- limit 10) …
//
//     begin walk, 10                    where its rows begin is known: `first`
//     collect walk                      or, of a histogram: for each bucket: add walk, bucket, count
//     %n = seal walk
//     for (i = 0; i < %n; i++) { load walk, i → k, v … }
extension Expander {
  mutating func expandForeach(
    _ foreach: ForeachOperation,
    _ location: Int?,
    _ frame: inout InlineFrame,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> Action {
    let walk = try plan(foreach, location)
    let start = firstFreeRow(of: walk.row.rowClass, location, into: &steps)
    steps.append(Step(action: .operation(.storeLocal(walk.first, start)), location: location))
    let slice = foreach.slice.map { $0.map { frame.map($0) } }
    let count = makeValue(.long)
    let limit = foreach.limit.map { frame.map($0) }
    let collection: Action =
      if let shape = foreach.histogram {
        addBuckets(to: walk, shape, slice, location, into: &steps)
      } else {
        .walk(.collect(walk, slice: slice))
      }
    for action in [.walk(.begin(walk, limit: limit)), collection, .walk(.seal(walk, count))] as [Action] {
      steps.append(Step(action: action, location: location))
    }
    let (index, zero) = makeCounter(location)
    steps.append(zero)
    let around = walksAround
    walksAround[walk.row.rowClass] = .init(first: walk.first, count: count, lastRow: walk.lastRow)
    defer { walksAround = around }
    let place = makeValue(.long)
    let keys = foreach.keys.map { frame.local($0) ?? $0 }
    let load = WalkStep.load(walk, .value(place), keys: keys, shown: frame.local(foreach.value))
    let head: [Action] = [.operation(.loadLocal(place, index)), .walk(load)]
    let body = head.map { Step(action: $0, location: location) } + (try expand(foreach.body, &frame))
    return loop(index, to: .value(count), body, budget: loopBudget(), location)
  }

  /// Every bucket with its count; the counting of rounds is not the script's.
  private mutating func addBuckets(
    to walk: Walk,
    _ shape: HistogramShape,
    _ slice: [Operand?],
    _ location: Int?,
    into steps: inout [Step]
  ) -> Action {
    let (index, start) = makeCounter(location)
    steps.append(start)
    let (bucket, count) = (makeValue(.long), makeValue(.long))
    let body: [Action] = [
      .operation(.loadLocal(bucket, index)),
      .operation(.histogramBucket(count, shape, walk.content.global, slice, .value(bucket))),
      .walk(.add(walk, key: .value(bucket), shown: .value(count))),
    ]
    let end = Operand.long(Int64(shape.bucketCount))
    return loop(index, to: end, body.map { Step(action: $0, location: location) }, budget: nil, location)
  }

  private mutating func makeCounter(_ location: Int?) -> (LocalID, Step) {
    let index = makeLocal(.long)
    return (index, Step(action: .operation(.storeLocal(index, .long(0))), location: location))
  }

  /// Counts `index` up to `end`.
  private mutating func loop(
    _ index: LocalID,
    to end: Operand,
    _ body: [Step],
    budget: LocalID?,
    _ location: Int?
  ) -> Action {
    let (now, goesOn) = (makeValue(.long), makeValue(.long))
    let (before, after) = (makeValue(.long), makeValue(.long))
    let condition: [TraceIR.Operation] = [.loadLocal(now, index), .binary(goesOn, .less, .value(now), end)]
    let step: [TraceIR.Operation] = [
      .loadLocal(before, index), .binary(after, .add, .value(before), .long(1)),
      .storeLocal(index, .value(after)),
    ]
    return .loop(
      condition: condition.map { Step(action: .operation($0), location: location) },
      .value(goesOn),
      body: body,
      step: step.map { Step(action: .operation($0), location: location) },
      budget: budget
    )
  }

  // MARK: Rows

  /// Behind the rows of walks around, in this function or in its callers.
  ///
  /// A walk that found more elements than it wanted has its rows among one more than it has filled.
  mutating func firstFreeRow(of rowClass: RowClass, _ location: Int?, into steps: inout [Step]) -> Operand {
    let row = makeValue(.long)
    if let around = walksAround[rowClass] {
      let (first, last) = (makeValue(.long), makeValue(.long))
      let operations: [TraceIR.Operation] = [
        .loadLocal(first, around.first), .binary(last, .add, .value(first), .value(around.count)),
        .binary(row, .add, .value(last), .long(1)),
      ]
      steps += operations.map { Step(action: .operation($0), location: location) }
    } else if draft != nil {
      steps.append(Step(action: .operation(.loadLocal(row, callersRow(of: rowClass))), location: location))
    } else {
      steps.append(Step(action: .walk(.slotRow(rowClass, row)), location: location))
    }
    return .value(row)
  }

  /// Where a recursive function finds the first row that its callers leave free.
  mutating func callersRow(of rowClass: RowClass) -> LocalID {
    if let known = draft?.recursion.freeRows[rowClass] { return known }
    let made = makeLocal(.long)
    draft?.recursion.freeRows[rowClass] = made
    return made
  }

  // MARK: Plans

  /// Rows of one walk and those around it; more than this is not worth having for a probe.
  private static let mostRowBytes = 256 << 20

  private mutating func plan(_ foreach: ForeachOperation, _ location: Int?) throws(BPFBackendError) -> Walk {
    let global = program.globals[foreach.global.index]
    let (rank, isDescending) = rank(foreach)
    let isShown = foreach.value != nil || rank == .shown || foreach.histogram != nil
    let hasRank = if case .field = rank { true } else { false }
    let row = RowLayout(
      keys: foreach.histogram == nil
        ? FieldLayout(global.keyTypes, program.limits, bounds: global.keyBounds)
        : FieldLayout([.long], program.limits),
      shown: isShown ? shownType(foreach) : nil,
      hasRank: hasRank,
      program.limits
    )
    let walk = Walk(
      content: WalkContent(global: foreach.global, rank: rank, isDescending: isDescending, row: row),
      first: makeLocal(.long),
      capacity: capacity(foreach),
      rowsAround: walksAround[row.rowClass]?.lastRow ?? 0,
      isRecursive: draft != nil
    )
    let most = Self.mostRowBytes / row.byteCount
    guard walk.lastRow <= most else { throw .tooLarge(tooMany(walk), location: program.text(of: location)) }
    return walk
  }

  private func tooMany(_ walk: Walk) -> String {
    let around = walk.rowsAround > 0 ? " and those around it \(walk.rowsAround)" : ""
    let megabytes = walk.lastRow * walk.row.byteCount >> 20
    return
      "this 'foreach' may walk \(walk.capacity) elements of \(walk.row.byteCount) bytes\(around), copies of which "
      + "would take \(megabytes) MB, more than \(Self.mostRowBytes >> 20): use 'limit' with a number, an array with "
      + "[N], or a smaller MAXSTRINGLEN, MAXMAPENTRIES or MAXACTION"
  }

  /// Each round counts against MAXACTION, so rows beyond it are never reached.
  private func capacity(_ foreach: ForeachOperation) -> Int {
    let entries = foreach.histogram?.bucketCount ?? program.globals[foreach.global.index].maximumEntries
    var most = min(entries, max(0, program.limits.maxAction).addingReportingOverflow(1).partialValue)
    if case .long(let limit)? = foreach.limit { most = min(most, Int(clamping: limit)) }
    return max(1, most)
  }

  private func shownType(_ foreach: ForeachOperation) -> ValueType {
    guard foreach.histogram == nil, case .array(_, let type) = program.globals[foreach.global.index].kind
    else { return .long }
    return type
  }

  private func rank(_ foreach: ForeachOperation) -> (WalkContent.Rank, isDescending: Bool) {
    switch foreach.order {
    case .none: return (.none, false)
    case .key(let index, let descending): return (.key(index), descending)
    case .value(let descending): return (.shown, descending)
    case .statistic(let field, let descending):
      guard foreach.histogram == nil, field != .count,
        case .statisticArray = program.globals[foreach.global.index].kind
      else { return (.shown, descending) }
      return (.field(field), descending)
    }
  }
}
