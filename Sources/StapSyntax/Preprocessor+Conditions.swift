import Diagnostics
import Platform

/// What may stand between `%(` and `%?`: comparisons, joined by `&&` and, weaker, `||`.
extension Preprocessor {
  private struct ConditionError: Error {}

  /// Reads up to `%?`; nil after a mistake, which is then reported.
  mutating func readCondition(after opening: Token) -> Bool? {
    do {
      var anyHolds = false
      var allHold = true
      while true {
        allHold = try readComparison() && allHold
        let joint = nextExpanded()
        switch joint.text {
        case "&&" where joint.kind == .punctuation: continue
        case "||" where joint.kind == .punctuation:
          anyHolds = anyHolds || allHold
          allHold = true
        case "%?" where joint.kind == .punctuation: return anyHolds || allHold
        default: throw refuse(.conditionJoint(joint), at: joint)
        }
      }
    } catch {
      return nil
    }
  }

  private mutating func readComparison() throws(ConditionError) -> Bool {
    let left = try readOperand()
    let comparison = nextExpanded()
    guard comparison.kind == .punctuation, let comparator = Comparator(rawValue: comparison.text) else {
      throw refuse(.conditionComparator(comparison), at: comparison)
    }
    let right = try readOperand()
    guard left.kind == .identifier else { return try compare(left, comparator, right) }
    if left.text.hasPrefix("CONFIG_") { return try compareConfiguration(left, comparator, right) }
    return try compareFact(left, comparator, right)
  }

  private mutating func readOperand() throws(ConditionError) -> Token {
    let token = nextExpanded()
    switch token.kind {
    case .identifier, .string: return token
    case .number:
      guard Number.value(of: token.text) != nil else { throw refuse(.invalidNumber(token), at: token) }
      return token
    case .invalid(let problem):
      // Below 0: what was wrong is told already.
      throw problem < 0 ? ConditionError() : refuse(list.problems[problem], at: token)
    case .keyword, .atWord, .punctuation, .embeddedC, .endOfFile:
      throw refuse(.conditionOperand(token), at: token)
    }
  }

  private mutating func compare(
    _ left: Token,
    _ comparator: Comparator,
    _ right: Token
  ) throws(ConditionError) -> Bool {
    if left.kind == .string, right.kind == .string { return comparator.holds(left.text, right.text) }
    guard left.kind == .number, right.kind == .number else {
      throw refuse(.mixedCondition(right), at: right)
    }
    return comparator.holds(Number.value(of: left.text) ?? 0, Number.value(of: right.text) ?? 0)
  }

  /// `CONFIG_X` against a string, a number or another `CONFIG_Y`; what is not set is the empty string.
  private mutating func compareConfiguration(
    _ left: Token,
    _ comparator: Comparator,
    _ right: Token
  ) throws(ConditionError) -> Bool {
    let value = environment.kernelConfiguration(left.text) ?? ""
    if right.kind == .number {
      guard let number = Number.value(of: value) else { return comparator == .notEqual }
      return comparator.holds(number, Number.value(of: right.text) ?? 0)
    }
    guard right.kind == .identifier else { return try match(value, comparator, right) }
    guard right.text.hasPrefix("CONFIG_") else { throw refuse(.conditionOperand(right), at: right) }
    return comparator.holds(value, environment.kernelConfiguration(right.text) ?? "")
  }

  private mutating func compareFact(
    _ left: Token,
    _ comparator: Comparator,
    _ right: Token
  ) throws(ConditionError) -> Bool {
    if left.text == "guru_mode" {
      guard right.kind == .number, comparator.isEquality else {
        throw refuse(.guruCondition(right), at: right)
      }
      return comparator.holds(environment.guruMode ? 1 : 0, Number.value(of: right.text) ?? 0)
    }
    guard let fact = ConditionFact(rawValue: left.text) else {
      throw refuse(.unknownCondition(left), at: left)
    }
    guard right.kind == .string else { throw refuse(.conditionText(left.text, right), at: right) }
    let value = fact.value(in: environment)
    guard fact.isVersion, !GlobPattern.isGlob(right.text) || !comparator.isEquality else {
      return try match(value, comparator, right)
    }
    guard !GlobPattern.isGlob(right.text) else { throw refuse(.orderedWildcard(right), at: right) }
    return comparator.holds(compareVersions(value, right.text), 0)
  }

