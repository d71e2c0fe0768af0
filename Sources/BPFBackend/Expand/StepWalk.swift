import TraceIR

/// Sees everything that steps read and make, in the order of the code.
protocol StepVisitor: OperationRewriter {
  /// Before the content of each step.
  mutating func willVisit(_ step: Step)
  mutating func willEnterLoop()
  mutating func didLeaveLoop()
}

extension StepVisitor {
  mutating func willVisit(_ step: Step) {}
  mutating func willEnterLoop() {}
  mutating func didLeaveLoop() {}

  mutating func visit(_ steps: [Step]) {
    for step in steps {
      willVisit(step)
      visit(step.action)
    }
  }

  private mutating func visit(_ action: Action) {
    switch action {
    case .operation(let operation): _ = rewrite(operation)
    case .machine(let result, let operation):
      rewrite(operation.operands)
      _ = rewrite(result: result)
    case .readFields(let read):
      _ = rewrite(read.base)
      for field in read.fields { _ = rewrite(result: field.value) }
    case .emit(_, let site, let operands): rewrite([site] + operands)
    case .control(_, let site, let text): rewrite([site] + (text.map { [$0] } ?? []))
    case .fault(_, let subject, let text): rewrite([subject] + (text.map { [$0] } ?? []))
    case .branch(let condition, let then, let other):
      _ = rewrite(condition)
      visit(then)
      visit(other)
    case .loop: visitLoop(action)
    case .walk(let step): visit(step)
    case .scope(_, let steps): visit(steps)
    case .attempt(let steps, let message, let handler):
      visit(steps)
      if let message { _ = rewrite(stored: message) }
      visit(handler)
    case .activate(let recursion): visit(recursion)
    case .recurse(_, let arguments, let results):
      for argument in arguments { _ = rewrite(loaded: argument) }
      for result in results { _ = rewrite(stored: result) }
    case .leave, .breakLoop, .continueLoop, .finish: break
    }
  }

  /// What is outside of the region is needed to the end; what is inside belongs to one activation.
  private mutating func visit(_ recursion: Recursion) {
    rewrite(recursion.operands)
    willEnterLoop()
    for local in recursion.outsideLocals + [recursion.budget] { _ = rewrite(stored: local) }
    // A call writes arguments after the region is saved, and reads others meanwhile: no two may share a place.
    let ofCalls = [recursion.caller] + recursion.functions.flatMap(\.arguments)
    for local in ofCalls { _ = rewrite(stored: local) }
    for function in recursion.functions { visit(function.steps) }
    for local in recursion.outsideLocals + [recursion.budget] { _ = rewrite(loaded: local) }
    for local in ofCalls { _ = rewrite(loaded: local) }
    didLeaveLoop()
  }

  private mutating func visitLoop(_ action: Action) {
    guard case .loop(let condition, let operand, let body, let step, let budget) = action else { return }
    willEnterLoop()
    if let budget {
      _ = rewrite(loaded: budget)
      _ = rewrite(stored: budget)
    }
    visit(condition)
    _ = rewrite(operand)
    visit(body)
    visit(step)
    didLeaveLoop()
  }

  private mutating func visit(_ step: WalkStep) {
    switch step {
    case .begin(_, let limit): if let limit { _ = rewrite(limit) }
    case .collect(_, let slice): rewrite(slice.compactMap { $0 })
    case .add(_, let key, let shown): rewrite([key, shown])
    case .seal(_, let result): _ = rewrite(result: result)
    case .load(_, let index, let keys, let shown):
      _ = rewrite(index)
      for local in keys + (shown.map { [$0] } ?? []) { _ = rewrite(stored: local) }
    }
  }
}

/// Whether and how steps touch one local.
private struct LocalTouch: StepVisitor {
  let local: LocalID
  var isTouched = false

  mutating func rewrite(_ operand: Operand) -> Operand { operand }
  mutating func rewrite(result: ValueID) -> ValueID { result }

  mutating func rewrite(loaded local: LocalID) -> LocalID {
    if local == self.local { isTouched = true }
    return local
  }

  mutating func rewrite(stored local: LocalID) -> LocalID { rewrite(loaded: local) }
}

extension [Step] {
  /// Whether the first thing that happens to `local` is an assignment that always runs, or nothing at all.
  func beginsByStoring(_ local: LocalID) -> Bool {
    for step in self {
      var touch = LocalTouch(local: local)
      touch.visit([step])
      guard touch.isTouched else { continue }
      if case .operation(.storeLocal) = step.action { return true }
      return false
    }
    return true
  }
}
