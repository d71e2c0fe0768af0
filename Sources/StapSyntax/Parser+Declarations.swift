import Diagnostics

/// The top of a script (systemtap.md, section 1.3).
extension Parser {
  /// Parses everything up to the end of the file.
  mutating func parseScript() -> Script {
    var declarations: [Declaration] = []
    while !isAtEnd {
      resetNesting()
      let start = position
      do throws(SyntaxError) {
        declarations += try parseDeclaration()
      } catch {
        if position == start { advance() }
        recoverDeclaration()
      }
    }
    return Script(declarations)
  }

  private mutating func parseDeclaration() throws(SyntaxError) -> [Declaration] {
    let start = current
    switch (start.kind, start.text) {
    case (.keyword, "probe"): return [try parseProbe()]
    case (.keyword, "global"): return try parseGlobals(isPrivate: false)
    case (.keyword, "private"): return try parsePrivate()
    case (.keyword, "function"): return [.function(try parseFunction(isPrivate: false))]
    case (.embeddedC, _):
      advance()
      return [.embeddedC(embeddedC(start))]
    case (.punctuation, ";"):
      advance()
      return []
    case (.punctuation, "}") where hasErrors:
      // What is left of a declaration that was given up.
      advance()
      return []
    default: throw fail(.declarationExpected(start))
    }
  }

  /// What stands between `%{` and `%}`; a script needs guru mode for it.
  mutating func embeddedC(_ token: Token) -> EmbeddedC {
    if origin == .user, !environment.guruMode { report(.needsGuruMode("embedded C", token.range)) }
    return EmbeddedC(text: token.text, range: token.range)
  }

  // MARK: - Globals

  private mutating func parsePrivate() throws(SyntaxError) -> [Declaration] {
    let next = peek(1)
    if next.isKeyword("global") {
      advance()
      return try parseGlobals(isPrivate: true)
    }
    guard next.isKeyword("function") else { return try parseGlobals(isPrivate: true) }
    advance()
    return [.function(try parseFunction(isPrivate: true))]
  }

  private mutating func parseGlobals(isPrivate: Bool) throws(SyntaxError) -> [Declaration] {
    advance()
    var globals: [Declaration] = []
    repeat {
      globals.append(.global(try parseGlobal(isPrivate: isPrivate)))
    } while take(",")
    _ = take(";")
    return globals
  }

  private mutating func parseGlobal(isPrivate: Bool) throws(SyntaxError) -> GlobalDeclaration {
    let start = current
    let name = try expectName("the name of a variable")
    let wraps = take("%")
    var size: Int64?
    if at("[") { size = try parseArraySize() }
    var initial: Literal?
    if at("=") {
      if wraps || size != nil { report(.arrayInitializer(current.range)) }
      advance()
      initial = try parseLiteral("a number or a string")
    }
    return GlobalDeclaration(
      name: name,
      isPrivate: isPrivate,
      wraps: wraps,
      maximumSize: size,
      initialValue: initial,
      range: range(from: start)
    )
  }

  private mutating func parseArraySize() throws(SyntaxError) -> Int64 {
    let opening = advance()
    let (size, place) = try parseNumber("the size of the array")
    if !(1...Int64(Int32.max)).contains(size) { report(.arraySize(place)) }
    try expect("]", "after the size", closing: opening)
    return size
  }

  // MARK: - Functions

  private mutating func parseFunction(isPrivate: Bool) throws(SyntaxError) -> FunctionDeclaration {
    let start = advance()
    let name = try parseFunctionName()
    let result = try parseTypeSuffix()
    let opening = try expect("(", "and the parameters of '\(name.text)'")
    let parameters = try parseParameters()
    try expect(")", "after the parameters", closing: opening)
    let priority = try parsePriority()
    let body = try parseFunctionBody()
    return FunctionDeclaration(
      name: name,
      isPrivate: isPrivate,
      result: result,
      parameters: parameters,
      priority: priority,
      body: body,
      range: range(from: start)
    )
  }

  /// `string` and `long` are names of functions too.
  private mutating func parseFunctionName() throws(SyntaxError) -> Name {
    if atKeyword("string") || atKeyword("long") { return name(advance()) }
    return try expectName("the name of a function")
  }

