import Diagnostics

/// Probes, aliases and what they are attached to (systemtap.md, sections 1.3 and 1.4).
extension Parser {
  /// `a.{b,c}.{d,e}` multiplies; nobody writes more than this.
  private static let maximumPoints = 10_000

  /// Reads a list of points that nothing may follow.
  mutating func parseOnlyProbePoints() -> [ProbePoint] {
    do throws(SyntaxError) {
      let points = try parsePoints()
      guard isAtEnd else { throw fail(.expected("the end of the probe point", current)) }
      return points
    } catch {
      return []
    }
  }

  mutating func parseProbe() throws(SyntaxError) -> Declaration {
    let start = advance()
    var names: [ProbePoint] = []
    var isEpilogue = false
    var points = try parsePoints()
    while at("=") || at("+=") {
      names.append(try aliasName(points))
      if advance().text == "+=" { isEpilogue = true }
      points = try parsePoints()
    }
    let body = try parseBlock("and the body of the probe")
    guard !names.isEmpty else {
      return .probe(ProbeDeclaration(points: points, body: body, range: range(from: start)))
    }
    let second = isEpilogue ? nil : try parseEpilogue()
    return .alias(
      AliasDeclaration(
        names: names,
        points: points,
        prologue: isEpilogue ? nil : body,
        epilogue: isEpilogue ? body : second,
        range: range(from: start)
      )
    )
  }

  private mutating func parseEpilogue() throws(SyntaxError) -> Statement? {
    guard at(","), peek(1).isPunctuation("{") else { return nil }
    advance()
    return try parseBlock("and the epilogue of the alias")
  }

  private mutating func aliasName(_ points: [ProbePoint]) throws(SyntaxError) -> ProbePoint {
    guard points.count == 1, let name = points.first else { throw fail(.severalAliasNames(current)) }
    guard name.presence == .required, name.condition == nil else { throw fail(.conditionalAlias(name.range)) }
    return name
  }

  private mutating func parsePoints() throws(SyntaxError) -> [ProbePoint] {
    var points: [ProbePoint] = []
    repeat {
      points += try parsePoint()
      if points.count > Self.maximumPoints { throw fail(.tooManyPoints(previous.range)) }
    } while take(",")
    return points
  }

  /// One point, or several where braces multiply it.
  private mutating func parsePoint() throws(SyntaxError) -> [ProbePoint] {
    let start = current
    let paths = try parsePaths()
    let whole = range(from: start)
    return paths.map {
      ProbePoint(components: $0.components, presence: $0.presence, condition: $0.condition, range: whole)
    }
  }

  /// A way through the braces of a point.
  fileprivate struct Path {
    var components: [ProbePoint.Component] = []
    var presence = ProbePoint.Presence.required
    var condition: Expression?

    var hasSuffix: Bool { presence != .required || condition != nil }
  }

  /// `a.{b,c.d}.e ? if (x)` as every path through it.
  private mutating func parsePaths() throws(SyntaxError) -> [Path] {
    try enter()
    defer { leave() }
    var paths = [Path()]
    repeat {
      if paths.contains(where: \.hasSuffix) { throw fail(.suffixInBraces(previous.range)) }
      let next = at("{") ? try parseAlternatives() : [Path(components: [try parseComponent()])]
      guard paths.count * next.count <= Self.maximumPoints else { throw fail(.tooManyPoints(previous.range)) }
      paths = paths.flatMap { path in next.map { path.followed(by: $0) } }
    } while take(".")
    return try parseSuffix(of: paths)
  }

  private mutating func parseSuffix(of paths: [Path]) throws(SyntaxError) -> [Path] {
    let suffixStart = current
    var presence = ProbePoint.Presence.required
    if at("?") || at("!") { presence = advance().text == "?" ? .optional : .sufficient }
    var condition: Expression?
    if takeKeyword("if") {
      let opening = try expect("(", "and the condition of the probe point")
      condition = try parseExpression()
      try expect(")", "after the condition", closing: opening)
    }
    guard presence != .required || condition != nil else { return paths }
    if paths.contains(where: \.hasSuffix) { throw fail(.suffixTwice(suffixStart)) }
    return paths.map { Path(components: $0.components, presence: presence, condition: condition) }
  }

  private mutating func parseAlternatives() throws(SyntaxError) -> [Path] {
    let opening = advance()
    var alternatives: [Path] = []
    repeat {
      alternatives += try parsePaths()
      guard alternatives.count <= Self.maximumPoints else { throw fail(.tooManyPoints(previous.range)) }
    } while take(",")
    try expect("}", "after the alternatives", closing: opening)
    return alternatives
  }

  private mutating func parseComponent() throws(SyntaxError) -> ProbePoint.Component {
    let name = try parseComponentName()
    guard at("(") else { return .init(name: name, argument: nil) }
    let opening = advance()
    let argument = try parseLiteral("a string or a number as the argument of '\(name.text)'")
    if at(",") { throw fail(.severalPointArguments(current)) }
    try expect(")", "after the argument of '\(name.text)'", closing: opening)
    return .init(name: name, argument: argument)
  }

  /// Identifiers, keywords and `*`, as far as they touch.
  private mutating func parseComponentName() throws(SyntaxError) -> Name {
    let start = current
    guard isNamePiece(start), start.kind != .number else {
      throw fail(.expected("the name of a probe point", start))
    }
    var text = advance().text
    while isNamePiece(current), !current.followsSpace { text += advance().text }
    return Name(text, range(from: start))
  }

  private func isNamePiece(_ token: Token) -> Bool {
    switch token.kind {
    case .identifier, .keyword, .number: true
    case .punctuation: token.text == "*"
    case .atWord, .string, .embeddedC, .invalid, .endOfFile: false
    }
  }
}

extension Parser.Path {
  /// Only the last part of a point has a suffix.
  fileprivate func followed(by next: Self) -> Self {
    Self(components: components + next.components, presence: next.presence, condition: next.condition)
  }
}

extension Diagnostic {
  fileprivate static func conditionalAlias(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "alias-name", "the name of an alias takes no '?', '!' or 'if'", at: range)
  }

  fileprivate static func severalAliasNames(_ found: Token) -> Diagnostic {
    Diagnostic(
      .error,
      "alias-name",
      "one name stands before '\(found.text)'; give several names by 'probe a = b = …'",
      at: found.range
    )
  }

  fileprivate static func severalPointArguments(_ found: Token) -> Diagnostic {
    Diagnostic(.error, "syntax", "a part of a probe point takes one argument", at: found.range)
  }

  fileprivate static func suffixInBraces(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "probe-suffix", "'?', '!' and 'if' end a probe point: nothing may follow", at: range)
  }

  fileprivate static func suffixTwice(_ found: Token) -> Diagnostic {
    Diagnostic(
      .error,
      "probe-suffix",
      "\(found.description) stands within the braces already",
      at: found.range
    )
  }

  fileprivate static func tooManyPoints(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "too-many-points", "these braces make more than 10000 probe points", at: range)
  }
}
