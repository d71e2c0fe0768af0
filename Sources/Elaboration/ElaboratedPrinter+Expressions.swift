import StapSyntax
import TargetModel

extension ElaboratedExpression {
  /// The text form of one that names no globals, functions and locals.
  var text: String { ElaboratedPrinter(program: ElaboratedProgram()).text(self) }
}

extension ElaboratedPrinter {
  /// An expression on one line.
  func text(_ expression: ElaboratedExpression) -> String {
    switch expression.kind {
    case .long(let value): return "\(value)"
    case .string(let text): return text.quoted
    case .place(let place): return text(place)
    case .unary(let operation, let operand): return "\(operation.rawValue)\(text(operand))"
    case .binary(let operation, let left, let right):
      return "(\(text(left)) \(operation.rawValue) \(text(right)))"
    case .assign(let place, let value): return "\(text(place)) = \(text(value))"
    case .modify(let place, let operation, let value):
      return "\(text(place)) \(operation.rawValue)= \(text(value))"
    case .increment(let place, let operation):
      let word = operation.isDecrement ? "--" : "++"
      return operation.isPrefix ? word + text(place) : text(place) + word
    case .aggregate(let place, let value): return "\(text(place)) <<< \(text(value))"
    case .ternary(let condition, let then, let otherwise):
      return "(\(text(condition)) ? \(text(then)) : \(text(otherwise)))"
    case .membership(let global, let keys): return "([\(list(keys))] in \(program.globals[global].name))"
    case .regexMatch(let subject, let pattern, let negated):
      return "(\(text(subject)) \(negated ? "!~" : "=~") \(pattern.quoted))"
    case .call(let function, let arguments):
      return "\(program.functions[function].name)#\(function)(\(list(arguments)))"
    default: return siteText(expression)
    }
  }

  private func siteText(_ expression: ElaboratedExpression) -> String {
    switch expression.kind {
    case .intrinsic(let intrinsic, let arguments): return "%\(intrinsic.rawValue)(\(list(arguments)))"
    case .context(let field, let plan): return "%\(field.text)" + (plan.map { "<\($0.text)>" } ?? "")
    case .read(let plan, let inputs):
      return "<\(plan.text)>" + (inputs.isEmpty ? "" : "(\(list(inputs)))")
    case .siteFormat(let slot, let values): return "%format \(slot)(\(list(values)))"
    case .entry(let inner): return "@entry(\(text(inner)))"
    case .statistic(let operation, let global, let keys, let shift):
      return "@\(operation.rawValue)(\(element(global, keys))\(shift.map { ", \($0)" } ?? ""))"
    case .histogramIndex(let shape, let global, let keys, let bucket):
      return "\(text(shape, element(global, keys)))[\(text(bucket))]"
    case .print(let format, let values): return "print(\(format.text.quoted)\(tail(values)))"
    case .format(let format, let values): return "sprint(\(format.text.quoted)\(tail(values)))"
    case .printHistogram(let shape, let global, let keys, let endsLine):
      return "print\(endsLine ? "ln" : "")(\(text(shape, element(global, keys))))"
    case .formatHistogram(let shape, let global, let keys):
      return "sprint(\(text(shape, element(global, keys))))"
    default: preconditionFailure("text(_:) prints every other kind")
    }
  }

  /// `a[k, *]`, or `a`.
  func element(_ global: Int, _ keys: [ElaboratedExpression?]) -> String {
    let name = program.globals[global].name
    return keys.isEmpty ? name : "\(name)[\(list(keys))]"
  }

  /// `@hist_log(s)`.
  func text(_ shape: Histogram.Shape, _ statistic: String) -> String {
    switch shape {
    case .log: "@hist_log(\(statistic))"
    case .linear(let low, let high, let step): "@hist_linear(\(statistic), \(low), \(high), \(step))"
    }
  }

  private func text(_ place: ElaboratedPlace) -> String {
    switch place {
    case .local(let index): locals[index].name
    case .global(let index): program.globals[index].name
    case .element(let global, let keys): element(global, keys)
    }
  }

