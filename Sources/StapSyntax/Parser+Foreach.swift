import Diagnostics

/// `foreach (v = [k1+, k2] in array[*, 3] @count - limit 10) …` (systemtap.md, section 1.5).
extension Parser {
  mutating func parseForeach() throws(SyntaxError) -> Foreach {
    advance()
    let opening = try expect("(", "after 'foreach'")
    var sort: (by: Foreach.SortBy, direction: Foreach.Direction)?
    let value = try parseLoopValue(&sort)
    let keys = try parseLoopKeys(&sort)
    try expectKeyword("in", "and the array to walk")
    let base = try parseLoopBase()
    try parseLoopOrder(&sort)
    let limit = takeKeyword("limit") ? try parseExpression() : nil
    try expect(")", "after the head of 'foreach'", closing: opening)
    return Foreach(
      keys: keys,
      value: value,
      base: base,
      sort: sort,
      limit: limit,
      body: try parseStatement()
    )
  }

  private typealias Sort = (by: Foreach.SortBy, direction: Foreach.Direction)

  /// `v =`, `v+ =`, or `v+=`, which the lexer takes for one word.
  private mutating func parseLoopValue(_ sort: inout Sort?) throws(SyntaxError) -> Name? {
    guard current.kind == .identifier else { return nil }
    let next = peek(1)
    let isSorted = (next.isPunctuation("+") || next.isPunctuation("-")) && peek(2).isPunctuation("=")
    guard next.isPunctuation("=") || next.isPunctuation("+=") || next.isPunctuation("-=") || isSorted else {
      return nil
    }
    let value = name(advance())
    if isSorted { try parseDirection(.value, &sort) }
    let equals = advance().text
    if equals != "=" { sort = (.value, equals == "+=" ? .ascending : .descending) }
    return value
  }

  private mutating func parseLoopKeys(_ sort: inout Sort?) throws(SyntaxError) -> [Name] {
    guard at("[") else {
      let key = try expectName("a variable for the key")
      try parseDirection(.key(0), &sort)
      return [key]
    }
    let opening = advance()
    var keys: [Name] = []
    repeat {
      keys.append(try expectName("a variable for a key"))
      try parseDirection(.key(keys.count - 1), &sort)
    } while take(",")
    try expect("]", "after the keys", closing: opening)
    return keys
  }

  private mutating func parseLoopBase() throws(SyntaxError) -> Foreach.Base {
    if current.kind == .atWord, current.text.hasPrefix("@hist_") {
      return .histogram(try parseHistogramExpression())
    }
    let array = try expectName("the name of an array")
    guard at("[") else { return .array(array, slice: nil) }
    return .array(array, slice: try parseIndexes(wildcardsAllowed: true))
  }

  /// `+`, `-` or `@count +` behind the array.
  private mutating func parseLoopOrder(_ sort: inout Sort?) throws(SyntaxError) {
    guard current.kind == .atWord else { return try parseDirection(.value, &sort) }
    guard let statistic = StatisticOperator(rawValue: String(current.text.dropFirst())) else {
      throw fail(.unknownOrder(current))
    }
    advance()
    guard at("+") || at("-") else {
      throw fail(.expected("'+' or '-' after '@\(statistic.rawValue)'", current))
    }
    try parseDirection(.statistic(statistic), &sort)
  }

  private mutating func parseDirection(_ key: Foreach.SortBy, _ sort: inout Sort?) throws(SyntaxError) {
    guard at("+") || at("-") else { return }
    guard sort == nil else { throw fail(.severalOrders(current.range)) }
    sort = (key, advance().text == "+" ? .ascending : .descending)
  }
}

extension Diagnostic {
  fileprivate static func severalOrders(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "several-orders", "'foreach' sorts by one thing only", at: range)
  }

  fileprivate static func unknownOrder(_ found: Token) -> Diagnostic {
    let known = StatisticOperator.allCases.map { "@" + $0.rawValue }
    return Diagnostic(
      .error,
      "syntax",
      "'foreach' cannot sort by '\(found.text)'",
      at: found.range,
      notes: [.note("it sorts by \(known.joined(separator: ", "))")],
      fixIt: nearestNames(to: found.text, among: known, limit: 1).first
    )
  }
}
