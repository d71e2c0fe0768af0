import Diagnostics

/// `@define`, and the use of what it defined.
extension Preprocessor {
  /// One word with macros expanded.
  mutating func nextExpanded() -> Token {
    while true {
      let token = nextRaw()
      if steps > Self.maximumSteps {
        report(.endlessMacros(token.range), at: token)
        return giveUp()
      }
      guard token.kind == .atWord else { return token }
      switch token.text == "@define" ? define(token) : use(token) {
      case .done: continue
      case .refused: return token.spoiled
      case .notMine: return token
      }
    }
  }

  private enum Outcome { case done, refused, notMine }

  /// Drops everything that is left to read.
  private mutating func giveUp() -> Token {
    frames.removeLast(frames.count - 1)
    frames[0].index = frames[0].tokens.count - 1
    steps = 0
    return nextRaw()
  }

  // MARK: - Definitions

  private mutating func define(_ keyword: Token) -> Outcome {
    let first = nextRaw()
    guard first.kind == .identifier || first.kind == .keyword else {
      return refuseDefinition(.macroNameExpected(first), at: first)
    }
    var parameters: [String]?
    if peekRaw()?.isPunctuation("(") == true {
      parameters = readParameters()
      guard parameters != nil else { return .refused }
    }
    guard let body = readBody(of: first) else { return .refused }
    let macro = Macro(
      name: Name(first.text, first.range),
      parameters: parameters,
      body: body,
      isLibrary: isLibrary
    )
    if atWords.contains(first.text) { report(.shadowedOperator(macro.name), at: first) }
    if let known = macros[first.text] {
      report(.redefinedMacro(macro.name, first: known.name.range), at: first)
    }
    macros[first.text] = macro
    return .done
  }

  /// Reports, and skips the body if it comes on this line: its words would be taken for a conditional.
  private mutating func refuseDefinition(_ diagnostic: Diagnostic, at token: Token) -> Outcome {
    report(diagnostic, at: token)
    while let next = peekRaw(), next.kind != .endOfFile, !next.startsLine {
      if next.isPunctuation("%(") {
        _ = readBody(of: token)
        break
      }
      _ = nextRaw()
    }
    return .refused
  }

  private mutating func readParameters() -> [String]? {
    var parameters: [String] = []
    _ = nextRaw()
    if peekRaw()?.isPunctuation(")") == true {
      _ = nextRaw()
      return parameters
    }
    while true {
      let name = nextRaw()
      guard name.kind == .identifier || name.kind == .keyword, !parameters.contains(name.text) else {
        _ = refuseDefinition(.macroParameterExpected(name), at: name)
        return nil
      }
      parameters.append(name.text)
      let separator = nextRaw()
      if separator.isPunctuation(")") { return parameters }
      guard separator.isPunctuation(",") else {
        _ = refuseDefinition(.macroParameterExpected(separator), at: separator)
        return nil
      }
    }
  }

  private mutating func readBody(of name: Token) -> [Token]? {
    let opening = nextRaw()
    guard opening.isPunctuation("%(") else {
      report(.macroBodyExpected(name.text, opening), at: opening)
      return nil
    }
    var body: [Token] = []
    var depth = 0
    var hasDefine = false
    while true {
      let token = nextRaw()
      if token.kind == .endOfFile {
        report(.unterminatedMacro(name.text, opening.range), at: opening)
        return nil
      }
      if token.text == "@define", token.kind == .atWord, !hasDefine {
        hasDefine = true
        report(.nestedDefine(token.range), at: token)
      }
      if token.isPunctuation("%(") { depth += 1 }
      if token.isPunctuation("%)") {
        if depth == 0 { return body }
        depth -= 1
      }
      body.append(token)
    }
  }

  // MARK: - Uses

  /// Starts reading a macro or one of its arguments.
  private mutating func use(_ token: Token) -> Outcome {
    let name = String(token.text.dropFirst())
    let scope = frames[frames.count - 1].scope
    guard frames.count <= Self.maximumDepth else {
      report(.endlessMacros(token.range), at: token)
      frames.removeLast(frames.count - 1)
      return .refused
    }
    if let argument = scopes[scope].arguments[name] {
      push(argument.tokens, scope: argument.scope, expansion: token.expansion)
      return .done
    }
    guard let macro = macro(named: name, in: scope) else { return .notMine }
    var arguments: [String: (tokens: [Token], scope: Int)] = [:]
    if let parameters = macro.parameters {
      guard let texts = readArguments(of: macro, at: token) else { return .refused }
      for (parameter, text) in zip(parameters, texts) { arguments[parameter] = (text, scope) }
    }
    scopes.append(Scope(arguments: arguments, isLibrary: macro.isLibrary))
    list.expansions.append(Expansion(macro: name, call: token.range, parent: token.expansion))
    push(macro.body, scope: scopes.count - 1, expansion: Int32(list.expansions.count - 1))
    return .done
  }

