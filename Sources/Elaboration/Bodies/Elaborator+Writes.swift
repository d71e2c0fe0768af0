import Diagnostics
import StapSyntax
import TargetModel

// Guru mode: variables of the traced program on the left of an assignment (stap(1), option -g).
extension Elaborator {
  /// `$x = v`, `$p->n += v`, `@var("x") = v`.
  mutating func walkTargetAssignment(
    _ assignment: AssignmentOperator,
    _ target: TargetExpression,
    _ right: Expression,
    _ range: SourceRange
  ) -> Draft {
    let old = walkTarget(target, at: range)
    let value = walkLong(right, "what is written to a variable of the program")
    switch assignment {
    case .set: return write(value, to: old, range)
    case .modify(let operation) where operation != .concatenate:
      return write(binary(operation, finished(old), value, range), to: old, range)
    case .modify, .aggregate:
      report(.notAssignable(at: range))
      return invalid(range)
    }
  }

  /// `$x++` and its kin.
  mutating func walkTargetIncrement(
    _ operation: IncrementOperator,
    _ target: TargetExpression,
    isValueUsed: Bool,
    _ range: SourceRange
  ) -> Draft {
    let old = walkTarget(target, at: range)
    let one = ElaboratedExpression(.long(1), type: .long, range)
    let changed = binary(operation.isDecrement ? .subtract : .add, finished(old), one, range)
    let written = write(changed, to: old, range)
    guard isValueUsed, !operation.isPrefix else { return written }
    // What was written, and back: the variable itself has changed by then.
    let before = binary(operation.isDecrement ? .add : .subtract, finished(written), one, range)
    return .long(before.kind, range)
  }

  private func binary(
    _ operation: BinaryOperator,
    _ left: ElaboratedExpression,
    _ right: ElaboratedExpression,
    _ range: SourceRange
  ) -> ElaboratedExpression {
    ElaboratedExpression(.binary(operation, left, right), type: .long, range)
  }

  /// Writes where `old` is read from.
  private mutating func write(_ value: ElaboratedExpression, to old: Draft, _ range: SourceRange) -> Draft {
    if case .condition = body.subject { report(.conditionHasEffects(at: range)) }
    guard case .read(let plan, let inputs) = old.kind else {
      if case .entry = old.kind {
        report(.cannotWrite("it is the value at the function's entry, used by now", at: range))
      }
      return invalid(range)
    }
    switch plan {
    case .load(.user, let byteCount, _, let address):
      return store(value, byteCount, address, inputs, range)
    case .bits(.load(.user, let byteCount, _, let address), let offset, let count, _) where count < 64:
      // A bit field: its neighbours keep their bits.
      let mask = (Int64(1) << Int64(count)) - 1
      let word = LocationPlan.load(.user, byteCount: byteCount, isSigned: false, address: address)
      let kept = LocationPlan.binary(.and, word, .constant(~(mask << Int64(offset))))
      let new = LocationPlan.binary(
        .shiftLeft,
        .binary(.and, .input(inputs.count), .constant(mask)),
        .constant(Int64(offset))
      )
      let whole = ElaboratedExpression(
        .read(.binary(.or, kept, new), inputs: inputs + [value]),
        type: .long,
        range
      )
      return store(whole, byteCount, address, inputs, range)
    case .load(.kernel, _, _, _), .bits(.load(.kernel, _, _, _), _, _, _):
      report(.cannotWrite("it is memory of the kernel", at: range))
    default: report(.cannotWrite("it is not in memory here, and probes cannot change registers", at: range))
    }
    return invalid(range)
  }

  private func store(
    _ value: ElaboratedExpression,
    _ byteCount: Int,
    _ address: LocationPlan,
    _ inputs: [ElaboratedExpression],
    _ range: SourceRange
  ) -> Draft {
    let place = ElaboratedExpression(.read(address, inputs: inputs), type: .long, range)
    let count = ElaboratedExpression(.long(Int64(byteCount)), type: .long, range)
    return .long(.intrinsic(.userWrite, [place, count, value]), range)
  }
}

extension Expression {
  /// The variable of the program that an assignment in guru mode may change; nil for everything else.
  var target: TargetExpression? {
    switch kind {
    case .parenthesized(let inner): inner.target
    case .target(let target) where target.pretty == .none && !target.takesAddress: target
    default: nil
    }
  }
}

extension Diagnostic {
  fileprivate static func cannotWrite(_ reason: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "target-read-only", "this cannot be changed: \(reason)", at: range)
  }
}
