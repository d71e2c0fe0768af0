import StapSyntax

/// Walks over trees that only look.
enum AST {
  /// Whether `next` stands anywhere in the function.
  static func containsNext(_ function: FunctionDeclaration) -> Bool {
    guard case .block(let statement) = function.body else { return false }
    var found = false
    statement.forEach { inner in
      if case .next = inner.kind { found = true }
    }
    return found
  }
}

extension Statement {
  /// The variables that something in here assigns to, by name.
  var writtenNames: Set<String> {
    var names: Set<String> = []
    forEach { statement in
      switch statement.kind {
      case .foreach(let loop): names.formUnion((loop.keys + [loop.value].compactMap { $0 }).map(\.text))
      case .tryCatch(_, let message?, _): names.insert(message.text)
      default: break
      }
    }
    forEachExpression { $0.collectWritten(into: &names) }
    return names
  }

  /// Whether `@count(name)`, `@hist_log(name)` or a kin of theirs is in here.
  func asksForStatistic(of name: String) -> Bool {
    var isFound = false
    forEachExpression { isFound = isFound || $0.asksForStatistic(of: name) }
    return isFound
  }

  /// Calls `visit` with this statement and all inside it.
  func forEach(_ visit: (Statement) -> Void) {
    visit(self)
    for child in children { child.forEach(visit) }
  }

  /// Calls `visit` with every expression at the top of a statement in here.
  func forEachExpression(_ visit: (Expression) -> Void) {
    forEach { statement in
      for expression in statement.expressions { visit(expression) }
    }
  }

  private var children: [Statement] {
    switch kind {
    case .block(let statements): statements
    case .if(_, let then, let otherwise): [then] + (otherwise.map { [$0] } ?? [])
    case .while(_, let body), .for(_, _, _, let body): [body]
    case .foreach(let loop): [loop.body]
    case .tryCatch(let body, _, let handler): [body, handler]
    case .empty, .expression, .break, .continue, .next, .return, .delete: []
    }
  }

  private var expressions: [Expression] {
    switch kind {
    case .expression(let expression), .delete(let expression): [expression]
    case .if(let condition, _, _), .while(let condition, _): [condition]
    case .for(let initial, let condition, let step, _): [initial, condition, step].compactMap { $0 }
    case .foreach(let loop): loop.expressions
    case .return(let value): [value].compactMap { $0 }
    case .block, .empty, .break, .continue, .next, .tryCatch: []
    }
  }
}

extension Foreach {
  fileprivate var expressions: [Expression] {
    var result = [limit].compactMap { $0 }
    switch base {
    case .array(_, let slice): result += (slice ?? []).expressions
    case .histogram(let expression): result.append(expression)
    }
    return result
  }
}

extension [IndexPattern] {
  /// The keys that are not `*`.
  fileprivate var expressions: [Expression] {
    compactMap { pattern in
      guard case .value(let expression) = pattern else { return nil }
      return expression
    }
  }
}

extension Expression {
  fileprivate func collectWritten(into names: inout Set<String>) {
    switch kind {
    case .assign(_, let place, _), .increment(_, let place):
      names.formUnion(place.placeName.map { [$0] } ?? [])
    default: break
    }
    for child in children { child.collectWritten(into: &names) }
  }

  /// Of a place: the script's variable.
  private var placeName: String? {
    switch kind {
    case .identifier(let name): name
    case .index(let name, _): name.text
    case .parenthesized(let inner): inner.placeName
    default: nil
    }
  }

  /// The expressions directly inside this one, in the order of the text.
  var children: [Expression] {
    switch kind {
    case .index(_, let patterns), .membership(let patterns, _): patterns.expressions
    case .call(_, let arguments): arguments
    case .unary(_, let operand), .increment(_, let operand), .parenthesized(let operand),
      .defined(let operand),
      .entry(let operand), .statistic(_, let operand, _), .enumName(let operand, _, _),
      .dereference(_, _, let operand), .regexMatch(let operand, _, _):
      [operand]
    case .binary(_, let left, let right), .assign(_, let left, let right): [left, right]
    case .ternary(let condition, let then, let otherwise): [condition, then, otherwise]
    case .target(let target): target.children
    case .histogram(let histogram): [histogram.statistic]
    case .histogramIndex(let histogram, let bucket): [histogram.statistic, bucket]
    case .print(let call): call.arguments
    case .literal, .identifier, .probeWrite, .constant, .enumConstant, .perfCounter, .register, .embeddedC: []
    }
  }
}

extension TargetExpression {
  fileprivate var children: [Expression] {
    var result: [Expression] = []
    switch root {
    case .cast(let operand, _, _), .value(let operand): result.append(operand)
    case .variable, .global: break
    }
    for case .index(let index) in steps { result.append(index) }
    return result
  }
}

extension Expression {
  fileprivate func asksForStatistic(of name: String) -> Bool {
    switch kind {
    case .statistic(_, let asked, _) where asked.identifier == name: true
    case .histogram(let histogram) where histogram.statistic.identifier == name: true
    case .histogramIndex(let histogram, _) where histogram.statistic.identifier == name: true
    default: children.contains { $0.asksForStatistic(of: name) }
    }
  }

  /// The name that it consists of.
  private var identifier: String? {
    switch kind {
    case .identifier(let name): name
    case .parenthesized(let inner): inner.identifier
    default: nil
    }
  }
}
