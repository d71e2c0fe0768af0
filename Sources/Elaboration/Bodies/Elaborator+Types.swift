import Diagnostics
import StapSyntax

/// Joining types, and saying where they clash.
extension Elaborator {
  /// Says something about the script, in the first walk only.
  mutating func report(_ diagnostic: Diagnostic) {
    if !isFinal { diagnostics.report(diagnostic) }
  }

  /// Joins two types; a clash is an error at `range`.
  @discardableResult
  mutating func unify(_ expected: TypeTerm, _ found: TypeTerm, _ what: String, at range: SourceRange) -> Bool
  {
    guard !types.unify(expected, found, at: range) else { return true }
    guard let expectedType = types.resolved(expected), let foundType = types.resolved(found) else {
      return false
    }
    let evidence = types.evidence(for: expected) ?? types.evidence(for: found)
    report(.typeMismatch(what, expected: expectedType, found: foundType, at: range, evidence: evidence))
    return false
  }

  /// Joins the type of `draft` with the one that its place asks for.
  mutating func expect(_ draft: Draft, _ type: TypeTerm, _ what: String) {
    guard let found = draft.type else {
      report(.noValue(at: draft.range))
      return
    }
    noteValueUse(of: draft)
    unify(type, found, what, at: draft.range)
  }

  /// The expression with its type; what is unknown counts as long, since it is reported elsewhere.
  ///
  /// Mutating only so that `finished(walk(e))` looks at the types after the walk: a plain method would be called on
  /// the value that `self` was before its argument ran.
  mutating func finished(_ draft: Draft) -> ElaboratedExpression {
    ElaboratedExpression(draft.kind, type: draft.type.map { types.resolved($0) ?? .long }, draft.range)
  }

  /// Converts an expression that must be a number.
  mutating func walkLong(_ expression: Expression, _ what: String) -> ElaboratedExpression {
    let draft = walk(expression)
    expect(draft, .known(.long), what)
    return finished(draft)
  }

  /// Converts an expression that must be text.
  mutating func walkString(_ expression: Expression, _ what: String) -> ElaboratedExpression {
    let draft = walk(expression)
    expect(draft, .known(.string), what)
    return finished(draft)
  }

  /// Converts an expression whose value is only asked for, whatever its type.
  mutating func walkValue(_ expression: Expression) -> Draft {
    var draft = walk(expression)
    if draft.type == nil {
      report(.noValue(at: draft.range))
      draft.type = types.fresh()
    }
    noteValueUse(of: draft)
    return draft
  }

  /// What stands for an expression that was already reported.
  mutating func invalid(_ range: SourceRange) -> Draft { Draft(.long(0), types.fresh(), range) }

  /// Remembers who asks for a function's value, to complain should it turn out to give none.
  private mutating func noteValueUse(of draft: Draft) {
    guard case .call(let function, _) = draft.kind, functions[function].valueUse == nil else { return }
    functions[function].valueUse = draft.range
  }
}
