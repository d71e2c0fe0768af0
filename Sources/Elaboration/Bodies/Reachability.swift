import Diagnostics
import StapSyntax

/// Finds statements that control never comes to.
///
///     next; n++        while (1) { f() } n++        if (0) n++
///           ^~~                          ^~~               ^~~
///
/// A condition counts as constant only where it is spelled so: what a macro, an argument of the script or `@defined`
/// decides is meant to have cases that are not taken.
struct Reachability {
  /// A statement that is not reached, and the one that keeps control from it.
  struct Finding {
    let statement: SourceRange
    let reason: SourceRange
  }

  private(set) var findings: [Finding] = []
  private let sources: SourceSet
  /// Whether a call of that name does not come back.
  private let neverReturns: (String) -> Bool
  /// For each loop around, innermost last: whether a `break` of it is reached.
  private var breaks: [Bool] = []

  init(_ sources: SourceSet, neverReturns: @escaping (String) -> Bool) {
    self.sources = sources
    self.neverReturns = neverReturns
  }

  /// Looks through `statement`; gives whether control comes to its end.
  @discardableResult mutating func visit(_ statement: Statement) -> Bool {
    switch statement.kind {
    case .block(let statements): return visit(statements)
    case .next, .return, .continue: return false
    case .break:
      if !breaks.isEmpty { breaks[breaks.count - 1] = true }
      return false
    case .expression(let expression):
      guard case .call(let name, _) = expression.kind else { return true }
      return !neverReturns(name.text)
    case .if(let condition, let then, let otherwise):
      return visitIf(condition, then, otherwise, truth(of: condition, in: statement.range))
    case .while(let condition, let body):
      return visitLoop(condition, body, truth(of: condition, in: statement.range))
    case .for(_, let condition, _, let body):
      return visitLoop(condition, body, condition.map { truth(of: $0, in: statement.range) } ?? true)
    case .foreach(let loop):
      visitLoop(body: loop.body)
      return true
    case .tryCatch(let body, _, let handler):
      let ends = visit(body)
      return visit(handler) || ends
    case .empty, .delete: return true
    }
  }

  private mutating func visit(_ statements: [Statement]) -> Bool {
    var reason: SourceRange?
    for statement in statements {
      if let reason {
        // A `;` too many is no code.
        if case .empty = statement.kind { continue }
        findings.append(Finding(statement: statement.range, reason: reason))
        return false
      }
      if !visit(statement) { reason = statement.range }
    }
    return reason == nil
  }

  private mutating func visitIf(
    _ condition: Expression,
    _ then: Statement,
    _ otherwise: Statement?,
    _ truth: Bool?
  ) -> Bool {
    if truth == false { findings.append(Finding(statement: then.range, reason: condition.range)) }
    if truth == true, let otherwise {
      findings.append(Finding(statement: otherwise.range, reason: condition.range))
    }
    let thenEnds = truth == false ? false : visit(then)
    let otherEnds = truth == true ? false : otherwise.map { visit($0) } ?? true
    return thenEnds || otherEnds
  }

  private mutating func visitLoop(_ condition: Expression?, _ body: Statement, _ truth: Bool?) -> Bool {
    if truth == false, let condition {
      findings.append(Finding(statement: body.range, reason: condition.range))
      return true
    }
    return visitLoop(body: body) || truth != true
  }

  /// Gives whether it is left by `break`.
  @discardableResult private mutating func visitLoop(body: Statement) -> Bool {
    breaks.append(false)
    visit(body)
    return breaks.removeLast()
  }

  /// What a condition always is; nil when it is not spelled as a constant.
  private func truth(of condition: Expression, in statement: SourceRange) -> Bool? {
    switch condition.kind {
    case .literal(.number(let value)): isSpelled(condition.range, in: statement) ? value != 0 : nil
    case .parenthesized(let inner): truth(of: inner, in: statement)
    case .unary(.not, let operand): truth(of: operand, in: statement).map { !$0 }
    default: nil
    }
  }

  /// Whether there are digits in the text of the statement, and no `$1` or `@MACRO`.
  private func isSpelled(_ literal: SourceRange, in statement: SourceRange) -> Bool {
    let text = sources[literal.source].text
    let start = literal.bytes.lowerBound
    guard statement.contains(literal), text.indices.contains(start) else { return false }
    return (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[start])
  }
}

extension Elaborator {
  /// Warns about code of the user's script that nothing leads to.
  mutating func reportUnreachable(in statement: Statement) {
    guard !isFinal, !symbols.tapsetSources.contains(statement.range.source) else { return }
    let source = body.source
    var search = Reachability(sources) { [symbols] name in
      ["abort", "error"].contains(name) && symbols.functions(named: name, in: source).isEmpty
    }
    search.visit(statement)
    for finding in search.findings {
      report(.unreachableCode(at: finding.statement, because: finding.reason))
    }
  }
}
