import Diagnostics
import StapSyntax
import TargetModel

extension Elaborator {
  /// Converts one probe's body and condition.
  mutating func walk(probe draft: ProbeDraft) -> ElaboratedProbe {
    let condition = walk(draft.conditions)
    body = BodyState(source: draft.range.source, subject: .probe(draft.context))
    body.context = draft.context
    body.writtenNames = draft.writtenNames
    var statements = draft.context.condition.map { [guarding($0, draft)] } ?? []
    for piece in draft.pieces {
      body.source = piece.range.source
      reportUnreachable(in: piece)
      statements.append(walk(piece))
    }
    if !isFinal { reportUnusedLocals(assignedIn: draft.ownBody) }
    return ElaboratedProbe(
      name: draft.name,
      trigger: draft.trigger,
      entry: draft.entry,
      condition: condition,
      body: ElaboratedBody(locals: elaboratedLocals(), statement: joined(statements, draft.range)),
      range: draft.range
    )
  }

  /// `if (!condition) next`: the hit belongs to the point only then.
  private func guarding(_ condition: ElaboratedExpression, _ draft: ProbeDraft) -> ElaboratedStatement {
    var value = condition
    if draft.context.isReturn { value = ElaboratedExpression(.entry(value), type: .long, draft.range) }
    let isOther = ElaboratedExpression(.unary(.not, value), type: .long, draft.range)
    let skip = ElaboratedStatement(.next, draft.range)
    return ElaboratedStatement(.if(isOther, then: skip, else: nil), draft.range)
  }

  /// Converts one function.
  mutating func walk(function index: Int) -> ElaboratedFunction {
    let instance = functions[index]
    let declaration = symbols.functions[instance.symbol].declaration
    body = BodyState(source: declaration.range.source, subject: .function)
    body.context = instance.context
    body.result = instance.result
    body.call = instance.call
    for (parameter, type) in zip(declaration.parameters, instance.parameters) {
      addParameter(parameter.name, type)
    }
    let statement = walkFunctionBody(declaration)
    functions[index].returnsValue = functions[index].returnsValue || body.returnsValue
    if !isFinal {
      reportUnusedLocals(assignedIn: symbols.functions[instance.symbol].isTapset ? nil : declaration.range)
    }
    let returnsValue = givesValue(index)
    return ElaboratedFunction(
      name: declaration.name.text,
      parameterCount: declaration.parameters.count,
      result: returnsValue ? types.resolved(instance.result) ?? .long : nil,
      body: ElaboratedBody(locals: elaboratedLocals(), statement: statement),
      fallback: instance.fallback,
      range: declaration.range
    )
  }

  /// The local that `name` means here; made by its first use.
  mutating func local(named name: String, at range: SourceRange) -> Int {
    if let index = body.names[name] { return index }
    body.names[name] = body.locals.count
    body.locals.append(LocalSymbol(name: name, type: types.fresh(), isParameter: false, firstUse: range))
    return body.locals.count - 1
  }

  private mutating func addParameter(_ name: Name, _ type: TypeTerm) {
    if body.names[name.text] != nil { report(.duplicateParameter(name)) }
    if let global = symbols.global(named: name.text, in: body.source), !body.isTapset(symbols) {
      let declared = symbols.globals[global].declaration.name
      report(.shadowedVariable(name, "a parameter hides global '\(name.text)' here", by: declared.range))
    }
    body.names[name.text] = body.locals.count
    var symbol = LocalSymbol(name: name.text, type: type, isParameter: true, firstUse: name.range)
    symbol.isAssigned = true
    body.locals.append(symbol)
  }

  private mutating func walkFunctionBody(_ declaration: FunctionDeclaration) -> ElaboratedStatement {
    switch declaration.body {
    case .block(let statement):
      reportUnreachable(in: statement)
      return walk(statement)
    case .embeddedC(let code):
      report(.embeddedC(at: code.range))
      return ElaboratedStatement(.block([]), code.range)
    }
  }

  /// All `conditions` joined.
  private mutating func walk(_ conditions: [Expression]) -> ElaboratedExpression? {
    var result: ElaboratedExpression?
    for condition in conditions {
      body = BodyState(source: condition.range.source, subject: .condition)
      let draft = walk(condition)
      expect(draft, .known(.long), "a probe's condition")
      let value = finished(draft)
      result =
        result.map { ElaboratedExpression(.binary(.logicalAnd, $0, value), type: .long, condition.range) }
        ?? value
    }
    return result
  }

  private func elaboratedLocals() -> [ElaboratedLocal] {
    body.locals.map { ElaboratedLocal(name: $0.name, type: types.resolved($0.type) ?? .long) }
  }

  private func joined(_ statements: [ElaboratedStatement], _ range: SourceRange) -> ElaboratedStatement {
    statements.count == 1 ? statements[0] : ElaboratedStatement(.block(statements), range)
  }

  private mutating func reportUnusedLocals(assignedIn own: SourceRange?) {
    localTypes += body.locals.map { ($0.name, $0.type, $0.firstUse) }
    guard !body.hasDeadCode else { return }
    for local in body.locals where !local.isParameter {
      if !local.isAssigned {
        let names = body.locals.filter(\.isAssigned).map(\.name) + symbols.globalNames
        report(.neverAssigned(local.name, "'\(local.name)'", at: local.firstUse, near: names))
      } else if !diagnostics.hasErrors, !local.isRead, let own, own.contains(local.firstUse) {
        report(.unusedLocal(local))
      }
    }
  }
}

extension SourceRange {
  /// Whether `other` lies inside.
  func contains(_ other: SourceRange) -> Bool {
    source == other.source && bytes.lowerBound <= other.bytes.lowerBound
      && other.bytes.upperBound <= bytes.upperBound
  }
}
