import Diagnostics
import StapSyntax

/// What can only be said when everything has been seen.
extension Elaborator {
  /// Warns about functions of the script that nothing calls.
  mutating func checkUnusedFunctions(of script: Script) {
    // A call that could not be understood is no evidence.
    guard !diagnostics.hasErrors else { return }
    let called = Set(functions.all.map(\.symbol))
    for (index, symbol) in symbols.functions.enumerated() where !symbol.isTapset && !called.contains(index) {
      let name = symbol.declaration.name
      guard
        !symbols.functions(named: name.text, in: name.range.source).contains(where: { called.contains($0) })
      else { continue }
      report(.unusedFunction(name))
    }
  }

  /// Every variable of the script that the output holds must have a type; without one it is not finished.
  ///
  /// What the tapset has for functions that the script does not call stays empty, and may be anything.
  mutating func checkTypesAreKnown() {
    guard !diagnostics.hasErrors else { return }
    for (index, function) in functions.all.enumerated() { checkValue(of: function, index) }
    for global in usedGlobals { checkType(of: symbols.globals[global]) }
    for (name, type, range) in localTypes { checkType(type, "'\(name)'", at: range) }
  }

  /// Variables that are only assigned to each other are one mistake.
  private mutating func checkType(_ type: TypeTerm, _ what: String, at range: SourceRange) {
    guard types.resolved(type) == nil, let identity = types.identity(of: type),
      !symbols.tapsetSources.contains(range.source)
    else { return }
    if unknownTypes.insert(identity).inserted { report(.unknownType(what, at: range)) }
  }

  /// Warns about globals that nothing touches, and about those that nothing gives a value, not even `-G`.
  mutating func reportUnusedGlobals() {
    // A body whose point leads nowhere was not walked.
    guard !diagnostics.hasErrors else { return }
    for symbol in symbols.globals where !symbol.isTapset {
      let name = symbol.declaration.name
      if symbol.output == nil {
        report(.unusedGlobal(name))
      } else if symbol.isRead, !symbol.isWritten,
        symbol.declaration.initialValue == nil,
        !environment.assignedGlobals.contains(name.text)
      {
        report(.neverAssigned(name.text, "global '\(name.text)'", at: name.range, near: []))
      }
    }
  }

  private mutating func checkValue(of function: FunctionInstances.Instance, _ index: Int) {
    if let use = function.valueUse, !givesValue(index) {
      let declaration = symbols.functions[function.symbol].declaration
      report(.functionGivesNothing(declaration.name, at: use))
    }
    guard givesValue(index) else { return }
    let name = symbols.functions[function.symbol].declaration.name
    checkType(function.result, "the value of '\(name.text)'", at: name.range)
  }

  private mutating func checkType(of symbol: GlobalSymbol) {
    let name = symbol.declaration.name
    if let value = symbol.value { checkType(value, "'\(name.text)'", at: name.range) }
    guard case .array(let keys, let evidence) = symbol.shape else { return }
    for key in keys { checkType(key, "a key of '\(name.text)'", at: evidence) }
  }

  /// Whether a function, or one that its `next` leads to, returns something.
  func givesValue(_ index: Int) -> Bool {
    if functions[index].returnsValue { return true }
    return functions[index].fallback.map { givesValue($0) } ?? false
  }
}

extension Diagnostic {
  fileprivate static func functionGivesNothing(_ name: Name, at range: SourceRange) -> Diagnostic {
    let notes = [note("no 'return' in it has a value", at: name.range)]
    return Diagnostic(.error, "no-value", "'\(name.text)' gives no value", at: range, notes: notes)
  }
}
