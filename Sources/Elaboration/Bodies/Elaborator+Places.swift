import Diagnostics
import StapSyntax

/// Globals, their shapes, keys and places.
extension Elaborator {
  /// The global that `name` means here, marked as part of the program; nil when it means a local.
  mutating func useGlobal(named name: String, at range: SourceRange) -> Int? {
    if let index = body.names[name], body.locals[index].isParameter { return nil }
    if symbols.global(named: name, in: body.source) == nil { linkTapset(global: name) }
    guard let global = symbols.global(named: name, in: body.source) else { return nil }
    guard symbols.globals[global].output == nil else { return global }
    let position = usedGlobals.count
    usedGlobals.append(global)
    let cell = symbols.globals[global].value ?? types.fresh()
    let initial = symbols.globals[global].declaration.initialValue
    symbols.updateGlobal(global) {
      $0.output = position
      $0.value = cell
    }
    if let initial {
      unify(cell, .known(type(of: initial.value)), "'\(name)'", at: initial.range)
      useAsScalar(global, at: initial.range)
    }
    return global
  }

  /// Its position in the elaborated program.
  func outputIndex(of global: Int) -> Int { symbols.globals[global].output ?? 0 }

  /// The type of a scalar or of an array's elements.
  func elementType(of global: Int) -> TypeTerm {
    let term = symbols.globals[global].value ?? .known(.long)
    return types.resolved(term) == .statistic ? .known(.long) : term
  }

  /// The types of an array's keys; empty for scalars.
  func keyTypes(of global: Int) -> [TypeTerm] {
    guard case .array(let keys, _) = symbols.globals[global].shape else { return [] }
    return keys
  }

  /// The array `name`, used with `arity` keys.
  mutating func useArray(_ name: Name, arity: Int) -> Int? {
    guard let global = useGlobal(named: name.text, at: name.range) else {
      report(.noSuchArray(name, near: symbols.globalNames, isLocal: body.names[name.text] != nil))
      return nil
    }
    switch symbols.globals[global].shape {
    case .unknown:
      let keys = (0..<arity).map { _ in types.fresh() }
      symbols.updateGlobal(global) { $0.shape = .array(keys: keys, name.range) }
    case .scalar(let evidence):
      report(.scalarUsedAsArray(name, evidence: evidence))
      return nil
    case .array(let keys, _) where keys.count != arity:
      report(.wrongKeyCount(name, arity, expected: keys.count, symbols.globals[global]))
      return nil
    case .array: break
    }
    return global
  }

  /// Settles that `global` is no array; false, and said, when it is one.
  @discardableResult
  mutating func useAsScalar(_ global: Int, at range: SourceRange) -> Bool {
    switch symbols.globals[global].shape {
    case .unknown: symbols.updateGlobal(global) { $0.shape = .scalar(range) }
    case .scalar: break
    case .array(_, let evidence):
      report(.arrayUsedAsScalar(symbols.globals[global].declaration.name.text, at: range, evidence: evidence))
      return false
    }
    return true
  }

  /// Notes that the script looks at `global`.
  mutating func markRead(_ global: Int) { symbols.updateGlobal(global) { $0.isRead = true } }

  /// Notes that the script changes `global`, which it must not while it walks it.
  mutating func markWritten(_ global: Int, at range: SourceRange) {
    symbols.updateGlobal(global) { $0.isWritten = true }
    if case .condition = body.subject { report(.conditionHasEffects(at: range)) }
    guard let loop = body.iterated.first(where: { $0.global == global }) else { return }
    let name = symbols.globals[global].declaration.name.text
    report(.modifiedDuringForeach(name, at: range, loop: loop.range))
  }

  /// Converts keys, where `*` may stand, joining their types with the array's.
  mutating func walk(patterns: [IndexPattern], of global: Int) -> [ElaboratedExpression?] {
    zip(patterns, keyTypes(of: global)).map { pattern, type in
      guard case .value(let expression) = pattern else { return nil }
      return walkKey(expression, type, of: global)
    }
  }

