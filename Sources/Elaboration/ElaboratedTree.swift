import StapSyntax
import TargetModel

extension ElaboratedExpression {
  /// The same expression with every direct child replaced; the order is that of running.
  func mapChildren(_ change: (ElaboratedExpression) -> ElaboratedExpression) -> ElaboratedExpression {
    var result = self
    switch kind {
    case .long, .string, .context: break
    case .place(let place): result.kind = .place(place.mapKeys(change))
    case .unary(let operation, let operand): result.kind = .unary(operation, change(operand))
    case .binary(let operation, let left, let right):
      result.kind = .binary(operation, change(left), change(right))
    case .assign(let place, let value): result.kind = .assign(place.mapKeys(change), change(value))
    case .modify(let place, let operation, let value):
      result.kind = .modify(place.mapKeys(change), operation, change(value))
    case .increment(let place, let operation): result.kind = .increment(place.mapKeys(change), operation)
    case .aggregate(let place, let value): result.kind = .aggregate(place.mapKeys(change), change(value))
    case .ternary(let condition, let then, let otherwise):
      result.kind = .ternary(change(condition), then: change(then), else: change(otherwise))
    case .membership(let global, let keys):
      result.kind = .membership(global: global, keys.map { $0.map(change) })
    case .regexMatch(let text, let pattern, let negated):
      result.kind = .regexMatch(change(text), pattern: pattern, negated: negated)
    case .call(let function, let arguments): result.kind = .call(function: function, arguments.map(change))
    default: result.kind = kind.mapSiteChildren(change)
    }
    return result
  }

  /// Calls `visit` with this expression and all inside it.
  func forEach(_ visit: (ElaboratedExpression) -> Void) {
    visit(self)
    forEachChild { $0.forEach(visit) }
  }

  /// Calls `visit` with the expressions directly inside this one.
  private func forEachChild(_ visit: (ElaboratedExpression) -> Void) {
    switch kind {
    case .long, .string, .context: break
    case .place(let place), .increment(let place, _): place.keys.forEach(visit)
    case .unary(_, let operand), .regexMatch(let operand, _, _), .entry(let operand): visit(operand)
    case .binary(_, let left, let right):
      visit(left)
      visit(right)
    case .assign(let place, let value), .modify(let place, _, let value), .aggregate(let place, let value):
      place.keys.forEach(visit)
      visit(value)
    case .ternary(let condition, let then, let otherwise):
      visit(condition)
      visit(then)
      visit(otherwise)
    case .membership(_, let keys), .statistic(_, _, let keys, _), .printHistogram(_, _, let keys, _),
      .formatHistogram(_, _, let keys):
      for case let key? in keys { visit(key) }
    case .histogramIndex(_, _, let keys, let bucket):
      for case let key? in keys { visit(key) }
      visit(bucket)
    case .call(_, let values), .intrinsic(_, let values), .read(_, let values), .siteFormat(_, let values),
      .print(_, let values), .format(_, let values):
      values.forEach(visit)
    }
  }
}

extension ElaboratedExpression.Kind {
  /// The second half of ``ElaboratedExpression/mapChildren(_:)``.
  fileprivate func mapSiteChildren(_ change: (ElaboratedExpression) -> ElaboratedExpression) -> Self {
    switch self {
    case .intrinsic(let intrinsic, let arguments): return .intrinsic(intrinsic, arguments.map(change))
    case .read(let plan, let inputs): return .read(plan, inputs: inputs.map(change))
    case .siteFormat(let slot, let values): return .siteFormat(slot: slot, values.map(change))
    case .entry(let inner): return .entry(change(inner))
    case .statistic(let operation, let global, let keys, let shift):
      return .statistic(operation, global: global, keys.map { $0.map(change) }, shift: shift)
    case .histogramIndex(let shape, let global, let keys, let bucket):
      return .histogramIndex(shape, global: global, keys.map { $0.map(change) }, change(bucket))
    case .print(let format, let values): return .print(format, values.map(change))
    case .format(let format, let values): return .format(format, values.map(change))
    case .printHistogram(let shape, let global, let keys, let endsLine):
      return .printHistogram(shape, global: global, keys.map { $0.map(change) }, endsLine: endsLine)
    case .formatHistogram(let shape, let global, let keys):
      return .formatHistogram(shape, global: global, keys.map { $0.map(change) })
    default: return self
    }
  }
}

extension ElaboratedPlace {
  fileprivate var keys: [ElaboratedExpression] {
    if case .element(_, let keys) = self { keys } else { [] }
  }

  /// The same place with its keys replaced.
  fileprivate func mapKeys(_ change: (ElaboratedExpression) -> ElaboratedExpression) -> ElaboratedPlace {
    guard case .element(let global, let keys) = self else { return self }
    return .element(global: global, keys.map(change))
  }
}

extension ElaboratedStatement {
  /// The same statement with direct children replaced: statements by `change`, expressions by `expression`.
  func mapChildren(
    _ change: (ElaboratedStatement) -> ElaboratedStatement,
    _ expression: (ElaboratedExpression) -> ElaboratedExpression
  ) -> ElaboratedStatement {
    var result = self
    switch kind {
    case .block(let statements): result.kind = .block(statements.map(change))
    case .expression(let value): result.kind = .expression(expression(value))
    case .if(let condition, let then, let otherwise):
      result.kind = .if(expression(condition), then: change(then), else: otherwise.map(change))
    case .loop(let initial, let condition, let step, let body):
      result.kind = .loop(
        initial: initial.map(expression),
        condition: condition.map(expression),
        step: step.map(expression),
        body: change(body)
      )
    case .foreach(var loop):
      loop.slice = loop.slice.map { $0.map(expression) }
      loop.limit = loop.limit.map(expression)
      loop.body = change(loop.body)
      result.kind = .foreach(loop)
    case .break, .continue, .next: break
    case .return(let value): result.kind = .return(value.map(expression))
    case .delete(let global, let keys):
      result.kind = .delete(global: global, keys.map { $0.map(expression) })
    case .tryCatch(let body, let message, let handler):
      result.kind = .tryCatch(body: change(body), message: message, handler: change(handler))
    }
    return result
  }

  /// Calls `visit` with every statement and expression in here.
  func forEach(_ visit: (ElaboratedStatement) -> Void, expressions: (ElaboratedExpression) -> Void) {
    visit(self)
    func go(_ child: ElaboratedStatement) { child.forEach(visit, expressions: expressions) }
    func look(_ children: ElaboratedExpression?...) {
      for case let child? in children { child.forEach(expressions) }
    }
    switch kind {
    case .block(let statements): statements.forEach(go)
    case .expression(let value): value.forEach(expressions)
    case .if(let condition, let then, let otherwise):
      condition.forEach(expressions)
      go(then)
      if let otherwise { go(otherwise) }
    case .loop(let initial, let condition, let step, let body):
      look(initial, condition, step)
      go(body)
    case .foreach(let loop):
      for case let key? in loop.slice { key.forEach(expressions) }
      look(loop.limit)
      go(loop.body)
    case .break, .continue, .next: break
    case .return(let value): look(value)
    case .delete(_, let keys): for case let key? in keys { key.forEach(expressions) }
    case .tryCatch(let body, _, let handler):
      go(body)
      go(handler)
    }
  }
}
