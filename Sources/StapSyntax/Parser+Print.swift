import Diagnostics

/// The eleven printing built-ins (systemtap.md, section 1.8).
extension Parser {
  mutating func parsePrint(_ function: PrintCall.Function) throws(SyntaxError) -> Expression {
    let start = advance()
    let opening = advance()
    let call: PrintCall
    switch function {
    case .printf, .sprintf: call = try parseFormatted(function)
    case .printd, .printdln, .sprintd, .sprintdln: call = try parseDelimited(function)
    case .print, .println, .sprint, .sprintln: call = try parsePlain(function)
    case .printChar:
      call = PrintCall(function: function, format: nil, arguments: at(")") ? [] : try parseArguments())
    }
    try expect(")", "after the arguments of '\(start.text)'", closing: opening)
    if let minimum = function.fewestArguments, call.arguments.count < minimum {
      report(.fewPrintArguments(function, minimum, start.range))
    }
    if function == .printChar, call.arguments.count > 1 { report(.manyCharacters(start.range)) }
    return Expression(.print(call), range(from: start))
  }

  private mutating func parseFormatted(_ function: PrintCall.Function) throws(SyntaxError) -> PrintCall {
    guard current.kind == .string else { throw fail(.literalFormat(function, current)) }
    let format = parseString()
    let arguments = take(",") ? try parseArguments() : []
    checkFormat(format, arguments)
    return PrintCall(function: function, format: format, arguments: arguments)
  }

  private mutating func checkFormat(_ literal: Literal, _ arguments: [Expression]) {
    switch PrintFormat.parse(literal, in: sources) {
    case .failure(let problem): report(problem.diagnostic)
    case .success(let format):
      guard format.argumentCount != arguments.count else { return }
      report(.formatArgumentCount(format.argumentCount, arguments.count, literal.range))
    }
  }

  private mutating func parseDelimited(_ function: PrintCall.Function) throws(SyntaxError) -> PrintCall {
    guard current.kind == .string else { throw fail(.literalFormat(function, current)) }
    let delimiter = parseString()
    let arguments = take(",") ? try parseArguments() : []
    return PrintCall(function: function, format: delimiter, arguments: arguments)
  }

  private mutating func parsePlain(_ function: PrintCall.Function) throws(SyntaxError) -> PrintCall {
    if at(")") { return PrintCall(function: function, format: nil, arguments: []) }
    guard isWholeHistogram else {
      return PrintCall(function: function, format: nil, arguments: try parseArguments())
    }
    let histogram = try parseHistogramExpression()
    guard !at(",") else { throw fail(.histogramNotAlone(current.range)) }
    return PrintCall(function: function, format: nil, arguments: [histogram])
  }

  /// Whether `@hist_…(…)` comes next and is not one of its buckets.
  private var isWholeHistogram: Bool {
    guard current.kind == .atWord, current.text.hasPrefix("@hist_"), peek(1).isPunctuation("(") else {
      return false
    }
    var depth = 0
    var distance = 1
    repeat {
      let token = peek(distance)
      if token.isPunctuation("(") { depth += 1 }
      if token.isPunctuation(")") { depth -= 1 }
      if token.kind == .endOfFile { return false }
      distance += 1
    } while depth > 0
    return peek(distance).isPunctuation(")") || peek(distance).isPunctuation(",")
  }
}

extension PrintCall.Function {
  /// Nil where any number will do, or the format says it.
  fileprivate var fewestArguments: Int? {
    switch self {
    case .print, .sprint, .printChar: 1
    case .printd, .printdln, .sprintd, .sprintdln: 2
    case .println, .sprintln, .printf, .sprintf: nil
    }
  }
}

extension Diagnostic {
  fileprivate static func fewPrintArguments(
    _ function: PrintCall.Function,
    _ minimum: Int,
    _ range: SourceRange
  ) -> Diagnostic {
    let values = minimum == 1 ? "1 value" : "\(minimum) values"
    return Diagnostic(
      .error,
      "print-argument-count",
      "'\(function.rawValue)' needs \(values) or more to print",
      at: range
    )
  }

  fileprivate static func formatArgumentCount(_ wanted: Int, _ given: Int, _ range: SourceRange) -> Diagnostic
  {
    Diagnostic(
      .error,
      "print-argument-count",
      "the format wants \(wanted) \(wanted == 1 ? "value" : "values"), not \(given)",
      at: range
    )
  }

  fileprivate static func histogramNotAlone(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "whole-histogram", "a histogram is printed alone", at: range)
  }

  fileprivate static func literalFormat(_ function: PrintCall.Function, _ found: Token) -> Diagnostic {
    let isFormat = function == .printf || function == .sprintf
    return Diagnostic(
      .error,
      "literal-format",
      "the \(isFormat ? "format" : "delimiter") of '\(function.rawValue)' is a literal string",
      at: found.range
    )
  }

  fileprivate static func manyCharacters(_ range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "print-argument-count", "'print_char' prints one character", at: range)
  }
}
