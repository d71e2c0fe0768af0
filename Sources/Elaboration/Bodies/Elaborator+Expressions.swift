import Diagnostics
import StapSyntax
import TargetModel

extension Elaborator {
  /// Converts an expression whose value nobody asks for.
  mutating func walkForEffect(_ expression: Expression) -> ElaboratedExpression {
    switch expression.kind {
    case .assign(let assignment, let left, let right):
      return finished(walkAssignment(assignment, left, right, isValueUsed: false, expression.range))
    case .increment(let operation, let operand):
      return finished(walkIncrement(operation, operand, isValueUsed: false, expression.range))
    case .parenthesized(let inner): return walkForEffect(inner)
    default:
      let draft = walk(expression)
      // What could not be understood is no evidence of an idle statement.
      if isPure(draft.kind), !body.isTapset(symbols), !diagnostics.hasErrors {
        report(.noEffect(at: expression.range))
      }
      return finished(draft)
    }
  }

  /// Converts an expression.
  mutating func walk(_ expression: Expression) -> Draft {
    let range = expression.range
    switch expression.kind {
    case .literal(.number(let value)): return .long(.long(value), range)
    case .literal(.string(let text)): return .string(.string(text), range)
    case .parenthesized(let inner): return walk(inner)
    case .identifier, .index: return walkRead(expression)
    case .call(let name, let arguments): return walkCall(name, arguments, at: range)
    case .unary(let operation, let operand):
      return .long(.unary(operation, walkLong(operand, "the operand of '\(operation.rawValue)'")), range)
    case .binary(let operation, let left, let right): return walkBinary(operation, left, right, range)
    case .assign(let assignment, let left, let right):
      return walkAssignment(assignment, left, right, isValueUsed: true, range)
    case .increment(let operation, let operand):
      return walkIncrement(operation, operand, isValueUsed: true, range)
    case .ternary(let condition, let then, let otherwise):
      return walkTernary(condition, then, otherwise, range)
    case .membership(let patterns, let array): return walkMembership(patterns, array, range)
    case .regexMatch(let text, let pattern, let negated): return walkRegex(text, pattern, negated, range)
    case .print(let call): return walkPrint(call, at: range)
    default: return walkOperator(expression)
    }
  }

  /// The `@` operators, target variables and what only guru mode knows.
  private mutating func walkOperator(_ expression: Expression) -> Draft {
    let range = expression.range
    switch expression.kind {
    case .target(let target):
      return isEventText(target) ? walkEventText(range) : walkTarget(target, at: range)
    case .statistic(let operation, let operand, let shift):
      return walkStatisticValue(operation, operand, shift, range)
    case .histogramIndex(let histogram, let bucket): return walkBucket(histogram, bucket, range)
    case .histogram:
      report(.histogramAsValue(at: range))
      return invalid(range)
    case .defined(let operand): return .long(.long(isDefined(operand) ? 1 : 0), range)
    case .probeWrite(let name): return .long(.long(body.writtenNames.contains(name.text) ? 1 : 0), range)
    case .entry(let operand): return walkEntry(operand, range)
    case .enumConstant(let name): return walkEnumerator(name, range)
    case .enumName(let value, let type, let module): return walkEnumeratorName(value, type, module, range)
    case .dereference(let space, let size, let address): return walkDereference(space, size, address, range)
    case .register(let space, let number): return walkRegister(space, number, range)
    case .constant(let text):
      if let value = enumerator(named: text.stringValue) { return .long(.long(value), range) }
      let advice = "no enumerator here has that name; macros leave no trace: write the number"
      report(.notSupported("@const(\(text.text))", advice, at: range))
      return invalid(range)
    case .perfCounter:
      report(.notSupported("@perf", "a program at a probe cannot read the counter of its thread", at: range))
      return invalid(range)
    case .embeddedC:
      report(.embeddedC(at: range))
      return invalid(range)
    default: preconditionFailure("walk(_:) handles every other kind")
    }
  }

  private mutating func walkRead(_ expression: Expression) -> Draft {
    guard let (place, type, global) = walkPlace(expression) else { return invalid(expression.range) }
    var draft = Draft(.place(place), type, expression.range)
    if case .local(let index) = place {
      body.locals[index].isRead = true
      draft.pointee = body.locals[index].pointee
    }
    guard let global else { return draft }
    markRead(global)
    guard types.resolved(type) == .statistic else { return draft }
    report(.statisticAsValue(symbols.globals[global].declaration.name.text, at: expression.range))
    return invalid(expression.range)
  }

