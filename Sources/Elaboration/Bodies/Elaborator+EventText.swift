import Diagnostics
import StapSyntax
import TargetModel

// `$value` of `procfs` and `input` probes: a string that belongs to the hit (stapprobes(3stap), "PROCFS").
extension Elaborator {
  /// Whether `target` is that string here.
  func isEventText(_ target: TargetExpression) -> Bool {
    guard body.context?.scope.hasEventText ?? false, target.steps.isEmpty, !target.takesAddress,
      target.pretty == .none, case .variable("$value") = target.root
    else { return false }
    return true
  }

  /// What it is at the moment, as much as a string holds.
  func walkEventText(_ range: SourceRange) -> Draft {
    .string(.intrinsic(.eventText, []), range)
  }

  /// `$value = s` and `$value .= s`; the latter may make it longer than strings are.
  mutating func walkEventTextAssignment(
    _ assignment: AssignmentOperator,
    _ right: Expression,
    _ range: SourceRange
  ) -> Draft {
    let text = walk(right)
    expect(text, .known(.string), "what is assigned to '$value'")
    switch assignment {
    case .set: return .string(.intrinsic(.setEventText, [finished(text)]), range)
    case .modify(.concatenate): return .string(.intrinsic(.appendEventText, [finished(text)]), range)
    case .modify, .aggregate:
      report(.notAssignable(at: range))
      return invalid(range)
    }
  }
}
