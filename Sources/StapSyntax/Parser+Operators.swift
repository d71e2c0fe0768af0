import Diagnostics

/// The operators that are spelled `@word` (systemtap.md, section 1.6).
extension Parser {
  mutating func parseOperator() throws(SyntaxError) -> Expression {
    let start = current
    let word = String(start.text.dropFirst())
    if let statistic = StatisticOperator(rawValue: word) { return try parseStatistic(statistic) }
    switch word {
    case "hist_log", "hist_linear": return try parseIndexedHistogram()
    case "defined": return try parseUnaryOperator { .defined($0) }
    case "entry": return try parseUnaryOperator { .entry($0) }
    case "const":
      if origin == .user, !environment.guruMode { report(.needsGuruMode("'@const'", start.range)) }
      return try parseStringOperator { .constant($0) }
    case "enum": return try parseStringOperator { .enumConstant($0) }
    case "perf": return try parseStringOperator { .perfCounter($0) }
    case "enumname": return try parseEnumName()
    case "probewrite": return try parseProbeWrite()
    case "kderef", "uderef": return try parseDereference(word == "kderef" ? .kernel : .user)
    case "kregister", "uregister": return try parseRegister(word == "kregister" ? .kernel : .user)
    default: throw fail(.unknownOperator(start, macros: macroNames))
    }
  }

  /// `@word ( … )` around `contents`.
  private mutating func parseParentheses<Contents>(
    _ contents: (inout Parser) throws(SyntaxError) -> Contents
  ) throws(SyntaxError) -> Contents {
    let word = advance().text
    let opening = try expect("(", "after '\(word)'")
    let result = try contents(&self)
    try expect(")", "after the arguments of '\(word)'", closing: opening)
    return result
  }

  private mutating func parseUnaryOperator(
    _ make: (Expression) -> Expression.Kind
  ) throws(SyntaxError) -> Expression {
    let start = current
    let operand = try parseParentheses { parser throws(SyntaxError) in try parser.parseExpression() }
    return Expression(make(operand), range(from: start))
  }

  private mutating func parseStringOperator(
    _ make: (Literal) -> Expression.Kind
  ) throws(SyntaxError) -> Expression {
    let start = current
    let name = try parseParentheses { parser throws(SyntaxError) in try parser.expectString("a string") }
    return Expression(make(name), range(from: start))
  }

  // MARK: - Statistics

  private mutating func parseStatistic(_ statistic: StatisticOperator) throws(SyntaxError) -> Expression {
    let start = current
    let kind = try parseParentheses { parser throws(SyntaxError) -> Expression.Kind in
      let variable = try parser.parseStatisticVariable()
      guard statistic == .variance, parser.take(",") else {
        return .statistic(statistic, variable, shift: nil)
      }
      let (shift, place) = try parser.parseNumber("the bit shift")
      if !(0...62).contains(shift) { parser.report(.varianceShift(place)) }
      return .statistic(statistic, variable, shift: shift)
    }
    return Expression(kind, range(from: start))
  }

  private mutating func parseStatisticVariable() throws(SyntaxError) -> Expression {
    let variable = try parseExpression()
    guard variable.isScriptVariable else { throw fail(.notStatistic(variable.range)) }
    return variable
  }

  /// A histogram stands where a number is wanted only with one of its buckets.
  private mutating func parseIndexedHistogram() throws(SyntaxError) -> Expression {
    let start = current
    let histogram = try parseHistogram()
    guard at("[") else { throw fail(.wholeHistogram(histogram.range)) }
    let opening = advance()
    let bucket = try parseExpression()
    try expect("]", "after the bucket", closing: opening)
    return Expression(.histogramIndex(histogram, bucket), range(from: start))
  }

  /// A whole histogram, where one may stand: alone in `print`, and behind `in`.
  mutating func parseHistogramExpression() throws(SyntaxError) -> Expression {
    let histogram = try parseHistogram()
    return Expression(.histogram(histogram), histogram.range)
  }

  private mutating func parseHistogram() throws(SyntaxError) -> Histogram {
    let start = current
    let isLog = start.text == "@hist_log"
    guard isLog || start.text == "@hist_linear" else {
      throw fail(.unknownOperator(start, macros: macroNames))
    }
    let (variable, shape) = try parseParentheses {
      parser throws(SyntaxError) -> (Expression, Histogram.Shape) in
      let variable = try parser.parseStatisticVariable()
      return (variable, isLog ? .log : try parser.parseLinearShape())
    }
    return Histogram(statistic: variable, shape: shape, range: range(from: start))
  }

