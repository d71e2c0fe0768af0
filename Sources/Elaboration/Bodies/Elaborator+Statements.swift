import Diagnostics
import StapSyntax

extension Elaborator {
  /// Converts one statement.
  mutating func walk(_ statement: Statement) -> ElaboratedStatement {
    ElaboratedStatement(kind(of: statement), statement.range)
  }

  private mutating func kind(of statement: Statement) -> ElaboratedStatement.Kind {
    switch statement.kind {
    case .block(let statements): return .block(statements.map { walk($0) })
    case .empty: return .block([])
    case .expression(let expression): return .expression(walkForEffect(expression))
    case .if(let condition, let then, let otherwise): return walkIf(condition, then, otherwise)
    case .while(let condition, let body):
      return walkLoop(initial: nil, condition: condition, step: nil, body: body)
    case .for(let initial, let condition, let step, let body):
      return walkLoop(initial: initial, condition: condition, step: step, body: body)
    case .foreach(let loop): return walk(loop, at: statement.range)
    case .break: return inLoop(.break, "break", statement.range)
    case .continue: return inLoop(.continue, "continue", statement.range)
    case .next: return .next
    case .return(let value): return walkReturn(value, at: statement.range)
    case .delete(let expression): return walkDelete(expression)
    case .tryCatch(let body, let message, let handler): return walkTry(body, message, handler)
    }
  }

  private mutating func walkIf(
    _ condition: Expression,
    _ then: Statement,
    _ otherwise: Statement?
  ) -> ElaboratedStatement.Kind {
    if let truth = staticTruth(of: condition) {
      body.hasDeadCode = true
      guard let live = truth ? then : otherwise else { return .block([]) }
      return .block([walk(live)])
    }
    let condition = walkLong(condition, "a condition")
    let then = walk(then)
    let otherwise = otherwise.map { walk($0) }
    return .if(condition, then: then, else: otherwise)
  }

  private mutating func walkLoop(
    initial: Expression?,
    condition: Expression?,
    step: Expression?,
    body loopBody: Statement
  ) -> ElaboratedStatement.Kind {
    let initial = initial.map { walkForEffect($0) }
    let condition = condition.map { walkLong($0, "a condition") }
    let step = step.map { walkForEffect($0) }
    body.loopDepth += 1
    let statement = walk(loopBody)
    body.loopDepth -= 1
    return .loop(initial: initial, condition: condition, step: step, body: statement)
  }

  private mutating func inLoop(
    _ kind: ElaboratedStatement.Kind,
    _ word: String,
    _ range: SourceRange
  ) -> ElaboratedStatement.Kind {
    if body.loopDepth == 0 { report(.outsideLoop(word, at: range)) }
    return kind
  }

  private mutating func walkReturn(_ value: Expression?, at range: SourceRange) -> ElaboratedStatement.Kind {
    guard let result = body.result else {
      report(.returnOutsideFunction(at: range))
      return .return(nil)
    }
    guard let value else { return .return(nil) }
    let draft = walk(value)
    body.returnsValue = true
    expect(draft, result, "the function's value")
    return .return(finished(draft))
  }

  private mutating func walkTry(
    _ tried: Statement,
    _ message: Name?,
    _ handler: Statement
  ) -> ElaboratedStatement.Kind {
    let tried = walk(tried)
    var local: Int?
    if let message {
      if symbols.global(named: message.text, in: body.source) != nil {
        report(.catchIntoGlobal(message))
      } else {
        let index = self.local(named: message.text, at: message.range)
        body.locals[index].isAssigned = true
        body.locals[index].isRead = true
        unify(body.locals[index].type, .known(.string), "the caught message", at: message.range)
        local = index
      }
    }
    return .tryCatch(body: tried, message: local, handler: walk(handler))
  }

  private mutating func walkDelete(_ expression: Expression) -> ElaboratedStatement.Kind {
    switch expression.kind {
    case .parenthesized(let inner): return walkDelete(inner)
    case .identifier(let name):
      guard let global = useGlobal(named: name, at: expression.range) else {
        return deleteLocal(name, at: expression.range)
      }
      markWritten(global, at: expression.range)
      return .delete(global: outputIndex(of: global), [])
    case .index(let name, let patterns):
      guard let global = useArray(name, arity: patterns.count) else { return .block([]) }
      markWritten(global, at: expression.range)
      let keys = walk(patterns: patterns, of: global)
      return .delete(global: outputIndex(of: global), keys)
    default:
      report(.cannotDelete(at: expression.range))
      return .block([])
    }
  }

  private mutating func deleteLocal(_ name: String, at range: SourceRange) -> ElaboratedStatement.Kind {
    let index = local(named: name, at: range)
    body.locals[index].isAssigned = true
    let isString = types.resolved(body.locals[index].type) == .string
    let empty = ElaboratedExpression(
      isString ? .string("") : .long(0),
      type: isString ? .string : .long,
      range
    )
    return .expression(ElaboratedExpression(.assign(.local(index), empty), type: empty.type, range))
  }
}
