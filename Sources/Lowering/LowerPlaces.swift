import Diagnostics
import Elaboration
import StapSyntax
import TraceIR

/// A place whose keys are evaluated, so that a modification evaluates them once.
enum LoweredPlace {
  case local(LocalID)
  case global(GlobalID)
  case element(GlobalID, [Operand])
}

extension BodyBuilder {
  mutating func lowerPlace(_ place: ElaboratedPlace) -> LoweredPlace {
    switch place {
    case .local(let local): .local(LocalID(local))
    case .global(let global): .global(GlobalID(global))
    case .element(let global, let keys): .element(GlobalID(global), lower(keys))
    }
  }

  mutating func load(_ place: LoweredPlace, _ type: ValueType, _ range: SourceRange) -> Operand {
    emit(type, at: range) { value in
      switch place {
      case .local(let local): .loadLocal(value, local)
      case .global(let global): .loadGlobal(value, global)
      case .element(let global, let keys): .loadElement(value, global, keys)
      }
    }
  }

  private mutating func store(_ operand: Operand, _ place: LoweredPlace, _ range: SourceRange) {
    switch place {
    case .local(let local): emit(.storeLocal(local, operand), at: range)
    case .global(let global): emit(.storeGlobal(global, operand), at: range)
    case .element(let global, let keys): emit(.storeElement(global, keys, operand), at: range)
    }
  }

  mutating func lowerAssignment(
    _ place: ElaboratedPlace,
    _ value: ElaboratedExpression,
    _ range: SourceRange
  ) -> Operand {
    let target = lowerPlace(place)
    let operand = lower(value)
    store(operand, target, range)
    return operand
  }

  mutating func lowerModification(
    _ place: ElaboratedPlace,
    _ operation: BinaryOperator,
    _ value: ElaboratedExpression,
    _ type: ValueType,
    _ range: SourceRange
  ) -> Operand {
    let target = lowerPlace(place)
    let operand = lower(value)
    if operation == .add || operation == .subtract, let addend = addend(operation, operand, range) {
      if let before = add(addend, to: target, range) {
        return combine(.add, before, addend, .long, range)
      }
    }
    let before = load(target, type, range)
    let after = combine(operation, before, operand, type, range)
    store(after, target, range)
    return after
  }

  mutating func lowerIncrement(
    _ place: ElaboratedPlace,
    _ operation: IncrementOperator,
    _ range: SourceRange
  ) -> Operand {
    let target = lowerPlace(place)
    let step = Operand.long(operation.isDecrement ? -1 : 1)
    if let before = add(step, to: target, range) {
      return operation.isPrefix ? combine(.add, before, step, .long, range) : before
    }
    let before = load(target, .long, range)
    let after = combine(.add, before, step, .long, range)
    store(after, target, range)
    return operation.isPrefix ? after : before
  }

  mutating func lowerAggregate(
    _ place: ElaboratedPlace,
    _ value: ElaboratedExpression,
    _ range: SourceRange
  ) -> Operand {
    let target = lowerPlace(place)
    let operand = lower(value)
    switch target {
    case .local: break
    case .global(let global): emit(.aggregate(global, [], operand), at: range)
    case .element(let global, let keys): emit(.aggregate(global, keys, operand), at: range)
    }
    return operand
  }

  /// What `op=` adds: the operand, or for `-=` its negative.
  private mutating func addend(
    _ operation: BinaryOperator,
    _ operand: Operand,
    _ range: SourceRange
  ) -> Operand? {
    if operation == .add { return operand }
    if case .long(let number) = operand { return .long(0 &- number) }
    return emit(.long, at: range) { .unary($0, .negate, operand) }
  }

  /// Adds at once for all threads and gives the value before; nil for a local, which no one else sees.
  private mutating func add(_ addend: Operand, to place: LoweredPlace, _ range: SourceRange) -> Operand? {
    switch place {
    case .local: nil
    case .global(let global): emit(.long, at: range) { .addGlobal($0, global, addend) }
    case .element(let global, let keys):
      emit(.long, at: range) { .addElement($0, global, keys, addend) }
    }
  }
}
