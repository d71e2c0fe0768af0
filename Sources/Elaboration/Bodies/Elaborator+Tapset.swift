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
    var calls: [(name: Name, arity: Int)] = []
    statement.forEachExpression { $0.collectCalls(into: &calls) }
    for (name, arity) in calls { linkCall(of: name, arity) }
  }

  private mutating func linkCall(of name: Name, _ arity: Int) {
    let source = name.range.source
    guard linkedCalls.insert(LinkedCall(name: name.text, arity: arity, source: source)).inserted else {
      return
    }
    let isOwn = symbols.functions(named: name.text, in: source).contains {
      let function = symbols.functions[$0]
      return !function.isTapset && function.declaration.parameters.count == arity
    }
    if !isOwn, IntrinsicTable.row(named: name.text, arity: arity) == nil { linkTapset(function: name.text) }
    for index in symbols.functions(named: name.text, in: source) {
      let function = symbols.functions[index].declaration
      guard function.parameters.count == arity, case .block(let statement) = function.body else { continue }
      linkCalls(of: statement)
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