  private mutating func parseLinearShape() throws(SyntaxError) -> Histogram.Shape {
    try expect(",", "and the lowest value")
    let (low, _) = try parseNumber("the lowest value as a number")
    try expect(",", "and the highest value")
    let (high, _) = try parseNumber("the highest value as a number")
    try expect(",", "and the width of a bucket")
    let (step, place) = try parseNumber("the width of a bucket as a number")
    if step < 1 { report(.histogramStep(place)) }
    return .linear(low: low, high: high, step: step)
  }

  // MARK: - Types and memory

  /// Reads `@cast(e, "type", "module")`.
  mutating func parseCast() throws(SyntaxError) -> TargetExpression.Root {
    try parseParentheses { parser throws(SyntaxError) -> TargetExpression.Root in
      let value = try parser.parseExpression()
      try parser.expect(",", "and the type")
      let type = try parser.expectString("the type as a string")
      let module = try parser.parseOptionalString("the module as a string")
      return .cast(value, type: type, module: module)
    }
  }

  /// Reads `@var("name@unit", "module")`.
  mutating func parseGlobalVariable() throws(SyntaxError) -> TargetExpression.Root {
    try parseParentheses { parser throws(SyntaxError) -> TargetExpression.Root in
      let name = try parser.expectString("the name of a global variable as a string")
      return .global(name, module: try parser.parseOptionalString("the module as a string"))
    }
  }

  private mutating func parseOptionalString(_ what: String) throws(SyntaxError) -> Literal? {
    take(",") ? try expectString(what) : nil
  }

  private mutating func parseEnumName() throws(SyntaxError) -> Expression {
    let start = current
    let kind = try parseParentheses { parser throws(SyntaxError) -> Expression.Kind in
      let value = try parser.parseExpression()
      let type = try parser.parseOptionalString("the type as a string")
      let module = type == nil ? nil : try parser.parseOptionalString("the module as a string")
      return .enumName(value, type: type, module: module)
    }
    return Expression(kind, range(from: start))
  }

  private mutating func parseProbeWrite() throws(SyntaxError) -> Expression {
    let start = current
    let name = try parseParentheses { parser throws(SyntaxError) in try parser.expectName("a variable") }
    return Expression(.probeWrite(name), range(from: start))
  }

  private mutating func parseDereference(_ space: MemorySpace) throws(SyntaxError) -> Expression {
    let start = current
    checkPrivilege(space, start)
    let kind = try parseParentheses { parser throws(SyntaxError) -> Expression.Kind in
      let (size, place) = try parser.parseNumber("the size in bytes as a number")
      try parser.expect(",", "and the address")
      let address = try parser.parseExpression()
      return .dereference(space, size: Literal(.number(size), place), address: address)
    }
    return Expression(kind, range(from: start))
  }

  private mutating func parseRegister(_ space: MemorySpace) throws(SyntaxError) -> Expression {
    let start = current
    checkPrivilege(space, start)
    let number = try parseParentheses { parser throws(SyntaxError) -> Literal in
      let (number, place) = try parser.parseNumber("the DWARF number of a register")
      return Literal(.number(number), place)
    }
    return Expression(.register(space, number), range(from: start))
  }

  /// Kernel memory by bare address is for guru mode.
  private mutating func checkPrivilege(_ space: MemorySpace, _ word: Token) {
    guard space == .kernel, origin == .user, !environment.guruMode else { return }
    report(.needsGuruMode("'\(word.text)'", word.range))
  }
}

extension Diagnostic {
  fileprivate static func histogramStep(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "histogram-step", "the buckets of a histogram are 1 wide or wider", at: range)
  }

  fileprivate static func notStatistic(_ range: SourceRange) -> Diagnostic {
    Diagnostic(
      .error,
      "not-a-statistic",
      "expected a global variable or an element of a global array",
      at: range
    )
  }

  fileprivate static func unknownOperator(_ found: Token, macros: [String]) -> Diagnostic {
    let known = atWords.map { "@" + $0 } + macros.map { "@" + $0 }
    return Diagnostic(
      .error,
      "unknown-operator",
      "no operator or macro '\(found.text)'",
      at: found.range,
      fixIt: nearestNames(to: found.text, among: known, limit: 1).first
    )
  }

  fileprivate static func varianceShift(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "variance-shift", "the bit shift of '@variance' is from 0 to 62", at: range)
  }

  fileprivate static func wholeHistogram(_ range: SourceRange) -> Diagnostic {
    Diagnostic(
      .error,
      "whole-histogram",
      "a histogram is no value: print it alone, walk it by 'foreach', or take one bucket by '[…]'",
      at: range
    )
  }
}
