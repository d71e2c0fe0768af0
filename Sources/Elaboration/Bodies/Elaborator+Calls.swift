import Diagnostics
import StapSyntax
import Tapset
import TargetModel

extension Elaborator {
  /// Converts a call: of a function of the script, else of a primitive, else of a tapset's function.
  mutating func walkCall(_ name: Name, _ arguments: [Expression], at range: SourceRange) -> Draft {
    if case .condition = body.subject { report(.conditionCalls(name)) }
    let arity = arguments.count
    if let symbol = firstOverload(name.text, arity, isTapset: false) {
      return walkCall(of: symbol, name, arguments, range)
    }
    if let row = IntrinsicTable.row(named: name.text, arity: arity) {
      return walkIntrinsic(row, name, arguments, range)
    }
    linkTapset(function: name.text)
    if let symbol = firstOverload(name.text, arity, isTapset: true) {
      return walkCall(of: symbol, name, arguments, range)
    }
    reportUnknown(name, arity, at: range)
    for argument in arguments { _ = walk(argument) }
    return invalid(range)
  }

  /// The first function of a chain of overloads with this name and arity.
  private func firstOverload(_ name: String, _ arity: Int, isTapset: Bool) -> Int? {
    symbols.functions(named: name, in: body.source).first {
      let function = symbols.functions[$0]
      return function.declaration.parameters.count == arity && (isTapset || !function.isTapset)
    }
  }

  private mutating func walkCall(
    of symbol: Int,
    _ name: Name,
    _ arguments: [Expression],
    _ range: SourceRange
  ) -> Draft {
    let index = instance(of: symbol, at: body.isTapset(symbols) ? body.call : name)
    let declaration = symbols.functions[symbol].declaration
    var values: [ElaboratedExpression] = []
    for (position, argument) in arguments.enumerated() {
      let value = walk(argument)
      let parameter = declaration.parameters[position].name.text
      expect(value, functions[index].parameters[position], "'\(parameter)' of '\(name.text)'")
      values.append(finished(value))
    }
    let givesNothing = isFinal && !givesValue(index)
    return Draft(.call(function: index, values), givesNothing ? nil : functions[index].result, range)
  }

  /// The instance of a function for the target variables of this body, made at the first call.
  private mutating func instance(of symbol: Int, at call: Name?) -> Int {
    let context = usesTargets(symbol) ? body.context : nil
    if let index = functions.index(of: symbol, in: context) { return index }
    let declaration = symbols.functions[symbol].declaration
    let fallbackSymbol = AST.containsNext(declaration) ? overload(after: symbol) : nil
    let fallback = fallbackSymbol.map { instance(of: $0, at: call) }
    let parameters =
      fallback.map { functions[$0].parameters } ?? declaration.parameters.map { _ in types.fresh() }
    let result = fallback.map { functions[$0].result } ?? types.fresh()
    for (parameter, term) in zip(declaration.parameters, parameters) {
      guard let declared = parameter.type else { continue }
      unify(term, .known(scriptType(declared)), "'\(parameter.name.text)'", at: parameter.name.range)
    }
    if let declared = declaration.result {
      unify(result, .known(scriptType(declared)), "the function's value", at: declaration.name.range)
    }
    return functions.add(
      FunctionInstances.Instance(
        symbol: symbol,
        context: context,
        parameters: parameters,
        result: result,
        returnsValue: declaration.result != nil,
        fallback: fallback,
        call: call
      )
    )
  }

  /// Where `next` leads: the overload of the same arity that comes after `symbol`.
  private func overload(after symbol: Int) -> Int? {
    let declaration = symbols.functions[symbol].declaration
    let chain = symbols.functions(named: declaration.name.text, in: declaration.range.source).filter {
      symbols.functions[$0].declaration.parameters.count == declaration.parameters.count
    }
    guard let position = chain.firstIndex(of: symbol), position + 1 < chain.count else { return nil }
    return chain[position + 1]
  }

  private func scriptType(_ declared: DeclaredType) -> ScriptType {
    switch declared {
    case .long: .long
    case .string: .string
    }
  }

  private mutating func reportUnknown(_ name: Name, _ arity: Int, at range: SourceRange) {
    let overloads = symbols.functions(named: name.text, in: body.source).map {
      symbols.functions[$0].declaration
    }
    let arities = overloads.map(\.parameters.count) + IntrinsicTable.arities(of: name.text)
    if arities.isEmpty {
      let printing = PrintCall.Function.allCases.map(\.rawValue)
      let names = symbols.functionNames + IntrinsicTable.names + tapsetFunctionNames + printing
      report(.noSuchFunction(name, near: names, missingTapset: environment.tapset.missingPlaces))
    } else {
      report(.wrongArgumentCount(name, arity, expected: arities, overloads.first?.name.range))
    }
  }
}
