import TraceIR

/// A call of a recursive function from outside, with the code of all recursive functions that it can reach.
///
/// The kernel allows no recursion, so the code stands here once and is jumped into. Its variables have fixed places
/// in one region of scratch memory: a recursive call saves the region, a return brings it back.
///
///     region     the variables of the activation that runs, and which call it returns to
///     frame 0    the region as the first activation left it
///     frame 1    the region as the second one left it
///     …
struct Recursion {
  /// One function's code; it ends where the code ends.
  struct Function {
    let id: FunctionID
    /// Where calls put the arguments; in the region.
    let arguments: [LocalID]
    var steps: [Step]
  }

  /// What an uncaught fault leaves while calls are given up, until one of them was made in a `try`.
  struct Fault {
    /// Code above, location below.
    let word: LocalID
    let subject: LocalID
    let text: LocalID
  }

  var functions: [Function] = []
  let entry: FunctionID
  let operands: [Operand]
  /// Index into ``ExpandedBody/regions``.
  let region: Int
  /// How many frames are saved.
  let top: LocalID
  /// Which recursive call the activation returns to, in the region; 0 is the call from outside.
  let caller: LocalID
  /// What functions return, by type.
  let results: [ValueType: LocalID]
  let budget: LocalID
  let fault: Fault
  /// By class, the first row that callers leave free; in the region.
  ///
  /// A call passes on those that its own walks take; the others stay as they are.
  var freeRows: [RowClass: LocalID] = [:]
  /// Whether a recursive call is made inside a `try` of a recursive function.
  var unwinds = false

  /// Longs that change from call to call and are not in the region.
  var pinned: [LocalID] { [top, budget, fault.word, fault.subject] + (results[.long].map { [$0] } ?? []) }

  /// What calls pass on.
  var passed: [LocalID] {
    [caller] + functions.flatMap(\.arguments) + freeRows.sorted { $0.key < $1.key }.map(\.value)
  }

  /// What begins anew with each call from outside, and is not in the region.
  var outsideLocals: [LocalID] {
    let returned = results.values.sorted { $0.index < $1.index }
    return returned + (unwinds ? [top, fault.word, fault.subject, fault.text] : [top])
  }
}

/// The variables of a ``Recursion`` that belong to one activation.
struct RecursionRegion {
  var values: Range<Int>
  var locals: Range<Int>
  let pinned: [LocalID]
}

/// What a recursive call copies once the caller's variables are saved.
struct PassedLocal {
  let from: LocalID
  let to: LocalID
}

/// What the expander knows while it is inside a recursion.
struct RecursionDraft {
  var recursion: Recursion
  var pending: [FunctionID]
  /// How many `try` are open in the function that is expanded.
  var openAttempts = 0
}

extension Expander {
  /// Calls a function that may be called again before it returns.
  mutating func expandRecursive(
    _ id: FunctionID,
    _ operands: [Operand],
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> LocalID? {
    if draft != nil {
      return recurse(id, operands, location, into: &steps)
    }
    let outside = (numbering, readTexts, walksAround)
    var results: [ValueType: LocalID] = [:]
    for type in ValueType.allCases { results[type] = makeLocal(type) }
    let fault = Recursion.Fault(word: makeLocal(.long), subject: makeLocal(.long), text: makeLocal(.string))
    let top = makeLocal(.long)
    let budget = loopBudget()
    let first = (values: body.values.count, locals: body.locals.count)
    let recursion = Recursion(
      entry: id,
      operands: operands,
      region: body.regions.count,
      top: top,
      caller: makeLocal(.long),
      results: results,
      budget: budget,
      fault: fault
    )
    body.regions.append(.init(values: 0..<0, locals: 0..<0, pinned: recursion.pinned))
    draft = RecursionDraft(recursion: recursion, pending: [])
    request(id)
    while let next = draft?.pending.popLast() {
      (numbering, readTexts, walksAround) = (outside.0, outside.1, [:])
      try expandBody(next, location)
    }
    (numbering, readTexts, walksAround) = outside
    guard let finished = draft?.recursion else { return nil }
    draft = nil
    body.regions[finished.region].values = first.values..<body.values.count
    body.regions[finished.region].locals = first.locals..<body.locals.count
    for (rowClass, local) in finished.freeRows.sorted(by: { $0.key < $1.key }) {
      let row = firstFreeRow(of: rowClass, location, into: &steps)
      steps.append(Step(action: .operation(.storeLocal(local, row)), location: location))
    }
    for local in finished.outsideLocals { steps.append(clear(local)) }
    steps.append(Step(action: .activate(finished), location: location))
    return program.functions[id.index].result.flatMap { results[$0] }
  }

  /// Makes sure that the recursion has the code of `id`.
  private mutating func request(_ id: FunctionID) {
    guard var known = draft, !known.recursion.functions.contains(where: { $0.id == id }) else { return }
    let arguments = program.functions[id.index].parameters.map { makeLocal($0) }
    known.recursion.functions.append(.init(id: id, arguments: arguments, steps: []))
    known.pending.append(id)
    draft = known
  }

  private mutating func expandBody(_ id: FunctionID, _ location: Int?) throws(BPFBackendError) {
    guard let index = draft?.recursion.functions.firstIndex(where: { $0.id == id }),
      let arguments = draft?.recursion.functions[index].arguments
    else { return }
    let function = program.functions[id.index]
    var steps: [Step] = []
    let result = function.result.flatMap { draft?.recursion.results[$0] }
    if let result { steps.append(clear(result)) }
    let operands = arguments.map { argument in
      let value = makeValue(body.locals[argument.index])
      steps.append(Step(action: .operation(.loadLocal(value, argument)), location: location))
      return Operand.value(value)
    }
    draft?.openAttempts = 0
    try inlineScoped(id, operands, result, isFallback: false, location, into: &steps)
    draft?.recursion.functions[index].steps = steps
  }

  /// A call from inside.
  private mutating func recurse(
    _ id: FunctionID,
    _ operands: [Operand],
    _ location: Int?,
    into steps: inout [Step]
  ) -> LocalID? {
    request(id)
    // All arguments are known before the first one is passed.
    let staged = zip(operands, program.functions[id.index].parameters).map { operand, type in
      let local = makeLocal(type)
      steps.append(Step(action: .operation(.storeLocal(local, operand)), location: location))
      return local
    }
    let arguments = draft?.recursion.functions.first { $0.id == id }?.arguments ?? []
    var passed = zip(staged, arguments).map { PassedLocal(from: $0, to: $1) }
    for rowClass in walksAround.keys.sorted() {
      let row = firstFreeRow(of: rowClass, location, into: &steps)
      let local = makeLocal(.long)
      steps.append(Step(action: .operation(.storeLocal(local, row)), location: location))
      passed.append(PassedLocal(from: local, to: callersRow(of: rowClass)))
    }
    if draft?.openAttempts ?? 0 > 0 { draft?.recursion.unwinds = true }
    let result = program.functions[id.index].result.flatMap { draft?.recursion.results[$0] }
    let results = draft?.recursion.results.values.sorted { $0.index < $1.index } ?? []
    steps.append(Step(action: .recurse(id, passed, results: results), location: location))
    return result
  }
}
