import Diagnostics
import StapSyntax

extension Elaborator {
  /// `=`, `<<<` and `op=`.
  mutating func walkAssignment(
    _ assignment: AssignmentOperator,
    _ left: Expression,
    _ right: Expression,
    isValueUsed: Bool,
    _ range: SourceRange
  ) -> Draft {
    if let target = left.target, isEventText(target) {
      return walkEventTextAssignment(assignment, right, range)
    }
    if environment.isGuru, let target = left.target {
      return walkTargetAssignment(assignment, target, right, range)
    }
    guard let (place, type, global) = walkPlace(left) else {
      _ = walk(right)
      return invalid(range)
    }
    let value = walkValue(right)
    noteAssignment(to: place, global, isRead: isValueUsed && !isPlainSet(assignment), at: left.range)
    let valueType = value.type ?? .known(.long)
    switch assignment {
    case .set:
      if isStatistic(type, global, at: left.range) { return invalid(range) }
      unify(type, valueType, "the value assigned to \(describe(place, global))", at: value.range)
      if case .local(let index) = place { notePointee(value.pointee, of: index) }
      return Draft(.assign(place, finished(value)), type, range, pointee: value.pointee)
    case .aggregate:
      unify(.known(.long), valueType, "the value added by '<<<'", at: value.range)
      guard global != nil else {
        report(.localStatistic(at: left.range))
        return invalid(range)
      }
      unify(type, .known(.statistic), describe(place, global), at: left.range)
      return .long(.aggregate(place, finished(value)), range)
    case .modify(let operation):
      let operand: TypeTerm = operation == .concatenate ? .known(.string) : .known(.long)
      let what = "the operand of '\(operation.rawValue)='"
      unify(operand, type, what, at: left.range)
      unify(operand, valueType, what, at: value.range)
      return Draft(.modify(place, operation, finished(value)), operand, range)
    }
  }

  /// `++` and `--`.
  mutating func walkIncrement(
    _ operation: IncrementOperator,
    _ operand: Expression,
    isValueUsed: Bool,
    _ range: SourceRange
  ) -> Draft {
    if environment.isGuru, let target = operand.target {
      return walkTargetIncrement(operation, target, isValueUsed: isValueUsed, range)
    }
    guard let (place, type, global) = walkPlace(operand) else { return invalid(range) }
    noteAssignment(to: place, global, isRead: isValueUsed, at: operand.range)
    unify(.known(.long), type, "the operand of '\(operation.isDecrement ? "--" : "++")'", at: operand.range)
    return .long(.increment(place, operation), range)
  }

  private func isPlainSet(_ assignment: AssignmentOperator) -> Bool {
    guard case .set = assignment else { return false }
    return true
  }

  private mutating func noteAssignment(
    to place: ElaboratedPlace,
    _ global: Int?,
    isRead: Bool,
    at range: SourceRange
  ) {
    if case .local(let index) = place {
      if case .condition = body.subject { report(.conditionHasEffects(at: range)) }
      body.locals[index].isAssigned = true
      body.locals[index].isRead = body.locals[index].isRead || isRead
    }
    guard let global else { return }
    markWritten(global, at: range)
    if isRead { markRead(global) }
  }

  /// A local keeps the type of the pointers it holds only as long as they are all of one type.
  private mutating func notePointee(_ pointee: TargetType?, of index: Int) {
    body.locals[index].pointee = pointee
  }

  private mutating func isStatistic(_ type: TypeTerm, _ global: Int?, at range: SourceRange) -> Bool {
    guard let global, types.resolved(type) == .statistic else { return false }
    report(.statisticAssigned(symbols.globals[global].declaration.name.text, at: range))
    return true
  }

  private func describe(_ place: ElaboratedPlace, _ global: Int?) -> String {
    if let global { return "'\(symbols.globals[global].declaration.name.text)'" }
    guard case .local(let index) = place else { return "a variable" }
    return "'\(body.locals[index].name)'"
  }
}