  /// Converts the keys of one element.
  mutating func walk(keys: [IndexPattern], of global: Int) -> [ElaboratedExpression] {
    zip(keys, keyTypes(of: global)).map { pattern, type in
      switch pattern {
      case .value(let expression): return walkKey(expression, type, of: global)
      case .any(let range):
        report(.wildcardKey(at: range))
        return ElaboratedExpression(.long(0), type: .long, range)
      }
    }
  }

  /// The place that an expression names, and its type; nil, and said, when it names none.
  mutating func walkPlace(_ expression: Expression) -> (place: ElaboratedPlace, type: TypeTerm, global: Int?)?
  {
    switch expression.kind {
    case .parenthesized(let inner): return walkPlace(inner)
    case .identifier(let name):
      guard let global = useGlobal(named: name, at: expression.range) else {
        let index = local(named: name, at: expression.range)
        return (.local(index), body.locals[index].type, nil)
      }
      guard useAsScalar(global, at: expression.range) else { return nil }
      return (.global(outputIndex(of: global)), valueTerm(of: global), global)
    case .index(let name, let patterns):
      guard let global = useArray(name, arity: patterns.count) else { return nil }
      let keys = walk(keys: patterns, of: global)
      return (.element(global: outputIndex(of: global), keys), valueTerm(of: global), global)
    case .target(let target) where target.pretty == .none && !target.takesAddress:
      report(.targetIsReadOnly(at: expression.range))
      return nil
    default:
      report(.notAssignable(at: expression.range))
      return nil
    }
  }

  /// A scalar statistic or an element of an array of them, where `*` merges.
  ///
  /// Nil, and said, otherwise.
  mutating func walkStatistic(_ expression: Expression) -> (global: Int, keys: [ElaboratedExpression?])? {
    switch expression.kind {
    case .parenthesized(let inner): return walkStatistic(inner)
    case .identifier(let name):
      if let walked = body.walkedValues.last(where: { $0.name == name }) {
        return walkStatistic(walked, at: expression.range)
      }
      guard let global = useGlobal(named: name, at: expression.range) else {
        report(.notStatistic(at: expression.range, name: name))
        return nil
      }
      guard useAsScalar(global, at: expression.range), useAsStatistic(global, at: expression.range) else {
        return nil
      }
      markRead(global)
      return (global, [])
    case .index(let name, let patterns):
      guard let global = useArray(name, arity: patterns.count), useAsStatistic(global, at: expression.range)
      else { return nil }
      markRead(global)
      return (global, walk(patterns: patterns, of: global))
    default:
      report(.notStatistic(at: expression.range, name: nil))
      return nil
    }
  }

  /// `@avg(v)` in `foreach (v = [k] in s)`: of `s[k]`, which nothing may change in the loop.
  private mutating func walkStatistic(
    _ walked: WalkedValue,
    at range: SourceRange
  ) -> (global: Int, keys: [ElaboratedExpression?])? {
    guard useAsStatistic(walked.global, at: range) else { return nil }
    let keys = walked.keys.map { IndexPattern.value(Expression(.identifier($0.text), $0.range)) }
    return (walked.global, walk(patterns: keys, of: walked.global))
  }

  /// The exact type of a global's value, statistics included.
  func valueTerm(of global: Int) -> TypeTerm { symbols.globals[global].value ?? .known(.long) }

  private mutating func useAsStatistic(_ global: Int, at range: SourceRange) -> Bool {
    let name = symbols.globals[global].declaration.name.text
    return unify(valueTerm(of: global), .known(.statistic), "'\(name)'", at: range)
  }

  private mutating func walkKey(
    _ expression: Expression,
    _ type: TypeTerm,
    of global: Int
  ) -> ElaboratedExpression {
    let draft = walk(expression)
    expect(draft, type, "this key of '\(symbols.globals[global].declaration.name.text)'")
    return finished(draft)
  }

  private func type(of literal: Literal.Value) -> ScriptType {
    switch literal {
    case .number: .long
    case .string: .string
    }
  }
}