  private func list(_ expressions: [ElaboratedExpression]) -> String {
    expressions.map { text($0) }.joined(separator: ", ")
  }

  private func list(_ expressions: [ElaboratedExpression?]) -> String {
    expressions.map { $0.map { text($0) } ?? "*" }.joined(separator: ", ")
  }

  private func tail(_ values: [ElaboratedExpression]) -> String { values.isEmpty ? "" : ", " + list(values) }
}

extension ContextField {
  /// Its name, with what it is about.
  fileprivate var text: String {
    switch self {
    case .argument(let number): "argument(\(number))"
    case .site(let text): "site.\(text.rawValue)"
    default: "\(self)"
    }
  }
}

extension LocationPlan {
  /// The plan as an expression: `u4[r5 + 8]` reads four bytes of user memory, unsigned.
  package var text: String {
    switch self {
    case .constant(let value): return value > 0xffff ? "0x" + String(value, radix: 16) : "\(value)"
    case .register(let number): return "r\(number)"
    case .entryRegister(let number): return "entry r\(number)"
    case .threadPointer: return "tp"
    case .currentTask: return "task"
    case .tracepointArgument(let index): return "arg\(index)"
    case .input(let index): return "$\(index)"
    case .siteLoad(let index): return "load\(index)"
    case .unary(let operation, let operand): return "\(operation == .negate ? "-" : "~")\(operand.text)"
    case .binary(let operation, let left, let right):
      return "(\(left.text) \(operation.symbol) \(right.text))"
    case .load(let memory, let byteCount, let isSigned, let address):
      return "\(memory == .user ? "" : "k")\(isSigned ? "i" : "u")\(byteCount * 8)[\(address.text)]"
    case .bits(let value, let offset, let count, let isSigned):
      return "\(value.text){\(isSigned ? "i" : "u")\(offset)+\(count)}"
    case .extend(let value, let byteCount, let isSigned):
      return "\(value.text).\(isSigned ? "i" : "u")\(byteCount * 8)"
    case .selected(let key, let choices, let other):
      let list = choices.map { choice in
        "\(choice.keys.map { LocationPlan.constant($0).text }.joined(separator: ", ")): \(choice.plan.text)"
      }
      return "(\(key.text) of \(list.joined(separator: "; ")); else \(other.text))"
    }
  }
}

extension SiteLoad {
  /// As a plan: `u32[r7 + 24]`, `u64[load before - 8]`.
  var text: String {
    let origin =
      switch base {
      case .register(let number): "r\(number)"
      case .previous: "load before"
      }
    let distance = offset == 0 ? "" : offset < 0 ? " - \(-Int64(offset))" : " + \(offset)"
    return "u\(byteCount * 8)[\(origin)\(distance)]"
  }
}

extension PlanBinary {
  fileprivate var symbol: String {
    switch self {
    case .add: "+"
    case .subtract: "-"
    case .multiply: "*"
    case .divideSigned: "/"
    case .divideUnsigned: "/u"
    case .remainderSigned: "%"
    case .remainderUnsigned: "%u"
    case .and: "&"
    case .or: "|"
    case .xor: "^"
    case .shiftLeft: "<<"
    case .shiftRightLogical: ">>>"
    case .shiftRightArithmetic: ">>"
    case .equal: "=="
    case .notEqual: "!="
    case .lessSigned: "<"
    case .lessOrEqualSigned: "<="
    }
  }
}

extension FormatString {
  /// As `printf` would take it.
  package var text: String {
    pieces.map { piece in
      switch piece {
      case .text(let text): text == "%" ? "%%" : text
      case .directive(let directive):
        "%" + (directive.flag.map { String($0) } ?? "") + directive.width.text
          + (directive.precision == .none ? "" : "." + directive.precision.text)
          + directive.conversion.rawValue
      }
    }.joined()
  }
}

extension FormatString.Directive.Size {
  fileprivate var text: String {
    switch self {
    case .none: ""
    case .fixed(let count): "\(count)"
    case .dynamic: "*"
    }
  }
}
