import TargetModel

extension ValueType {
  /// `long` or `string`.
  var text: String { self == .long ? "long" : "string" }
}

extension Operand {
  /// `%3`, `-1`, `"text"`.
  var text: String {
    switch self {
    case .value(let value): "%\(value.index)"
    case .long(let value): "\(value)"
    case .string(let text): text.quoted
    }
  }
}

extension ContextField {
  /// `pid`, `argument(1)`, `site(function)`.
  var text: String { if case .site(let part) = self { "site(\(part.rawValue))" } else { "\(self)" } }
}

extension HistogramShape {
  /// `hist_log`, `hist_linear(low, high, step)`.
  var text: String {
    switch self {
    case .log: "hist_log"
    case .linear(let low, let high, let step): "hist_linear(\(low), \(high), \(step))"
    }
  }
}

extension ForeachOperation.Order {
  /// `key 0 descending`.
  var text: String {
    switch self {
    case .none: "nothing"
    case .key(let index, let descending): "key \(index)" + (descending ? " descending" : "")
    case .value(let descending): "value" + (descending ? " descending" : "")
    case .statistic(let field, let descending): field.rawValue + (descending ? " descending" : "")
    }
  }
}

extension FormatString {
  /// As a script writes it.
  var text: String {
    pieces.map { piece in
      switch piece {
      case .text(let text):
        text.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
      case .directive(let directive): directive.text
      }
    }.joined()
  }
}

extension FormatString.Directive {
  fileprivate var text: String {
    let dot =
      switch precision {
      case .none: ""
      default: "." + precision.text
      }
    return "%" + (flag.map(String.init) ?? "") + width.text + dot + conversion.rawValue
  }
}

extension FormatString.Directive.Size {
  fileprivate var text: String {
    switch self {
    case .none: ""
    case .fixed(let value): "\(value)"
    case .dynamic: "*"
    }
  }
}

extension LocationPlan {
  /// As an expression: `user4s[rdi + 8]` is a signed load of 4 bytes.
  package var text: String {
    switch self {
    case .constant(let value): return "\(value)"
    case .register(let number): return RegisterFile.x86_64.register(number)?.name ?? "register\(number)"
    case .entryRegister(let number): return "entry \(LocationPlan.register(number).text)"
    case .threadPointer: return "tp"
    case .currentTask: return "task"
    case .tracepointArgument(let index): return "word\(index)"
    case .input(let index): return "input\(index)"
    case .siteLoad(let index): return "load\(index)"
    case .unary(let operation, let a): return "\(operation)(\(a.text))"
    case .binary(.add, let a, let b): return "\(a.text) + \(b.text)"
    case .binary(let operation, let a, let b): return "\(operation)(\(a.text), \(b.text))"
    case .load(let memory, let byteCount, let isSigned, let address):
      return "\(memory)\(byteCount)\(isSigned ? "s" : "")[\(address.text)]"
    case .bits(let value, let offset, let count, let isSigned):
      return "bits\(isSigned ? "s" : "")(\(value.text), \(offset), \(count))"
    case .extend(let value, let byteCount, let isSigned):
      return "extend\(byteCount)\(isSigned ? "s" : "")(\(value.text))"
    case .selected(let key, let choices, let other):
      let list = choices.map { "\($0.keys.map(String.init).joined(separator: ", ")): \($0.plan.text)" }
      return "select(\(key.text); \(list.joined(separator: "; ")); else \(other.text))"
    }
  }
}

extension String {
  /// In double quotes, with escapes.
  var quoted: String {
    var result = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\"", "\\": result += "\\" + String(scalar)
      default: result += scalar.value < 32 ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
      }
    }
    return result + "\""
  }
}

extension FrameOffset {
  /// `rsp + 24`.
  var text: String { LocationPlan.register(register).offset(by: Int64(byteCount)).text }
}
