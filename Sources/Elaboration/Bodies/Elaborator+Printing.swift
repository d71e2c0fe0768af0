import Diagnostics
import StapSyntax
import TargetModel

extension Elaborator {
  /// `print` and its ten kin: all become a format with its values.
  mutating func walkPrint(_ call: PrintCall, at range: SourceRange) -> Draft {
    switch call.function {
    case .print, .println, .sprint, .sprintln:
      guard call.arguments.count == 1, case .histogram(let histogram) = call.arguments[0].kind else { break }
      return walkHistogramPrint(call, histogram, range)
    default: break
    }
    switch call.function {
    case .printf, .sprintf: return walkFormatted(call, range)
    case .printChar: return walkPrintChar(call, range)
    case .print, .sprint, .println, .sprintln: return walkPlain(call, delimiter: "", range)
    case .printd, .sprintd, .printdln, .sprintdln:
      guard let literal = call.format, case .string(let delimiter) = literal.value else {
        return invalid(range)
      }
      return walkPlain(call, delimiter: delimiter, range)
    }
  }

  private mutating func walkFormatted(_ call: PrintCall, _ range: SourceRange) -> Draft {
    guard let literal = call.format else { return invalid(range) }
    switch PrintFormat.parse(literal, in: sources) {
    case .failure(let problem):
      report(problem.diagnostic)
      for argument in call.arguments { _ = walk(argument) }
      return invalid(range)
    case .success(let format):
      guard format.argumentCount == call.arguments.count else {
        report(.wrongFormatCount(call, literal, expected: format.argumentCount))
        for argument in call.arguments { _ = walk(argument) }
        return invalid(range)
      }
      let values = walkOperands(of: format, call)
      return result(call, FormatString(format), values, range)
    }
  }

  private mutating func walkOperands(of format: PrintFormat, _ call: PrintCall) -> [ElaboratedExpression] {
    var types: [(ScriptType, String)] = []
    for case .directive(let directive) in format.pieces {
      if directive.width == .argument { types.append((.long, "a '*' width")) }
      if directive.precision == .argument { types.append((.long, "a '*' precision")) }
      let type: ScriptType = directive.conversion.takesString ? .string : .long
      types.append((type, "the operand of '%\(directive.conversion.rawValue)'"))
    }
    return zip(call.arguments, types).map { argument, expected in
      let draft = walk(argument)
      expect(draft, .known(expected.0), expected.1)
      return finished(draft)
    }
  }

  private mutating func walkPrintChar(_ call: PrintCall, _ range: SourceRange) -> Draft {
    guard call.arguments.count == 1 else {
      report(.printCount(call, "exactly one argument", at: range))
      return invalid(range)
    }
    let value = walkLong(call.arguments[0], "the operand of 'print_char'")
    return result(call, FormatString([.plain(.character)]), [value], range)
  }

  /// Every value by its own type, with `delimiter` between them.
  private mutating func walkPlain(_ call: PrintCall, delimiter: String, _ range: SourceRange) -> Draft {
    let needed = call.format == nil ? 1 : 2
    if call.arguments.count < needed, call.function != .println, call.function != .sprintln {
      report(.printCount(call, needed == 1 ? "an argument" : "a delimiter and two arguments", at: range))
    }
    var pieces: [FormatString.Piece] = []
    var values: [ElaboratedExpression] = []
    for argument in call.arguments {
      let value = finished(walkValue(argument))
      if !values.isEmpty, !delimiter.isEmpty { pieces.append(.text(delimiter)) }
      pieces.append(.plain(value.type == .string ? .string : .decimal))
      values.append(value)
    }
    if call.function.endsLine { pieces.append(.text("\n")) }
    return result(call, FormatString(pieces), values, range)
  }

  private func result(
    _ call: PrintCall,
    _ format: FormatString,
    _ values: [ElaboratedExpression],
    _ range: SourceRange
  ) -> Draft {
    call.function.isString
      ? .string(.format(format, values), range) : Draft(.print(format, values), nil, range)
  }
}

extension PrintCall.Function {
  /// Whether it adds a line's end.
  fileprivate var endsLine: Bool { rawValue.hasSuffix("ln") }
}

extension FormatString.Piece {
  /// A directive without flag and sizes.
  static func plain(_ conversion: FormatString.Directive.Conversion) -> FormatString.Piece {
    .directive(.init(flag: nil, width: .none, precision: .none, conversion: conversion))
  }
}

extension FormatString {
  /// The same format in the words that backends know.
  fileprivate init(_ format: PrintFormat) {
    self.init(
      format.pieces.map { piece in
        switch piece {
        case .text(let text): .text(text)
        case .directive(let directive): .directive(Directive(directive))
        }
      }
    )
  }
}

extension FormatString.Directive {
  fileprivate init(_ directive: PrintFormat.Directive) {
    guard let conversion = Conversion(rawValue: directive.conversion.rawValue) else {
      preconditionFailure("PrintFormat and FormatString spell their conversions alike")
    }
    self.init(
      flag: directive.flag?.rawValue.first,
      width: Size(directive.width),
      precision: Size(directive.precision),
      conversion: conversion
    )
  }
}

extension FormatString.Directive.Size {
  fileprivate init(_ size: PrintFormat.Size) {
    switch size {
    case .none: self = .none
    case .fixed(let count): self = .fixed(count)
    case .argument: self = .dynamic
    }
  }
}
