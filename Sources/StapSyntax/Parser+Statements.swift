import Diagnostics

/// What a body is made of (systemtap.md, section 1.5).
extension Parser {
  /// `{ … }`; `context` says what it is for when it is missing.
  mutating func parseBlock(_ context: String) throws(SyntaxError) -> Statement {
    try enter()
    defer { leave() }
    let opening = try expect("{", context)
    var statements: [Statement] = []
    while !at("}"), !isAtEnd, !startsDeclaration {
      let start = position
      do throws(SyntaxError) {
        statements.append(try parseStatement())
      } catch {
        if position == start, !at("}"), !startsDeclaration { advance() }
        recoverStatement(from: tokens[start])
      }
    }
    try expect("}", "after the last statement", closing: opening)
    return Statement(.block(statements), range(from: opening))
  }

  mutating func parseStatement() throws(SyntaxError) -> Statement {
    if at("{") { return try parseBlock("") }
    try enter()
    defer { leave() }
    let start = current
    if take(";") { return Statement(.empty, start.range) }
    let kind = try parseStatementKind(start)
    return Statement(kind, range(from: start))
  }

  private mutating func parseStatementKind(_ start: Token) throws(SyntaxError) -> Statement.Kind {
    guard start.kind == .keyword else { return try terminated(.expression(try parseExpression())) }
    switch start.text {
    case "if": return try parseIf().kind
    case "while": return try parseWhile()
    case "for": return try parseFor()
    case "foreach": return .foreach(try parseForeach())
    case "try": return try parseTry()
    case "break": return try simple(.break)
    case "continue": return try simple(.continue)
    case "next": return try simple(.next)
    case "return": return try parseReturn()
    case "delete":
      advance()
      return try terminated(.delete(try parseDeleted()))
    case "else": throw fail(.strayElse(start))
    case "catch": throw fail(.strayCatch(start))
    default: return try terminated(.expression(try parseExpression()))
    }
  }

  private mutating func simple(_ kind: Statement.Kind) throws(SyntaxError) -> Statement.Kind {
    advance()
    return try terminated(kind)
  }

  /// A `;` behind a statement is part of it; it may be missing.
  private mutating func terminated(_ kind: Statement.Kind) throws(SyntaxError) -> Statement.Kind {
    _ = take(";")
    return kind
  }

  private mutating func parseReturn() throws(SyntaxError) -> Statement.Kind {
    advance()
    guard !at(";"), !at("}") else { return try terminated(.return(nil)) }
    return try terminated(.return(try parseExpression()))
  }

  private mutating func parseDeleted() throws(SyntaxError) -> Expression {
    let start = current
    let target = try parseExpression(wildcardsAllowed: true)
    guard target.isScriptVariable else { throw fail(.notDeletable(range(from: start))) }
    return target
  }

  // MARK: - Branches

  /// `if … else if … else …` of any length, without recursion.
  private mutating func parseIf() throws(SyntaxError) -> Statement {
    var branches: [(start: Token, condition: Expression, then: Statement)] = []
    var last: Statement?
    defer { rise(branches.count) }
    repeat {
      let start = advance()
      let condition = try parseCondition("if")
      branches.append((start, condition, try parseStatement()))
      try sink()
      guard takeKeyword("else") else { break }
      if !atKeyword("if") { last = try parseStatement() }
    } while last == nil
    for branch in branches.reversed() {
      let kind = Statement.Kind.if(branch.condition, then: branch.then, else: last)
      last = Statement(kind, range(from: branch.start))
    }
    // The first branch is always there, so the chain is never empty.
    return last ?? Statement(.empty, previous.range)
  }

  private mutating func parseCondition(_ keyword: String) throws(SyntaxError) -> Expression {
    let opening = try expect("(", "after '\(keyword)'")
    let condition = try parseExpression()
    try expect(")", "after the condition", closing: opening)
    return condition
  }

  // MARK: - Loops

  private mutating func parseWhile() throws(SyntaxError) -> Statement.Kind {
    advance()
    let condition = try parseCondition("while")
    return .while(condition, body: try parseStatement())
  }

  private mutating func parseFor() throws(SyntaxError) -> Statement.Kind {
    advance()
    let opening = try expect("(", "after 'for'")
    let initial = try parseOptional(before: ";")
    try expect(";", "after the first part of 'for'")
    let condition = try parseOptional(before: ";")
    try expect(";", "after the condition of 'for'")
    let step = try parseOptional(before: ")")
    try expect(")", "after the last part of 'for'", closing: opening)
    return .for(initial: initial, condition: condition, step: step, body: try parseStatement())
  }

  private mutating func parseOptional(before end: String) throws(SyntaxError) -> Expression? {
    at(end) ? nil : try parseExpression()
  }

  private mutating func parseTry() throws(SyntaxError) -> Statement.Kind {
    advance()
    let body = try parseBlock("after 'try'")
    try expectKeyword("catch", "after the 'try' block")
    var message: Name?
    if at("(") {
      let opening = advance()
      message = try expectName("a variable for the message")
      try expect(")", "after the variable", closing: opening)
    }
    return .tryCatch(body: body, message: message, handler: try parseBlock("after 'catch'"))
  }
}

extension Expression {
  /// A variable or an element of an array, as `delete` and the statistics operators want it.
  var isScriptVariable: Bool {
    switch kind {
    case .identifier, .index: true
    default: false
    }
  }
}

extension Diagnostic {
  fileprivate static func notDeletable(_ range: SourceRange) -> Diagnostic {
    Diagnostic(
      .error,
      "not-deletable",
      "'delete' takes a variable, an array or one of its elements",
      at: range
    )
  }

  fileprivate static func strayCatch(_ found: Token) -> Diagnostic {
    Diagnostic(.error, "syntax", "'catch' without a 'try' before it", at: found.range)
  }

  fileprivate static func strayElse(_ found: Token) -> Diagnostic {
    Diagnostic(.error, "syntax", "'else' without an 'if' before it", at: found.range)
  }
}
