import TargetModel

/// Computes once in a hit what is asked for several times: reads of registers, memory and strings of the program, and
/// what is made of them.
///
///     %0 = read rdi                              %0 = read rdi
///     %1 = userString(%0, 511)                   %1 = userString(%0, 511)
///     %2 = contains @n [%1]                      %2 = contains @n [%1]
///     if %2                              ⇒       if %2
///       %3 = read rdi                              %5 = add @n [%1], 1
///       %4 = userString(%3, 511)                 end
///       %5 = add @n [%4], 1
///     end
///
/// A read that has gone well is not tried again, so that no fault is lost. Clocks are asked each time, and memory where
/// some probe changes it (guru mode).
package let commonSubexpressions = Pass("common-subexpressions") { program in
  var program = program
  let writesMemory = program.writesUserMemory
  program.mapBodies { body in
    var body = body
    var numbering = Numbering(writesMemory: writesMemory)
    body.block = numbering.share(body.block, [:])
    return body
  }
  return program
}

/// What makes a value, without the value.
private enum Expression: Hashable {
  case unary(UnaryOperation, Operand)
  case binary(BinaryOperation, Operand, Operand)
  case context(ContextField)
  case read(LocationPlan, [Operand])
  case intrinsic(Intrinsic, [Operand])

  /// Nil for what may give another answer the next time, or does something.
  init?(_ operation: Operation) {
    switch operation {
    case .unary(_, let kind, let operand): self = .unary(kind, operand)
    case .binary(_, let kind, let left, let right): self = .binary(kind, left, right)
    case .context(_, let field, _):
      if field.isClock { return nil }
      self = .context(field)
    case .read(_, let plan, let inputs): self = .read(plan, inputs)
    case .intrinsic(_?, let intrinsic, let operands):
      guard intrinsic.isMovable || intrinsic.readsText else { return nil }
      self = .intrinsic(intrinsic, operands)
    default: return nil
    }
  }

  var readsMemory: Bool {
    switch self {
    case .read(let plan, _): plan.loadsMemory
    case .intrinsic(let intrinsic, _): intrinsic.readsText
    default: false
    }
  }
}

private struct Numbering {
  /// What is in memory may be another value the next time.
  let writesMemory: Bool
  /// What stands for a value that is not made any more.
  private var renamed: [ValueID: Operand] = [:]

  init(writesMemory: Bool) { self.writesMemory = writesMemory }

  /// `known` are the expressions that have values wherever the block runs.
  mutating func share(_ block: Block, _ known: [Expression: ValueID]) -> Block {
    var known = known
    var result = Block()
    for var instruction in block.instructions {
      rewrite(&instruction.operation, known)
      let operation = instruction.operation
      if let expression = Expression(operation), let value = operation.definedValue,
        !(writesMemory && expression.readsMemory)
      {
        if let made = known[expression] {
          renamed[value] = .value(made)
          continue
        }
        known[expression] = value
      }
      result.instructions.append(instruction)
    }
    return result
  }

  private mutating func rewrite(_ operation: inout Operation, _ known: [Expression: ValueID]) {
    // The condition is made in the first of a loop's blocks.
    if case .loop(let condition, let operand, let body, let step) = operation {
      let condition = share(condition, known)
      operation = .loop(
        condition: condition,
        rename(operand) ?? operand,
        body: share(body, known),
        step: share(step, known)
      )
      return
    }
    operation.mapOperands(rename)
    operation.mapBlocks { share($0, known) }
  }

  private func rename(_ operand: Operand) -> Operand? {
    if case .value(let value) = operand { renamed[value] } else { nil }
  }
}

extension ContextField {
  /// Whether asking twice in a hit may give two answers.
  fileprivate var isClock: Bool {
    switch self {
    case .realtimeNanoseconds, .monotonicNanoseconds, .cycles, .jiffies, .cpu: true
    default: false
    }
  }
}

extension Intrinsic {
  /// Whether it is a string of the program or the kernel.
  fileprivate var readsText: Bool {
    switch self {
    case .userString, .userStringOr, .kernelString, .kernelStringOr: true
    default: false
    }
  }
}
