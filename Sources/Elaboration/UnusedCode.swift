import Diagnostics
import StapSyntax
import TargetModel

/// Drops assignments to locals that nothing reads, and functions that nothing calls any more.
///
/// Aliases set many variables of which a probe uses few; reading memory for the others would cost every hit.
///
///     filename = user_string(a); flags = b; println(flags)      ⇒      flags = b; println(flags)
struct UnusedCode {
  private var program: ElaboratedProgram
  private var pureFunctions: Set<Int> = []

  /// The program without what it does not need.
  static func removed(from program: ElaboratedProgram) -> ElaboratedProgram {
    var pass = UnusedCode(program: program)
    pass.findPureFunctions()
    pass.dropAssignments()
    pass.dropFunctions()
    return pass.program
  }

  private init(program: ElaboratedProgram) { self.program = program }

  /// A function is pure when all it does is compute; those that call one that is not are not.
  private mutating func findPureFunctions() {
    pureFunctions = Set(program.functions.indices)
    var callers: [Int: [Int]] = [:]
    for (index, function) in program.functions.enumerated() {
      for callee in calls(in: function.body.statement) { callers[callee, default: []].append(index) }
    }
    var impure = pureFunctions.filter { !isPure(program.functions[$0].body.statement) }
    while let function = impure.popFirst() {
      if pureFunctions.remove(function) != nil { impure.formUnion(callers[function] ?? []) }
    }
  }

  private mutating func dropAssignments() {
    // Taken out of the program: with a second owner, each change would copy all of them.
    var (probes, functions) = (program.probes, program.functions)
    (program.probes, program.functions) = ([], [])
    for index in probes.indices { drop(in: &probes[index].body) }
    for index in functions.indices { drop(in: &functions[index].body) }
    (program.probes, program.functions) = (probes, functions)
  }

  /// What is dropped may have been the only reader of something else, so this runs until nothing changes.
  private func drop(in body: inout ElaboratedBody) {
    while true {
      let read = Self.localsRead(in: body.statement)
      var changed = false
      body.statement = dropped(from: body.statement, read, &changed)
      if !changed { return }
    }
  }

  private func dropped(
    from statement: ElaboratedStatement,
    _ read: Set<Int>,
    _ changed: inout Bool
  ) -> ElaboratedStatement {
    if case .expression(let expression) = statement.kind, isUseless(expression, read) {
      changed = true
      return ElaboratedStatement(.block([]), statement.range)
    }
    var didChange = false
    var result = statement.mapChildren({ dropped(from: $0, read, &didChange) }, { $0 })
    if case .block(let statements) = result.kind {
      result.kind = .block(statements.filter { !$0.isEmpty })
    }
    changed = changed || didChange
    return result
  }

  private func isUseless(_ expression: ElaboratedExpression, _ read: Set<Int>) -> Bool {
    switch expression.kind {
    case .assign(.local(let index), let value), .modify(.local(let index), _, let value):
      !read.contains(index) && isPure(value)
    case .increment(.local(let index), _): !read.contains(index)
    default: false
    }
  }

  private static func localsRead(in statement: ElaboratedStatement) -> Set<Int> {
    var read: Set<Int> = []
    // What a statement of its own does to a variable is no reading of it.
    var unread: Set<SourceRange> = []
    statement.forEach(
      { inner in
        if case .expression(let expression) = inner.kind { unread.insert(expression.range) }
      },
      expressions: { expression in
        switch expression.kind {
        case .place(.local(let index)): read.insert(index)
        case .modify(.local(let index), _, _), .increment(.local(let index), _),
          .assign(.local(let index), _):
          if !unread.contains(expression.range) { read.insert(index) }
        default: break
        }
      }
    )
    return read
  }

  private func isPure(_ statement: ElaboratedStatement) -> Bool {
    var result = true
    statement.forEach(
      { inner in
        switch inner.kind {
        case .delete, .next, .foreach, .tryCatch, .loop: result = false
        case .block, .expression, .if, .break, .continue, .return: break
        }
      },
      expressions: { result = result && isPureAlone($0) }
    )
    return result
  }

  /// Whether an expression does nothing besides giving a value.
  private func isPure(_ expression: ElaboratedExpression) -> Bool {
    var result = true
    expression.forEach { inner in
      switch inner.kind {
      case .assign, .modify, .increment: result = false
      default: result = result && isPureAlone(inner)
      }
    }
    return result
  }

  /// Reading memory counts as pure: a fault that nobody would have seen the value of is no loss.
  private func isPureAlone(_ expression: ElaboratedExpression) -> Bool {
    switch expression.kind {
    case .long, .string, .place, .unary, .binary, .ternary, .membership, .context, .read, .siteFormat, .entry,
      .statistic, .histogramIndex, .format, .formatHistogram:
      return true
    case .assign(.local, _), .modify(.local, _, _), .increment(.local, _): return true
    case .assign, .modify, .increment, .aggregate, .print, .printHistogram, .regexMatch: return false
    case .call(let function, _): return pureFunctions.contains(function)
    case .intrinsic(let intrinsic, _):
      switch intrinsic {
      case .warn, .error, .exit, .abort, .system, .tokenize, .randint, .setEventText, .appendEventText,
        .userWrite, .raiseSignal, .switchFile:
        return false
      default: return true
      }
    }
  }

  private mutating func dropFunctions() {
    let kept = reachableFunctions().sorted()
    guard kept.count < program.functions.count else { return }
    let positions = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
    program.functions = kept.map { index in
      var function = program.functions[index]
      function.fallback = function.fallback.flatMap { positions[$0] }
      function.body.statement = renumbered(function.body.statement, positions)
      return function
    }
    for index in program.probes.indices {
      program.probes[index].body.statement = renumbered(program.probes[index].body.statement, positions)
    }
  }

  private func reachableFunctions() -> Set<Int> {
    var reachable: Set<Int> = []
    var pending: [Int] = program.probes.flatMap { calls(in: $0.body.statement) }
    while let function = pending.popLast() {
      guard reachable.insert(function).inserted else { continue }
      pending += calls(in: program.functions[function].body.statement)
      if let fallback = program.functions[function].fallback { pending.append(fallback) }
    }
    return reachable
  }

  private func calls(in statement: ElaboratedStatement) -> [Int] {
    var found: [Int] = []
    statement.forEach(
      { _ in },
      expressions: { expression in
        if case .call(let function, _) = expression.kind { found.append(function) }
      }
    )
    return found
  }

  private func renumbered(_ statement: ElaboratedStatement, _ positions: [Int: Int]) -> ElaboratedStatement {
    statement.mapChildren({ renumbered($0, positions) }, { renumbered($0, positions) })
  }

  private func renumbered(_ expression: ElaboratedExpression, _ positions: [Int: Int]) -> ElaboratedExpression
  {
    var result = expression.mapChildren { renumbered($0, positions) }
    if case .call(let function, let arguments) = result.kind {
      result.kind = .call(function: positions[function] ?? function, arguments)
    }
    return result
  }
}

extension ElaboratedStatement {
  fileprivate var isEmpty: Bool {
    guard case .block(let statements) = kind else { return false }
    return statements.isEmpty
  }
}
