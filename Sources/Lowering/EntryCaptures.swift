import Elaboration
import TraceIR

/// What code asks of its function's entry, each thing once, by slot.
struct EntryCaptures {
  private(set) var expressions: [ElaboratedExpression] = []

  /// The slot for `capture`; equal plans and context fields share one.
  mutating func slot(for capture: ElaboratedExpression) -> Int {
    if let slot = expressions.firstIndex(where: { isSameRead($0, capture) }) { return slot }
    expressions.append(capture)
    return expressions.count - 1
  }

  private func isSameRead(_ left: ElaboratedExpression, _ right: ElaboratedExpression) -> Bool {
    switch (left.kind, right.kind) {
    case (.read(let first, let firstInputs), .read(let second, let secondInputs)):
      first == second && firstInputs.isEmpty && secondInputs.isEmpty
    case (.context(let first, _), .context(let second, _)): first == second
    case (.long(let first), .long(let second)): first == second
    default: false
    }
  }
}

extension EntryCaptures {
  /// Adds what the functions ask that `body` calls, and gives them their slots in the probe.
  ///
  /// A function that reads target variables is one probe's only.
  /// - Returns: how many of the slots are the body's own.
  mutating func adopt(
    _ captures: [EntryCaptures],
    of functions: inout [Function],
    calledBy body: Body
  ) -> Int {
    let ownCount = expressions.count
    for index in Self.called(by: body, functions) where !captures[index].expressions.isEmpty {
      let slots = captures[index].expressions.map { slot(for: $0) }
      functions[index].body.block = functions[index].body.block.rewriting { instruction in
        var instruction = instruction
        if case .loadEntry(let value, let slot) = instruction.operation, slots.indices.contains(slot) {
          instruction.operation = .loadEntry(value, slot: slots[slot])
        }
        return [instruction]
      }
    }
    return ownCount
  }

  /// The functions that may run, directly or not.
  private static func called(by body: Body, _ functions: [Function]) -> [Int] {
    var found: [Int] = []
    var open = [body.block]
    while let block = open.popLast() {
      block.forEach { instruction in
        guard case .call(_, let function, _) = instruction.operation else { return }
        var next: FunctionID? = function
        while let callee = next, !found.contains(callee.index), functions.indices.contains(callee.index) {
          found.append(callee.index)
          open.append(functions[callee.index].body.block)
          next = functions[callee.index].fallback
        }
      }
    }
    return found
  }
}