  private mutating func parseTypeSuffix() throws(SyntaxError) -> DeclaredType? {
    guard at(":"), peek(1).kind != .number else { return nil }
    advance()
    guard current.kind == .keyword, let type = DeclaredType(rawValue: current.text) else {
      throw fail(.typeExpected(current))
    }
    advance()
    return type
  }

  private mutating func parseParameters() throws(SyntaxError) -> [FunctionDeclaration.Parameter] {
    var parameters: [FunctionDeclaration.Parameter] = []
    guard !at(")") else { return [] }
    repeat {
      let name = try expectName("the name of a parameter")
      if let first = parameters.first(where: { $0.name.text == name.text }) {
        report(.duplicateParameter(name, first.name.range))
      }
      parameters.append(.init(name: name, type: try parseTypeSuffix()))
    } while take(",")
    return parameters
  }

  private mutating func parsePriority() throws(SyntaxError) -> Int64? {
    guard take(":") else { return nil }
    let (priority, place) = try parseNumber("the priority of the function")
    if priority < 1 { report(.priority(place)) }
    return priority
  }

  private mutating func parseFunctionBody() throws(SyntaxError) -> FunctionDeclaration.Body {
    if current.kind == .embeddedC { return .embeddedC(embeddedC(advance())) }
    return .block(try parseBlock("and the body of the function"))
  }

  // MARK: - Literals

  /// A string, glued from neighbours, or a number with an optional `-`.
  mutating func parseLiteral(_ what: String) throws(SyntaxError) -> Literal {
    if current.kind == .string { return parseString() }
    let (number, place) = try parseNumber(what)
    return Literal(.number(number), place)
  }

  /// Adjacent strings are one.
  mutating func parseString() -> Literal {
    let start = current
    var text = ""
    while current.kind == .string { text += advance().text }
    return Literal(.string(text), range(from: start))
  }

  mutating func expectString(_ what: String) throws(SyntaxError) -> Literal {
    guard current.kind == .string else { throw fail(.expected(what, current)) }
    return parseString()
  }

  mutating func parseNumber(_ what: String) throws(SyntaxError) -> (Int64, SourceRange) {
    let start = current
    let isNegative = take("-")
    guard current.kind == .number else { throw fail(.expected(what, current)) }
    guard let value = Number.value(of: current.text) else { throw fail(.invalidNumber(current)) }
    advance()
    return (isNegative ? 0 &- value : value, range(from: start))
  }
}

extension Diagnostic {
  fileprivate static func arrayInitializer(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "array-initializer", "only a scalar can be given a first value", at: range)
  }

  fileprivate static func arraySize(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "array-size", "the size of an array is from 1 to 2147483647", at: range)
  }

  fileprivate static func declarationExpected(_ found: Token) -> Diagnostic {
    let known = ["probe", "global", "private", "function"]
    return Diagnostic(
      .error,
      "syntax",
      "expected 'probe', 'function', 'global' or 'private', found \(found.description)",
      at: found.range,
      fixIt: found.kind == .identifier ? nearestNames(to: found.text, among: known, limit: 1).first : nil
    )
  }

  fileprivate static func duplicateParameter(_ name: Name, _ first: SourceRange) -> Diagnostic {
    Diagnostic(
      .error,
      "duplicate-parameter",
      "there are two parameters '\(name.text)'",
      at: name.range,
      notes: [.note("the first one is here", at: first)]
    )
  }

  static func needsGuruMode(_ what: String, _ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "needs-guru-mode", "\(what) needs guru mode (option -g)", at: range)
  }

  fileprivate static func priority(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "function-priority", "the priority of a function is 1 or more", at: range)
  }

  fileprivate static func typeExpected(_ found: Token) -> Diagnostic {
    Diagnostic(
      .error,
      "syntax",
      "expected the type 'string' or 'long', found \(found.description)",
      at: found.range,
      fixIt: ["int", "integer", "number"].contains(found.text)
        ? "long" : nearestNames(to: found.text, among: ["string", "long"], limit: 1).first
    )
  }
}
