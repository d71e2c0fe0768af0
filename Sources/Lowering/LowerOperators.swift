import Diagnostics
import Elaboration
import StapSyntax
import TraceIR

extension BodyBuilder {
  mutating func lowerUnary(
    _ operation: UnaryOperator,
    _ operand: ElaboratedExpression,
    _ range: SourceRange
  ) -> Operand {
    let value = lower(operand)
    let instruction: UnaryOperation
    switch operation {
    case .plus: return value
    case .minus: instruction = .negate
    case .not: instruction = .not
    case .complement: instruction = .complement
    }
    return emit(.long, at: range) { .unary($0, instruction, value) }
  }

  mutating func lowerBinary(
    _ operation: BinaryOperator,
    _ left: ElaboratedExpression,
    _ right: ElaboratedExpression,
    _ range: SourceRange
  ) -> Operand {
    switch operation {
    case .logicalAnd, .logicalOr: return lowerShortCircuit(operation, left, right, range)
    case .concatenate:
      let parts = concatenationParts(left) + concatenationParts(right)
      let operands = lower(parts)
      return emit(.string, at: range) { .concatenate($0, operands) }
    default: break
    }
    let first = lower(left)
    let second = lower(right)
    if left.type == .string, let relation = relation(operation) {
      return emit(.long, at: range) { .compareStrings($0, relation, first, second) }
    }
    return combine(operation, first, second, .long, range)
  }

  /// `left op right` for operands that are already there; `.` joins strings.
  mutating func combine(
    _ operation: BinaryOperator,
    _ left: Operand,
    _ right: Operand,
    _ type: ValueType,
    _ range: SourceRange
  ) -> Operand {
    guard let instruction = binaryOperation(operation) else {
      return emit(.string, at: range) { .concatenate($0, [left, right]) }
    }
    return emit(type, at: range) { .binary($0, instruction, left, right) }
  }

  private func concatenationParts(_ expression: ElaboratedExpression) -> [ElaboratedExpression] {
    guard case .binary(.concatenate, let left, let right) = expression.kind else { return [expression] }
    return concatenationParts(left) + concatenationParts(right)
  }

  /// `a && b`: a local that is set to the second operand's truth only when the first does not decide.
  private mutating func lowerShortCircuit(
    _ operation: BinaryOperator,
    _ left: ElaboratedExpression,
    _ right: ElaboratedExpression,
    _ range: SourceRange
  ) -> Operand {
    let result = newLocal(.long)
    let first = lower(left)
    let (decide, _) = block { builder in
      let second = builder.lower(right)
      let truth = builder.emit(.long, at: right.range) { .binary($0, .notEqual, second, .long(0)) }
      builder.emit(.storeLocal(result, truth), at: right.range)
    }
    let isAnd = operation == .logicalAnd
    let settled = Block([
      Instruction(.storeLocal(result, .long(isAnd ? 0 : 1)), at: locations.index(of: range))
    ])
    emit(.if(first, then: isAnd ? decide : settled, else: isAnd ? settled : decide), at: range)
    return emit(.long, at: range) { .loadLocal($0, result) }
  }

  private func relation(_ operation: BinaryOperator) -> Relation? {
    switch operation {
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    default: nil
    }
  }

  /// Nil for `.`, `&&` and `||`, which are no operations on two longs.
  private func binaryOperation(_ operation: BinaryOperator) -> BinaryOperation? {
    switch operation {
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    case .divide: .divide
    case .remainder: .remainder
    case .and: .and
    case .or: .or
    case .xor: .xor
    case .shiftLeft: .shiftLeft
    case .shiftRight: .shiftRight
    case .shiftRightLogical: .shiftRightLogical
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    case .concatenate, .logicalAnd, .logicalOr: nil
    }
  }
}
