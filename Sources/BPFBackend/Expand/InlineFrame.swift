import TraceIR

/// What the numbers of one inlined body stand for in the expanded one.
struct InlineFrame {
  /// What stands for a local.
  enum Binding {
    case local(LocalID)
    /// A parameter that is never assigned: its argument.
    case fixed(Operand)
  }

  let types: [ValueType]
  var values: [Operand?]
  var locals: [Binding] = []
  /// What `return` does, after it stored the result.
  var exit = Action.finish
  var next = Action.finish
  /// Where `next` happens for the script: the call that nobody answers; nil: where it stands.
  var nextPlace: Int?
  var result: LocalID?

  init(_ body: Body) {
    types = body.values
    values = Array(repeating: nil, count: body.values.count)
  }

  func map(_ operand: Operand) -> Operand {
    guard case .value(let value) = operand else { return operand }
    // A value that nothing made: only code that never runs reads it.
    return values[value.index] ?? .long(0)
  }

  func map(_ operands: [Operand]) -> [Operand] { operands.map { map($0) } }

  func local(_ local: LocalID?) -> LocalID? {
    guard let local, case .local(let mapped) = locals[local.index] else { return nil }
    return mapped
  }
}

extension Block {
  /// Locals that anything inside assigns.
  var assignedLocals: Set<LocalID> {
    var result: Set<LocalID> = []
    forEach { instruction in
      if case .loadLocal = instruction.operation { return }
      result.formUnion(instruction.operation.locals)
    }
    return result
  }

  private var returnCount: Int {
    var count = 0
    forEach { instruction in
      if case .return = instruction.operation { count += 1 }
    }
    return count
  }

  /// What the last instruction returns when no other one does; `.some(nil)` when the end is just reached.
  var trailingReturn: Operand?? {
    switch (instructions.last?.operation, returnCount) {
    case (.return(let operand)?, 1): .some(operand)
    case (_, 0): .some(nil)
    default: nil
    }
  }
}
