import Diagnostics
import StapSyntax

/// What can be wrong in bodies: names, types, places. Alphabetical.
extension Diagnostic {
  static func argumentNumber(_ name: Name, _ rule: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "argument-number", "the argument of '\(name.text)' must be \(rule)", at: range)
  }

  static func arrayUsedAsScalar(_ name: String, at range: SourceRange, evidence: SourceRange) -> Diagnostic {
    let notes = [note("it is used as an array here", at: evidence)]
    return Diagnostic(
      .error,
      "array-as-scalar",
      "'\(name)' is an array; give it a key",
      at: range,
      notes: notes
    )
  }

  static func cannotDelete(at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "cannot-delete", "only variables, arrays and their elements can be deleted", at: range)
  }

  static func catchIntoGlobal(_ name: Name) -> Diagnostic {
    Diagnostic(
      .error,
      "catch-into-global",
      "'catch' needs a local variable, '\(name.text)' is global",
      at: name.range
    )
  }

  static func conditionCalls(_ name: Name) -> Diagnostic {
    Diagnostic(
      .error,
      "condition-calls",
      "a probe's condition may not call functions, found '\(name.text)'",
      at: name.range
    )
  }

  static func conditionHasEffects(at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "condition-has-effects", "a probe's condition may not change anything", at: range)
  }

  static func conditionReadsTarget(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .error,
      "condition-reads-target",
      "a probe's condition may only read global variables",
      at: range
    )
  }

  static func dereferenceSize(at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "dereference-size", "the size must be 1, 2, 4 or 8", at: range)
  }

  static func duplicateGlobal(_ name: Name, previous: Name) -> Diagnostic {
    let notes = [note("it was declared here", at: previous.range)]
    return Diagnostic(
      .error,
      "duplicate-global",
      "global '\(name.text)' is declared twice",
      at: name.range,
      notes: notes
    )
  }

  static func duplicateParameter(_ name: Name) -> Diagnostic {
    Diagnostic(.error, "duplicate-parameter", "parameter '\(name.text)' is named twice", at: name.range)
  }

  static func embeddedC(at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "embedded-c", "embedded C cannot run on eBPF; it needs a kernel module", at: range)
  }

  static func entryOutsideReturn(at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "entry-outside-return", "'@entry' means something in '.return' probes only", at: range)
  }

  static func histogramAsValue(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .error,
      "histogram-as-value",
      "a histogram can be printed, indexed or walked, nothing else",
      at: range
    )
  }

  static func histogramBounds(at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "histogram-bounds", "'@hist_linear' needs low < high and a step above 0", at: range)
  }

  static func histogramKeys(at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "histogram-keys", "a histogram's buckets have one index", at: range)
  }

  static func histogramTooWide(_ count: Int64, at range: SourceRange) -> Diagnostic {
    let message = "this histogram would have \(count) buckets, more than the 128 there can be"
    return Diagnostic(.error, "histogram-too-wide", message, at: range)
  }

  static func localStatistic(at range: SourceRange) -> Diagnostic {
    let message = "statistics must be global; declare it with 'global'"
    return Diagnostic(.error, "local-statistic", message, at: range)
  }

  static func loopVariableIsGlobal(_ name: Name) -> Diagnostic {
    let message = "'foreach' needs local variables, '\(name.text)' is global"
    return Diagnostic(.error, "loop-variable-global", message, at: name.range)
  }

  static func modifiedDuringForeach(_ name: String, at range: SourceRange, loop: SourceRange) -> Diagnostic {
    let notes = [note("the loop walks it here", at: loop)]
    let message = "'\(name)' may not change while a 'foreach' walks it"
    return Diagnostic(.error, "modified-during-foreach", message, at: range, notes: notes)
  }

  static func neverAssigned(
    _ name: String,
    _ what: String,
    at range: SourceRange,
    near names: [String]
  ) -> Diagnostic {
    let near = nearestNames(to: name, among: names)
    return Diagnostic(
      .warning,
      "never-assigned",
      "\(what) is read but never assigned" + didYouMean(near),
      at: range,
      fixIt: near.count == 1 ? near[0] : nil
    )
  }

  static func noEffect(at range: SourceRange) -> Diagnostic {
    Diagnostic(.warning, "no-effect", "this statement does nothing", at: range)
  }

  static func noRegisters(_ name: Name, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .error,
      "no-registers",
      "'\(name.text)' reads registers, which this probe has none of",
      at: range
    )
  }

  static func noSuchArray(_ name: Name, near names: [String], isLocal: Bool) -> Diagnostic {
    let near = nearestNames(to: name.text, among: names)
    let rule = isLocal ? "arrays must be global" : "no global array '\(name.text)'; arrays must be declared"
    return Diagnostic(
      .error,
      "no-such-array",
      rule + didYouMean(near),
      at: name.range,
      fixIt: near.count == 1 ? near[0] : nil
    )
  }

  static func noSuchEnumerator(_ name: Literal) -> Diagnostic {
    Diagnostic(.error, "no-such-enumerator", "no enumerator \(name.text) here", at: name.range)
  }

  /// `missingTapset`: where the library was looked for in vain.
  static func noSuchFunction(_ name: Name, near names: [String], missingTapset: [String]) -> Diagnostic {
    let near = nearestNames(to: name.text, among: names)
    return Diagnostic(
      .error,
      "no-such-script-function",
      "no function '\(name.text)'" + didYouMean(near),
      at: name.range,
      notes: missingTapset.isEmpty
        ? []
        : [
          .note("no tapset found at \(missingTapset.joined(separator: ", nor at "))"),
          .note("UTRACE_TAPSET=DIRECTORY says where it is"),
        ],
      fixIt: near.count == 1 ? near[0] : nil
    )
  }

  static func noSuchRegister(_ name: String, at range: SourceRange, near names: [String]) -> Diagnostic {
    let near = nearestNames(to: name, among: names)
    return Diagnostic(.error, "no-such-register", "no register '\(name)'" + didYouMean(near), at: range)
  }

  static func noValue(at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "no-value", "this gives no value", at: range)
  }

  static func notAssignable(at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "not-assignable", "only variables and array elements can be assigned to", at: range)
  }

  static func notStatistic(at range: SourceRange, name: String?) -> Diagnostic {
    let subject = name.map { "'\($0)'" } ?? "this"
    return Diagnostic(.error, "not-statistic", "\(subject) is no global statistic", at: range)
  }

  static func notSupported(_ what: String, _ instead: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "not-supported", "\(what) is not supported yet: \(instead)", at: range)
  }

  static func outsideLoop(_ word: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "outside-loop", "'\(word)' stands outside a loop", at: range)
  }

  static func printCount(_ call: PrintCall, _ needs: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "print-count", "'\(call.function.rawValue)' needs \(needs)", at: range)
  }

  static func returnOutsideFunction(at range: SourceRange) -> Diagnostic {
    let message = "'return' stands outside a function; a probe ends with 'next'"
    return Diagnostic(.error, "return-outside-function", message, at: range, fixIt: "next")
  }

  static func scalarUsedAsArray(_ name: Name, evidence: SourceRange) -> Diagnostic {
    let notes = [note("it is used as a scalar here", at: evidence)]
    return Diagnostic(.error, "scalar-as-array", "'\(name.text)' is no array", at: name.range, notes: notes)
  }

  static func shadowedVariable(_ name: Name, _ message: String, by other: SourceRange) -> Diagnostic {
    Diagnostic(
      .warning,
      "shadowed-variable",
      message,
      at: name.range,
      notes: [note("the other '\(name.text)'", at: other)]
    )
  }

  static func statisticAsValue(_ name: String, at range: SourceRange) -> Diagnostic {
    let message = "'\(name)' is a statistic; ask for '@count(\(name))', '@avg(\(name))' and so on"
    return Diagnostic(.error, "statistic-as-value", message, at: range)
  }

  static func statisticAssigned(_ name: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .error,
      "statistic-assigned",
      "'\(name)' is a statistic; values are added to it by '<<<'",
      at: range
    )
  }

  static func target(_ problem: TargetProblem?, at range: SourceRange, siteCount: Int) -> Diagnostic {
    guard let problem else {
      return Diagnostic(.error, "no-such-variable", "no such variable here", at: range)
    }
    var notes = problem.notes.map { note($0) }
    if siteCount > 1 { notes.append(note("so at \(siteCount) places that this probe names")) }
    let asked = problem.asked.map { nearestNames(to: $0, among: problem.candidates) } ?? []
    if asked.isEmpty, notes.isEmpty, (1...30).contains(problem.candidates.count) {
      notes.append(note("there are \(problem.candidates.joined(separator: ", "))"))
    }
    return Diagnostic(.error, problem.id, problem.message + didYouMean(asked), at: range, notes: notes)
  }

  static func targetIsReadOnly(at range: SourceRange) -> Diagnostic {
    let message = "changing the traced program needs guru mode (option -g)"
    return Diagnostic(.error, "target-read-only", message, at: range)
  }

  static func typeMismatch(
    _ what: String,
    expected: ScriptType,
    found: ScriptType,
    at range: SourceRange,
    evidence: SourceRange?
  ) -> Diagnostic {
    let notes = evidence.map { $0 == range ? [] : [note("its type was settled here", at: $0)] } ?? []
    let message = "\(what) must be a \(expected.word), this is a \(found.word)"
    return Diagnostic(.error, "type-mismatch", message, at: range, notes: notes)
  }

  static func unknownType(_ what: String, at range: SourceRange) -> Diagnostic {
    let message = "nothing tells whether \(what) is a number or a string"
    return Diagnostic(.error, "unknown-type", message, at: range)
  }

  static func unreachableCode(at range: SourceRange, because reason: SourceRange) -> Diagnostic {
    let notes = [note("because of this", at: reason)]
    return Diagnostic(.warning, "unreachable-code", "this is never reached", at: range, notes: notes)
  }

  static func unusedFunction(_ name: Name) -> Diagnostic {
    Diagnostic(.warning, "unused-function", "function '\(name.text)' is never called", at: name.range)
  }

  static func unusedGlobal(_ name: Name) -> Diagnostic {
    Diagnostic(.warning, "unused-global", "global '\(name.text)' is never used", at: name.range)
  }

  static func unusedLocal(_ local: LocalSymbol) -> Diagnostic {
    Diagnostic(.warning, "unused-local", "'\(local.name)' is assigned but never read", at: local.firstUse)
  }

  static func varianceShift(_ shift: Int64, at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "variance-shift", "the bit shift must be from 0 to 62, not \(shift)", at: range)
  }

  static func wildcardKey(at range: SourceRange) -> Diagnostic {
    let message = "'*' stands for any key only in 'in', 'delete', 'foreach' and statistics"
    return Diagnostic(.error, "wildcard-key", message, at: range)
  }

  static func wrongArgumentCount(
    _ name: Name,
    _ count: Int,
    expected: [Int],
    _ declaration: SourceRange?
  ) -> Diagnostic {
    let counts = Set(expected).sorted().map(String.init).joined(separator: " or ")
    let plural = counts == "1" ? "" : "s"
    let notes = declaration.map { [note("it is declared here", at: $0)] } ?? []
    let message = "'\(name.text)' takes \(counts) argument\(plural), not \(count)"
    return Diagnostic(.error, "wrong-argument-count", message, at: name.range, notes: notes)
  }

  static func wrongFormatCount(_ call: PrintCall, _ format: Literal, expected: Int) -> Diagnostic {
    let count = call.arguments.count
    let message = "the format takes \(expected) value\(expected == 1 ? "" : "s"), there are \(count)"
    return Diagnostic(.error, "wrong-format-count", message, at: format.range)
  }

  static func wrongKeyCount(_ name: Name, _ count: Int, expected: Int, _ global: GlobalSymbol) -> Diagnostic {
    var notes: [Diagnostic] = []
    if case .array(_, let evidence) = global.shape { notes = [note("used so here", at: evidence)] }
    let message = "'\(name.text)' has \(expected) key\(expected == 1 ? "" : "s"), not \(count)"
    return Diagnostic(.error, "wrong-key-count", message, at: name.range, notes: notes)
  }

  /// `; did you mean 'a' or 'b'?`, or nothing.
  static func didYouMean(_ names: [String]) -> String {
    guard !names.isEmpty else { return "" }
    return "; did you mean \(names.map { "'\($0)'" }.joined(separator: " or "))?"
  }
}

extension ScriptType {
  /// As messages call it.
  fileprivate var word: String {
    switch self {
    case .long: "number"
    case .string: "string"
    case .statistic: "statistic"
    }
  }
}
