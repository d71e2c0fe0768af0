import TraceIR

/// Sees everything that steps read and make, in the order of the code.
protocol StepVisitor {
  /// Before the content of each step.
  mutating func willVisit(_ step: Step)
  mutating func willEnterLoop()
  mutating func didLeaveLoop()
  mutating func see(_ operand: Operand)
  mutating func see(result: ValueID)
  mutating func see(loaded local: LocalID)
  mutating func see(stored local: LocalID)
}

extension StepVisitor {
  mutating func willVisit(_ step: Step) {}
  mutating func willEnterLoop() {}
  mutating func didLeaveLoop() {}
  mutating func see(_ operand: Operand) {}
  mutating func see(result: ValueID) {}
  mutating func see(loaded local: LocalID) {}
  mutating func see(stored local: LocalID) {}

  mutating func visit(_ steps: [Step]) {
    for step in steps {
      willVisit(step)
      visit(step.action)
    }
  }

  /// Operands, then the local, then the result.
  private mutating func visit(_ operation: Operation) {
    operation.forEachOperand { see($0) }
    switch operation {
    case .storeLocal(let local, _): see(stored: local)
    case .loadLocal(_, let local): see(loaded: local)
    default: break
    }
    if let result = operation.definedValue { see(result: result) }
  }

  private mutating func see(all operands: [Operand]) { for operand in operands { see(operand) } }

  private mutating func visit(_ action: Action) {
    switch action {
    case .operation(let operation): visit(operation)
    case .machine(let result, let operation):
      see(all: operation.operands)
      see(result: result)
    case .readFields(let read):
      see(read.base)
      for field in read.fields { see(result: field.value) }
    case .emit(_, let site, let operands):
      see(site)
      see(all: operands)
    case .control(_, let site, let text):
      see(site)
      if let text { see(text) }
    case .fault(_, let subject, let text):
      see(subject)
      if let text { see(text) }
    case .branch(let condition, let then, let other):
      see(condition)
      visit(then)
      visit(other)
    case .loop: visitLoop(action)
    case .walk(let step): visit(step)
    case .scope(_, let steps): visit(steps)
    case .attempt(let steps, let message, let handler):
      visit(steps)
      if let message { see(stored: message) }
      visit(handler)
    case .activate(let recursion): visit(recursion)
    case .recurse(_, let passed, let results):
      for local in passed { see(loaded: local.from) }
      for result in results { see(stored: result) }
    case .leave, .breakLoop, .continueLoop, .finish: break
    }
  }

  /// What is outside of the region is needed to the end; what is inside belongs to one activation.
  private mutating func visit(_ recursion: Recursion) {
    see(all: recursion.operands)
    willEnterLoop()
    for local in recursion.outsideLocals + [recursion.budget] { see(stored: local) }
    // A call writes arguments after the region is saved, and reads others meanwhile: no two may share a place.
    for local in recursion.passed { see(stored: local) }
    for function in recursion.functions { visit(function.steps) }
    for local in recursion.outsideLocals + [recursion.budget] { see(loaded: local) }
    for local in recursion.passed { see(loaded: local) }
    didLeaveLoop()
  }

  private mutating func visitLoop(_ action: Action) {
    guard case .loop(let condition, let operand, let body, let step, let budget) = action else { return }
    willEnterLoop()
    if let budget {
      see(loaded: budget)
      see(stored: budget)
    }
    visit(condition)
    see(operand)
    visit(body)
    visit(step)
    didLeaveLoop()
  }

  private mutating func visit(_ step: WalkStep) {
    switch step {
    case .slotRow(_, let result): see(result: result)
    case .begin(let walk, let limit):
      if let limit { see(limit) }
      see(loaded: walk.first)
    case .collect(_, let slice): see(all: slice.compactMap { $0 })
    case .add(_, let key, let shown): see(all: [key, shown])
    case .seal(_, let result): see(result: result)
    case .load(let walk, let index, let keys, let shown):
      see(index)
      see(loaded: walk.first)
      for local in keys + (shown.map { [$0] } ?? []) { see(stored: local) }
    }
  }
}

/// The locals that steps touch.
private struct TouchedLocals: StepVisitor {
  var locals: [LocalID] = []

  mutating func see(loaded local: LocalID) { locals.append(local) }
  mutating func see(stored local: LocalID) { locals.append(local) }
}

extension [Step] {
  /// Of the first `count` locals, those for which the first thing that happens is not an assignment that always runs.
  func localsNeedingStart(among count: Int) -> [Bool] {
    var isKnown = [Bool](repeating: false, count: count)
    var needsStart = isKnown
    for step in self {
      var touched = TouchedLocals()
      touched.visit([step])
      let isStore = if case .operation(.storeLocal) = step.action { true } else { false }
      for local in touched.locals where local.index < count && !isKnown[local.index] {
        isKnown[local.index] = true
        needsStart[local.index] = !isStore
      }
    }
    return needsStart
  }
}
