/// Expressions; the levels are those of ``Precedence``.
extension ASTPrinter {
  mutating func write(_ expression: Expression) {
    switch expression.kind {
    case .literal(let value): write(literal: value)
    case .identifier(let name): write(name)
    case .index(let array, let indexes):
      write(array.text)
      write(indexes: indexes)
    case .call(let function, let arguments): write(function.text, arguments)
    case .unary(let operation, let operand): write(operation, operand)
    case .binary(let operation, let left, let right): write(operation, left, right)
    case .assign(let operation, let target, let value):
      write(target, atLeast: .target)
      write(" \(operation.spelling) ")
      write(value)
    case .increment(let operation, let operand): write(operation, operand)
    case .ternary(let condition, let then, let otherwise): write(ternary: condition, then, otherwise)
    case .membership(let indexes, let array): write(membership: indexes, array.text)
    case .regexMatch(let text, let pattern, let negated):
      write(text, atLeast: .comparison)
      write(negated ? " !~ " : " =~ ")
      write(constant: pattern.value)
    case .target(let target): write(target)
    case .print(let call): write(call)
    case .embeddedC(let code): write("%{\(code.text)%}")
    case .parenthesized(let inner):
      write("(")
      write(inner)
      write(")")
    case .statistic, .histogram, .histogramIndex, .defined, .entry, .probeWrite, .constant, .enumConstant,
      .enumName, .perfCounter, .dereference, .register:
      write(operator: expression.kind)
    }
  }

  /// Writes `expression`, in parentheses if it binds less tightly than `level`.
  private mutating func write(_ expression: Expression, atLeast level: Precedence) {
    guard expression.precedence < level else { return write(expression) }
    write("(")
    write(expression)
    write(")")
  }

  /// A negative number has no spelling of its own, save as what wraps to it.
  private mutating func write(literal: Literal.Value) {
    guard case .number(let number) = literal, number < 0 else { return write(constant: literal) }
    write("0x" + String(UInt64(bitPattern: number), radix: 16))
  }

  mutating func write(indexes: [IndexPattern]) {
    write("[")
    writeList(indexes) { printer, index in
      switch index {
      case .any: printer.write("*")
      case .value(let value): printer.write(value)
      }
    }
    write("]")
  }

  private mutating func write(_ name: String, _ arguments: [Expression]) {
    write(name + "(")
    writeList(arguments) { $0.write($1) }
    write(")")
  }

  private mutating func write(_ operation: UnaryOperator, _ operand: Expression) {
    write(operation.rawValue)
    let start = text.utf8.count
    write(operand, atLeast: .unary)
    // “- -x” must not become “--x”, nor “! ~x” a “!~ x”.
    let next = text.utf8.dropFirst(start).first.map { String(Unicode.Scalar($0)) }
    guard ["++", "--", "!~"].contains(operation.rawValue + (next ?? "")) else { return }
    text.insert(" ", at: text.utf8.index(text.startIndex, offsetBy: start))
  }

  private mutating func write(_ operation: BinaryOperator, _ left: Expression, _ right: Expression) {
    write(left, atLeast: operation.precedence)
    write(" \(operation.rawValue) ")
    write(right, atLeast: operation.precedence.tighter)
  }

  private mutating func write(_ operation: IncrementOperator, _ operand: Expression) {
    let sign = operation.isDecrement ? "--" : "++"
    if operation.isPrefix { write(sign) }
    write(operand, atLeast: .target)
    if !operation.isPrefix { write(sign) }
  }

  private mutating func write(ternary condition: Expression, _ then: Expression, _ otherwise: Expression) {
    write(condition, atLeast: .logicalOr)
    write(" ? ")
    write(then)
    write(" : ")
    write(otherwise, atLeast: .ternary)
  }

  private mutating func write(membership indexes: [IndexPattern], _ array: String) {
    if indexes.count == 1, case .value(let only) = indexes[0] {
      write(only, atLeast: .comparison)
    } else {
      write(indexes: indexes)
    }
    write(" in " + array)
  }

  private mutating func write(_ target: TargetExpression) {
    if target.takesAddress { write("&") }
    switch target.root {
    case .variable(let name): write(name)
    case .cast(let value, let type, let module):
      write("@cast(")
      write(value)
      write(rest: [type, module])
    case .global(let name, let module):
      write("@var(")
      write(constant: name.value)
      write(rest: [module])
    case .value(let value): write(value, atLeast: .value)
    }
    for step in target.steps {
      switch step {
      case .member(let name): write("->" + name.text)
      case .index(let index): write(indexes: [.value(index)])
      }
    }
    // A name would swallow the `$`.
    if case .value = target.root, target.steps.isEmpty, target.pretty != .none { write(" ") }
    write(target.pretty.suffix)
  }

  /// The literals that follow a first argument, and the closing bracket.
  private mutating func write(rest: [Literal?]) {
    for case let literal? in rest {
      write(", ")
      write(constant: literal.value)
    }
    write(")")
  }

  private mutating func write(_ call: PrintCall) {
    write(call.function.rawValue + "(")
    if let format = call.format {
      write(constant: format.value)
      if !call.arguments.isEmpty { write(", ") }
    }
    writeList(call.arguments) { $0.write($1) }
    write(")")
  }

  private mutating func write(_ histogram: Histogram) {
    switch histogram.shape {
    case .log: write("@hist_log", [histogram.statistic])
    case .linear(let low, let high, let step):
      write("@hist_linear(")
      write(histogram.statistic)
      write(", \(low), \(high), \(step))")
    }
  }

  private mutating func write(operator kind: Expression.Kind) {
    switch kind {
    case .statistic(let statistic, let variable, let shift):
      write("@" + statistic.rawValue + "(")
      write(variable)
      write(shift.map { ", \($0))" } ?? ")")
    case .histogram(let histogram): write(histogram)
    case .histogramIndex(let histogram, let bucket):
      write(histogram)
      write(indexes: [.value(bucket)])
    case .defined(let operand): write("@defined", [operand])
    case .entry(let operand): write("@entry", [operand])
    case .probeWrite(let name): write("@probewrite(" + name.text + ")")
    case .constant(let name): write(stringOperator: "@const", name)
    case .enumConstant(let name): write(stringOperator: "@enum", name)
    case .perfCounter(let name): write(stringOperator: "@perf", name)
    case .enumName(let value, let type, let module):
      write("@enumname(")
      write(value)
      write(rest: [type, module])
    case .dereference(let space, let size, let address):
      write(space == .kernel ? "@kderef(" : "@uderef(")
      write(constant: size.value)
      write(", ")
      write(address)
      write(")")
    case .register(let space, let number):
      write(stringOperator: space == .kernel ? "@kregister" : "@uregister", number)
    default: preconditionFailure("write(_:) hands over operators only")
    }
  }

  private mutating func write(stringOperator name: String, _ literal: Literal) {
    write(name + "(")
    write(constant: literal.value)
    write(")")
  }
}

extension TargetExpression.Pretty {
  fileprivate var suffix: String {
    switch self {
    case .none: ""
    case .shallow: "$"
    case .deep: "$$"
    }
  }
}