  private mutating func push(_ tokens: [Token], scope: Int, expansion: Int32) {
    steps += 1
    frames.append(Frame(tokens: tokens, scope: scope, expansion: expansion))
  }

  private func macro(named name: String, in scope: Int) -> Macro? {
    if !scopes[scope].isLibrary || isLibrary, let own = macros[name] { return own }
    return environment.macros.macros[name]
  }

  /// The texts between the parentheses, cut at commas outside of `( )` and `[ ]`.
  private mutating func readArguments(of macro: Macro, at token: Token) -> [[Token]]? {
    guard peekRaw()?.isPunctuation("(") == true else {
      report(.macroArgumentsExpected(macro, token.range), at: token)
      return nil
    }
    _ = nextRaw()
    var texts: [[Token]] = [[]]
    var depth = 0
    while true {
      let next = nextRaw()
      if next.kind == .endOfFile {
        report(.unterminatedMacroCall(macro.name.text, token.range), at: token)
        return nil
      }
      if depth == 0, next.isPunctuation(")") { break }
      if depth == 0, next.isPunctuation(",") {
        texts.append([])
        continue
      }
      if next.isPunctuation("(") || next.isPunctuation("[") { depth += 1 }
      if next.isPunctuation(")") || next.isPunctuation("]") { depth -= 1 }
      texts[texts.count - 1].append(next)
    }
    if macro.parameters?.isEmpty == true, texts.count == 1, texts[0].isEmpty { texts = [] }
    guard texts.count == macro.parameters?.count else {
      report(.macroArgumentCount(macro, texts.count, token.range), at: token)
      return nil
    }
    return texts
  }
}

extension Diagnostic {
  fileprivate static func endlessMacros(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "endless-macro", "macros are used within one another without end", at: range)
  }

  fileprivate static func macroArgumentCount(_ macro: Macro, _ count: Int, _ range: SourceRange) -> Diagnostic
  {
    Diagnostic(
      .error,
      "macro-argument-count",
      "macro '@\(macro.name.text)' takes \(macro.parameters?.count ?? 0) arguments, not \(count)",
      at: range,
      notes: [.note("defined here", at: macro.name.range)]
    )
  }

  fileprivate static func macroArgumentsExpected(_ macro: Macro, _ range: SourceRange) -> Diagnostic {
    Diagnostic(
      .error,
      "macro-argument-count",
      "macro '@\(macro.name.text)' needs its arguments in parentheses",
      at: range,
      notes: [.note("defined here", at: macro.name.range)]
    )
  }

  fileprivate static func macroBodyExpected(_ name: String, _ found: Token) -> Diagnostic {
    Diagnostic(
      .error,
      "macro-definition",
      "expected '%(' and the body of macro '@\(name)', found \(found.description)",
      at: found.range
    )
  }

  fileprivate static func macroNameExpected(_ found: Token) -> Diagnostic {
    Diagnostic(
      .error,
      "macro-definition",
      "expected the name of a macro, found \(found.description)",
      at: found.range,
      fixIt: found.kind == .atWord ? String(found.text.dropFirst()) : nil
    )
  }

  fileprivate static func macroParameterExpected(_ found: Token) -> Diagnostic {
    Diagnostic(
      .error,
      "macro-definition",
      "expected a new parameter name, ',' or ')', found \(found.description)",
      at: found.range
    )
  }

  fileprivate static func nestedDefine(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "macro-definition", "a macro may not define another one", at: range)
  }

  fileprivate static func shadowedOperator(_ name: Name) -> Diagnostic {
    Diagnostic(
      .warning,
      "shadowed-operator",
      "macro '@\(name.text)' hides the operator of that name",
      at: name.range
    )
  }

  fileprivate static func unterminatedMacro(_ name: String, _ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "unterminated-macro", "no '%)' ends the body of macro '@\(name)'", at: range)
  }

  fileprivate static func unterminatedMacroCall(_ name: String, _ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "unterminated-macro", "no ')' ends the arguments of macro '@\(name)'", at: range)
  }
}
