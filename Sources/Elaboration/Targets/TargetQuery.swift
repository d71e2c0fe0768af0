import StapSyntax
import TargetModel

/// What a script asks of a site, apart from the places in the text: equal questions are asked once.
struct TargetQuery: Hashable, Sendable {
  /// Where the walk starts.
  enum Root: Hashable, Sendable {
    /// With its `$` or `$$`.
    case variable(String)
    case cast(type: String, module: String?)
    case global(String, module: String?)
    /// A number of the script as a value of that enumeration.
    case enumerator(type: String, module: String?)
    /// A script value whose type the caller knows.
    case value
  }

  /// One step; indexes that are no constants are inputs of the plan.
  enum Step: Hashable, Sendable {
    case member(String)
    case index(Int64)
    case inputIndex(Int)
  }

  /// How much of an aggregate is shown; `name`: of a Rust enum only the alternative's name.
  enum Pretty: Hashable, Sendable { case none, name, shallow, deep }

  var root: Root
  var steps: [Step]
  var pretty: Pretty
  var takesAddress: Bool
  /// Inside `@entry(…)`.
  var isEntry: Bool

  /// The question, and the expressions that its inputs stand for.
  static func make(_ target: TargetExpression, isEntry: Bool) -> (query: TargetQuery, inputs: [Expression]) {
    var inputs: [Expression] = []
    let root = Root(target.root, &inputs)
    let steps = target.steps.map { Step($0, &inputs) }
    let pretty: Pretty =
      switch target.pretty {
      case .none: .none
      case .shallow: .shallow
      case .deep: .deep
      }
    let query = TargetQuery(
      root: root,
      steps: steps,
      pretty: pretty,
      takesAddress: target.takesAddress,
      isEntry: isEntry
    )
    return (query, inputs)
  }

  /// Whether the answer is the same at every site.
  var isAboutKernel: Bool {
    if case .cast(_, module: "kernel") = root { pretty == .none } else { false }
  }

  /// As the script writes it, more or less; for messages.
  var text: String { (takesAddress ? "&" : "") + rootText + steps.map(\.text).joined() }

  /// Where the walk starts, for messages.
  var rootText: String {
    switch root {
    case .variable(let name): name
    case .cast(let type, _): "@cast(…, \"\(type)\")"
    case .global(let name, _): "@var(\"\(name)\")"
    case .enumerator(let type, _): "@enumname(…, \"\(type)\")"
    case .value: "…"
    }
  }
}

extension TargetQuery {
  /// What `@enumname` asks: the name that `$value$` shows, or the one that a number has in an enumeration.
  ///
  /// Nil for a value of no known type.
  static func enumeratorName(
    _ value: Expression,
    _ type: Literal?,
    _ module: Literal?,
    isEntry: Bool
  ) -> (query: TargetQuery, inputs: [Expression])? {
    if let type {
      let root = Root.enumerator(type: type.stringValue, module: module?.stringValue)
      let query = TargetQuery(root: root, steps: [], pretty: .name, takesAddress: false, isEntry: false)
      return (query, [value])
    }
    var inner = value
    while case .parenthesized(let next) = inner.kind { inner = next }
    guard case .target(let target) = inner.kind else { return nil }
    var (query, inputs) = make(target, isEntry: isEntry)
    guard query.pretty == .none, !query.takesAddress else { return nil }
    query.pretty = .name
    return (query, inputs)
  }
}

extension TargetQuery.Root {
  /// Whether the script gave the address where the walk starts.
  var isPointed: Bool {
    switch self {
    case .cast, .value: true
    case .variable, .global, .enumerator: false
    }
  }

  fileprivate init(_ root: TargetExpression.Root, _ inputs: inout [Expression]) {
    switch root {
    case .variable(let name): self = .variable(name)
    case .cast(let value, let type, let module):
      inputs.append(value)
      self = .cast(type: type.stringValue, module: module?.stringValue)
    case .global(let name, let module): self = .global(name.stringValue, module: module?.stringValue)
    case .value(let value):
      inputs.append(value)
      self = .value
    }
  }
}

extension TargetQuery.Step {
  /// As the script writes it, more or less.
  var text: String {
    switch self {
    case .member(let name): "->\(name)"
    case .index(let index): "[\(index)]"
    case .inputIndex: "[…]"
    }
  }

  fileprivate init(_ step: TargetExpression.Step, _ inputs: inout [Expression]) {
    switch step {
    case .member(let name): self = .member(name.text)
    case .index(let expression):
      if let constant = expression.constantNumber {
        self = .index(constant)
      } else {
        inputs.append(expression)
        self = .inputIndex(inputs.count - 1)
      }
    }
  }
}

extension Expression {
  /// The value of a number in the text, its sign included.
  var constantNumber: Int64? {
    switch kind {
    case .literal(.number(let value)): value
    case .parenthesized(let inner): inner.constantNumber
    case .unary(.minus, let operand): operand.constantNumber.map { 0 &- $0 }
    default: nil
    }
  }
}

extension Literal {
  /// The text of a string; a number's digits, which no name equals.
  var stringValue: String {
    switch value {
    case .string(let text): text
    case .number(let number): "\(number)"
    }
  }
}