  private mutating func walkBinary(
    _ operation: BinaryOperator,
    _ left: Expression,
    _ right: Expression,
    _ range: SourceRange
  ) -> Draft {
    let what = "the operand of '\(operation.rawValue)'"
    switch operation {
    case .logicalAnd, .logicalOr: return walkLogical(operation, left, right, range)
    case .concatenate:
      let left = walkString(left, what)
      return .string(.binary(operation, left, walkString(right, what)), range)
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
      let left = walkValue(left)
      let right = walkValue(right)
      unify(left.type ?? .known(.long), right.type ?? .known(.long), what, at: right.range)
      return .long(.binary(operation, finished(left), finished(right)), range)
    case .or, .xor, .and, .shiftLeft, .shiftRight, .shiftRightLogical, .add, .subtract, .multiply, .divide,
      .remainder:
      let left = walkLong(left, what)
      return .long(.binary(operation, left, walkLong(right, what)), range)
    }
  }

  /// `@defined(…) && …`: what comes after a false one is never looked at.
  private mutating func walkLogical(
    _ operation: BinaryOperator,
    _ left: Expression,
    _ right: Expression,
    _ range: SourceRange
  ) -> Draft {
    let what = "the operand of '\(operation.rawValue)'"
    if let truth = staticTruth(of: left), truth == (operation == .logicalOr) {
      return .long(.long(truth ? 1 : 0), range)
    }
    let left = walkTruth(left, what)
    return .long(.binary(operation, left, walkTruth(right, what)), range)
  }

  /// An operand of `&&` and `||`; what gives nothing, such as `exit()` or a function without `return`, is false.
  private mutating func walkTruth(_ expression: Expression, _ what: String) -> ElaboratedExpression {
    let draft = walk(expression)
    if let type = draft.type { unify(.known(.long), type, what, at: draft.range) }
    return finished(draft)
  }

  private mutating func walkTernary(
    _ condition: Expression,
    _ then: Expression,
    _ otherwise: Expression,
    _ range: SourceRange
  ) -> Draft {
    if let truth = staticTruth(of: condition) {
      body.hasDeadCode = true
      return walk(truth ? then : otherwise)
    }
    let condition = walkLong(condition, "a condition")
    let then = walkValue(then)
    let otherwise = walkValue(otherwise)
    let type = then.type ?? types.fresh()
    unify(type, otherwise.type ?? type, "the branch after ':'", at: otherwise.range)
    let kind = ElaboratedExpression.Kind.ternary(condition, then: finished(then), else: finished(otherwise))
    return Draft(kind, type, range, pointee: then.pointee)
  }

  private mutating func walkMembership(
    _ patterns: [IndexPattern],
    _ array: Name,
    _ range: SourceRange
  ) -> Draft {
    guard let global = useArray(array, arity: patterns.count) else { return invalid(range) }
    markRead(global)
    return .long(.membership(global: outputIndex(of: global), walk(patterns: patterns, of: global)), range)
  }

  private mutating func walkRegex(
    _ text: Expression,
    _ pattern: Literal,
    _ negated: Bool,
    _ range: SourceRange
  ) -> Draft {
    let text = walkString(text, "the text before '\(negated ? "!~" : "=~")'")
    guard case .string(let pattern) = pattern.value else { return invalid(range) }
    return .long(.regexMatch(text, pattern: pattern, negated: negated), range)
  }

  /// Whether a statement of nothing but this does nothing.
  private func isPure(_ kind: ElaboratedExpression.Kind) -> Bool {
    switch kind {
    case .long, .string, .place, .unary, .membership, .context: true
    case .binary(let operation, _, _): operation != .logicalAnd && operation != .logicalOr
    default: false
    }
  }
}

extension BodyState {
  /// Whether the code is a tapset's, whose style is not the user's business.
  func isTapset(_ symbols: SymbolTable) -> Bool { symbols.tapsetSources.contains(source) }
}

extension Literal {
  /// As a script would write it; for messages.
  var text: String {
    switch value {
    case .number(let value): "\(value)"
    case .string(let text): "\"\(text)\""
    }
  }
}
