import Diagnostics
import StapSyntax
import Tapset

/// A call that was followed: what a name means differs between files.
struct LinkedCall: Hashable {
  let name: String
  let arity: Int
  let source: SourceID
}

/// Pulling tapset files in when a name of theirs is wanted.
///
/// A file comes whole: its globals, functions, aliases and probes (langref, "Tapsets").
extension Elaborator {
  /// Links the files that declare the function `name`.
  mutating func linkTapset(function name: String) {
    link(tapset.files(declaringFunction: name, in: &sources))
  }

  /// Links the files that declare the global `name`.
  mutating func linkTapset(global name: String) {
    link(tapset.files(declaringGlobal: name, in: &sources))
  }

  /// Links the files with an alias that `point` may name.
  mutating func linkTapset(aliasFor point: ProbePoint) {
    link(tapset.files(declaringAliasFor: point, in: &sources))
  }

  /// Links what `statement` calls, and what that calls in turn.
  ///
  /// Done before anything is asked about a body: whether a function reads target variables must not depend on how
  /// much of the tapset happens to be linked.
  mutating func linkCalls(of statement: Statement) {
    // The next one last; not by recursion, since functions may call one another thousands deep.
    var pending = Array(calls(in: statement).reversed())
    while let (name, arity) = pending.popLast() {
      for called in link(name, arity) { pending += calls(in: called).reversed() }
    }
  }

  private func calls(in statement: Statement) -> [(name: Name, arity: Int)] {
    var calls: [(name: Name, arity: Int)] = []
    statement.forEachExpression { $0.collectCalls(into: &calls) }
    return calls
  }

  /// Links the functions that a call may mean; gives the bodies of those that were not met before.
  private mutating func link(_ name: Name, _ arity: Int) -> [Statement] {
    let source = name.range.source
    guard linkedCalls.insert(LinkedCall(name: name.text, arity: arity, source: source)).inserted else {
      return []
    }
    let isOwn = symbols.functions(named: name.text, in: source).contains {
      let function = symbols.functions[$0]
      return !function.isTapset && function.declaration.parameters.count == arity
    }
    if !isOwn, IntrinsicTable.row(named: name.text, arity: arity) == nil { linkTapset(function: name.text) }
    return symbols.functions(named: name.text, in: source).reversed().compactMap { index in
      let function = symbols.functions[index].declaration
      guard function.parameters.count == arity, case .block(let statement) = function.body else { return nil }
      return statement
    }
  }

  /// Names of tapset functions, for suggestions.
  var tapsetFunctionNames: [String] { tapset.functionNames.filter { !$0.hasPrefix("_") } }

  private mutating func link(_ files: [TapsetLibrary.File]) {
    for file in files where linkedTapsetFiles.insert(file.source).inserted {
      for diagnostic in file.diagnostics { report(diagnostic) }
      guard let script = file.script else { continue }
      declare(script, isTapset: true)
      addProbes(of: script)
    }
  }
}

extension Expression {
  fileprivate func collectCalls(into calls: inout [(name: Name, arity: Int)]) {
    if case .call(let name, let arguments) = kind { calls.append((name, arguments.count)) }
    for child in children { child.collectCalls(into: &calls) }
  }
}
