import Diagnostics

/// What expressions are made of: literals, names, calls, target variables.
extension Parser {
  /// `&$x->a[i]$`: a value and the steps from it into memory.
  mutating func parseTarget() throws(SyntaxError) -> Expression {
    let start = current
    let takesAddress = take("&")
    var target = try parseTargetRoot()
    try parseSteps(&target)
    if case .value(let value) = target.root, target.steps.isEmpty, target.pretty == .none {
      if takesAddress { throw fail(.noAddress(start.range)) }
      return value
    }
    target.takesAddress = takesAddress
    return Expression(.target(target), range(from: start))
  }

  private mutating func parseTargetRoot() throws(SyntaxError) -> TargetExpression {
    let root: TargetExpression.Root
    var pretty = TargetExpression.Pretty.none
    let start = current
    if start.kind == .identifier, start.text.hasPrefix("$") {
      let (name, suffix) = Self.splitPretty(start.text)
      guard !name.allSatisfy({ $0 == "$" }) else { throw fail(.valueExpected(start)) }
      advance()
      (root, pretty) = (.variable(name), suffix)
    } else if start.kind == .atWord, start.text == "@cast" {
      root = try parseCast()
    } else if start.kind == .atWord, start.text == "@var" {
      root = try parseGlobalVariable()
    } else {
      root = .value(try parseValue())
    }
    return TargetExpression(root: root, steps: [], pretty: pretty, takesAddress: false)
  }

  /// `->m`, `[i]`, and at the end `$` or `$$`.
  private mutating func parseSteps(_ target: inout TargetExpression) throws(SyntaxError) {
    while target.pretty == .none {
      if take("->") {
        guard current.kind == .identifier || current.kind == .keyword else {
          throw fail(.expected("the name of a member", current))
        }
        let token = advance()
        let (member, suffix) = Self.splitPretty(token.text)
        target.steps.append(.member(Name(member, token.range)))
        target.pretty = suffix
      } else if at("[") {
        let opening = advance()
        target.steps.append(.index(try parseExpression()))
        try expect("]", "after the index", closing: opening)
      } else if current.kind == .identifier, current.text == "$" || current.text == "$$" {
        target.pretty = advance().text == "$" ? .shallow : .deep
      } else {
        return
      }
    }
    if at("->") { throw fail(.afterPretty(current)) }
  }

  /// `x$$` as `x` and `$$`.
  private static func splitPretty(_ text: String) -> (name: String, pretty: TargetExpression.Pretty) {
    let count = text.reversed().prefix { $0 == "$" }.count
    guard count > 0, count < text.count else { return (text, .none) }
    let taken = min(2, count)
    return (String(text.dropLast(taken)), taken == 1 ? .shallow : .deep)
  }

  // MARK: - Values

  private mutating func parseValue() throws(SyntaxError) -> Expression {
    let start = current
    switch start.kind {
    case .number: return try parseNumberValue()
    case .string:
      let literal = parseString()
      return Expression(.literal(literal.value), literal.range)
    case .identifier: return try parseNamed()
    case .keyword:
      guard start.text == "string" || start.text == "long", peek(1).isPunctuation("(") else { break }
      return try parseCall()
    case .atWord: return try parseOperator()
    case .embeddedC:
      advance()
      return Expression(.embeddedC(embeddedC(start)), start.range)
    case .punctuation:
      guard start.text == "(" else { break }
      return try parseParenthesized()
    case .invalid, .endOfFile: break
    }
    throw fail(.valueExpected(start))
  }

  private mutating func parseNumberValue() throws(SyntaxError) -> Expression {
    let token = current
    guard let value = Number.value(of: token.text) else { throw fail(.invalidNumber(token)) }
    advance()
    return Expression(.literal(.number(value)), token.range)
  }

  private mutating func parseParenthesized() throws(SyntaxError) -> Expression {
    let opening = advance()
    let inner = try parseExpression()
    try expect(")", "after the expression", closing: opening)
    return Expression(.parenthesized(inner), range(from: opening))
  }

  private mutating func parseNamed() throws(SyntaxError) -> Expression {
    let start = current
    if peek(1).isPunctuation("(") {
      if let function = PrintCall.Function(name: start.text) { return try parsePrint(function) }
      return try parseCall()
    }
    advance()
    guard at("[") else { return Expression(.identifier(start.text), start.range) }
    let indexes = try parseIndexes(wildcardsAllowed: false)
    return Expression(.index(name(start), indexes), range(from: start))
  }

  private mutating func parseCall() throws(SyntaxError) -> Expression {
    let start = advance()
    let opening = advance()
    let arguments = at(")") ? [] : try parseArguments()
    try expect(")", "after the arguments of '\(start.text)'", closing: opening)
    return Expression(.call(name(start), arguments), range(from: start))
  }

  /// Expressions between commas; at least one.
  mutating func parseArguments() throws(SyntaxError) -> [Expression] {
    var arguments: [Expression] = []
    repeat { arguments.append(try parseExpression()) } while take(",")
    return arguments
  }

  /// Reads `[e, *]`.
  mutating func parseIndexes(wildcardsAllowed: Bool) throws(SyntaxError) -> [IndexPattern] {
    let opening = advance()
    var indexes: [IndexPattern] = []
    repeat {
      if at("*"), peek(1).isPunctuation(",") || peek(1).isPunctuation("]") {
        if !wildcardsAllowed { report(.wildcardIndex(current.range)) }
        indexes.append(.any(advance().range))
      } else {
        indexes.append(.value(try parseExpression()))
      }
    } while take(",")
    try expect("]", "after the index", closing: opening)
    return indexes
  }
}

extension Diagnostic {
  fileprivate static func afterPretty(_ found: Token) -> Diagnostic {
    Diagnostic(.error, "syntax", "nothing can be reached behind '$' or '$$'", at: found.range)
  }

  fileprivate static func noAddress(_ range: SourceRange) -> Diagnostic {
    Diagnostic(
      .error,
      "no-address",
      "'&' takes the address of something in the traced program, such as '$x' or 'p->member'",
      at: range
    )
  }

  static func valueExpected(_ found: Token) -> Diagnostic {
    Diagnostic(.error, "syntax", "expected an expression, found \(found.description)", at: found.range)
  }

  fileprivate static func wildcardIndex(_ range: SourceRange) -> Diagnostic {
    Diagnostic(
      .error,
      "wildcard-index",
      "'*' as an index is allowed with 'in', 'delete' and 'foreach' only",
      at: range
    )
  }
}
