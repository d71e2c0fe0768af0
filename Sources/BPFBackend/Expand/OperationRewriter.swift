import TraceIR

/// Visits what an operation reads and makes, and may put something else in its place.
protocol OperationRewriter {
  mutating func rewrite(_ operand: Operand) -> Operand
  mutating func rewrite(result: ValueID) -> ValueID
  mutating func rewrite(loaded local: LocalID) -> LocalID
  mutating func rewrite(stored local: LocalID) -> LocalID
}

extension OperationRewriter {
  /// `operation` with everything rewritten: operands, then locals, then the result.
  mutating func rewrite(_ operation: Operation) -> Operation {
    let isStore = if case .storeLocal = operation { true } else { false }
    return
      operation
      .mapping(operand: { rewrite($0) })
      .mapping(local: { isStore ? rewrite(stored: $0) : rewrite(loaded: $0) })
      .mapping(definition: { rewrite(result: $0) })
  }

  mutating func rewrite(_ operands: [Operand]) {
    for operand in operands { _ = rewrite(operand) }
  }
}