  private mutating func match(
    _ value: String,
    _ comparator: Comparator,
    _ right: Token
  ) throws(ConditionError) -> Bool {
    guard right.kind == .string else { throw refuse(.conditionOperand(right), at: right) }
    guard comparator.isEquality else { throw refuse(.unorderedCondition(right), at: right) }
    return GlobPattern.matches(value, pattern: right.text) == (comparator == .equal)
  }

  private mutating func refuse(_ diagnostic: Diagnostic, at token: Token) -> ConditionError {
    report(diagnostic, at: token)
    return ConditionError()
  }
}

/// The facts that are compared with a string.
private enum ConditionFact: String, CaseIterable {
  case arch
  case kernel = "kernel_v"
  case kernelRelease = "kernel_vr"
  case privilege = "systemtap_privilege"
  case runtime
  case systemtap = "systemtap_v"

  var isVersion: Bool { self == .kernel || self == .kernelRelease || self == .systemtap }

  func value(in environment: PreprocessorEnvironment) -> String {
    switch self {
    case .arch: environment.arch
    case .kernel: environment.kernelVersion
    case .kernelRelease: environment.kernelRelease
    case .privilege: environment.privilege.rawValue
    case .runtime: environment.runtime
    case .systemtap: environment.systemtapVersion
    }
  }
}

private enum Comparator: String {
  case equal = "=="
  case greater = ">"
  case greaterOrEqual = ">="
  case less = "<"
  case lessOrEqual = "<="
  case notEqual = "!="

  var isEquality: Bool { self == .equal || self == .notEqual }

  func holds<Value: Comparable>(_ left: Value, _ right: Value) -> Bool {
    switch self {
    case .equal: left == right
    case .greater: left > right
    case .greaterOrEqual: left >= right
    case .less: left < right
    case .lessOrEqual: left <= right
    case .notEqual: left != right
    }
  }
}

extension Diagnostic {
  fileprivate static func conditionComparator(_ found: Token) -> Diagnostic {
    .condition("expected one of '== != < <= > >=', found \(found.description)", found)
  }

  fileprivate static func conditionJoint(_ found: Token) -> Diagnostic {
    .condition("expected '&&', '||' or '%?' after a comparison, found \(found.description)", found)
  }

  fileprivate static func conditionOperand(_ found: Token) -> Diagnostic {
    .condition("expected a string, a number or a fact such as 'kernel_v', found \(found.description)", found)
  }

  fileprivate static func conditionText(_ fact: String, _ found: Token) -> Diagnostic {
    .condition("'\(fact)' is compared with a string, found \(found.description)", found)
  }

  fileprivate static func guruCondition(_ found: Token) -> Diagnostic {
    .condition("'guru_mode' is compared with '==' or '!=' to 0 or 1", found)
  }

  fileprivate static func mixedCondition(_ found: Token) -> Diagnostic {
    .condition("a string and a number cannot be compared", found)
  }

  fileprivate static func orderedWildcard(_ found: Token) -> Diagnostic {
    .condition("a version with wildcards has no order", found)
  }

  fileprivate static func unknownCondition(_ found: Token) -> Diagnostic {
    let known = ConditionFact.allCases.map(\.rawValue) + ["guru_mode"]
    return Diagnostic(
      .error,
      "unknown-condition",
      "a condition knows no '\(found.text)'",
      at: found.range,
      notes: [.note("it knows \(known.sorted().joined(separator: ", ")) and CONFIG_…")],
      fixIt: nearestNames(to: found.text, among: known, limit: 1).first
    )
  }

  fileprivate static func unorderedCondition(_ found: Token) -> Diagnostic {
    .condition("this fact can be compared by '==' and '!=' only", found)
  }

  private static func condition(_ message: String, _ found: Token) -> Diagnostic {
    Diagnostic(.error, "invalid-condition", message, at: found.range)
  }
}
