import Diagnostics
import StapSyntax

/// What can be wrong with probe points. Alphabetical.
extension Diagnostic {
  static func aliasLoop(_ point: ProbePoint) -> Diagnostic {
    Diagnostic(.error, "alias-loop", "the alias '\(point.text)' stands for itself", at: point.range)
  }

  static func everyInstruction(_ component: ProbePoint.Component) -> Diagnostic {
    Diagnostic(
      .error,
      "unsupported-probe",
      "'.\(component.name.text)': the kernel has no event for each instruction of a program",
      at: component.range,
      notes: [.note("'.statement(\"function@file:*\")' probes each line of a function")]
    )
  }

  static func kernelNeedsMore(at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "kernel-what", "'kernel' alone is no event; write 'kernel.trace(\"name\")'", at: range)
  }

  static func malformedPattern(_ component: ProbePoint.Component) -> Diagnostic {
    let message = "a function is written as 'name', 'name@file' or 'name@file:line'"
    return Diagnostic(.error, "malformed-pattern", message, at: component.argument?.range ?? component.range)
  }

  static func needsString(_ component: ProbePoint.Component) -> Diagnostic {
    let message = "'\(component.name.text)' needs a name in double quotes"
    return Diagnostic(.error, "needs-string", message, at: component.range)
  }

  static func noFittingFunction(
    _ component: ProbePoint.Component,
    _ modifiers: [String],
    _ isInline: Bool
  ) -> Diagnostic {
    let words = modifiers.map { "'.\($0)'" }.joined(separator: ", ")
    let reason = isInline ? "it is inlined everywhere, and" : "it is there, but"
    let message = "no function \(component.argument?.text ?? "") with \(words): \(reason) nothing is left"
    return Diagnostic(.error, "no-fitting-function", message, at: component.range)
  }

  static func noKernelTypes(_ component: ProbePoint.Component) -> Diagnostic {
    let message = "tracepoints need the kernel's BTF, which is not there (/sys/kernel/btf/vmlinux)"
    return Diagnostic(.error, "no-kernel-types", message, at: component.range)
  }

  static func noProbes() -> Diagnostic {
    Diagnostic(.error, "no-probes", "the script has no probes", at: nil)
  }

  static func noSuchComponent(_ component: ProbePoint.Component) -> Diagnostic {
    let names = ["function", "library", "mark", "provider"]
    let near = nearestNames(to: component.name.text, among: names)
    let message = "'process' has no '\(component.name.text)'"
    return Diagnostic(.error, "no-such-component", message + didYouMean(near), at: component.range)
  }

  static func noSuchFunction(
    _ component: ProbePoint.Component,
    _ name: String,
    in path: String,
    near: [String],
    notes: [String]
  ) -> Diagnostic {
    let message = "no function \(name) in \(path)" + didYouMean(near)
    return Diagnostic(
      .error,
      "no-such-function",
      message,
      at: component.argument?.range ?? component.range,
      notes: notes.map { note($0) },
      fixIt: near.count == 1 ? "\"\(near[0])\"" : nil
    )
  }

  static func noSuchMark(
    _ component: ProbePoint.Component,
    in path: String,
    near: [String],
    hasMarks: Bool,
    notes: [String]
  ) -> Diagnostic {
    let message =
      hasMarks ? "no mark '\(component.string ?? "")' in \(path)" : "there are no marks in \(path)"
    return Diagnostic(
      .error,
      "no-such-mark",
      message + didYouMean(near),
      at: component.argument?.range ?? component.range,
      notes: notes.map { note($0) },
      fixIt: near.count == 1 ? "\"\(near[0])\"" : nil
    )
  }

  static func noSuchProvider(
    _ component: ProbePoint.Component,
    in path: String,
    among names: [String]
  ) -> Diagnostic {
    let near = nearestNames(to: component.string ?? "", among: names)
    let message = "no provider '\(component.string ?? "")' in \(path)" + didYouMean(near)
    return Diagnostic(
      .error,
      "no-such-provider",
      message,
      at: component.argument?.range ?? component.range,
      notes: names.isEmpty ? [] : [note("there are \(names.joined(separator: ", "))")],
      fixIt: near.count == 1 ? "\"\(near[0])\"" : nil
    )
  }

  static func noSuchProbe(_ point: ProbePoint, near names: [String]) -> Diagnostic {
    let heads = names.map { String($0.prefix { $0 != "." }) }
    let name = point.components[0].name
    let whole = nearestNames(to: point.text, among: names)
    let near = whole.isEmpty ? nearestNames(to: name.text, among: heads) : whole
    return Diagnostic(
      .error,
      "no-such-probe",
      "no probe point '\(point.text)'" + didYouMean(near),
      at: point.range
    )
  }

  static func noSuchTimer(_ name: Name, near units: [String]) -> Diagnostic {
    let near = nearestNames(to: name.text, among: units)
    return Diagnostic(
      .error,
      "no-such-timer",
      "no timer unit '\(name.text)'" + didYouMean(near),
      at: name.range
    )
  }

  static func noSuchTracepoint(_ component: ProbePoint.Component, near: [String]) -> Diagnostic {
    let message = "no tracepoint \(component.argument?.text ?? "") in this kernel" + didYouMean(near)
    return Diagnostic(.error, "no-such-tracepoint", message, at: component.argument?.range ?? component.range)
  }

  static func notInFile(_ component: ProbePoint.Component, _ path: String) -> Diagnostic {
    let message = "the code of \(component.argument?.text ?? "") is not in \(path)"
    return Diagnostic(.error, "not-in-file", message, at: component.range)
  }

  static func processNeedsMore(at range: SourceRange) -> Diagnostic {
    let message = "'process' alone is no event; add '.function(\"name\")' or '.mark(\"name\")'"
    return Diagnostic(.error, "process-what", message, at: range)
  }

  /// Whether more privilege would make it go away.
  package var isRefusal: Bool { id == "no-permission" }

  static func program(_ problem: ProgramProblem, at range: SourceRange) -> Diagnostic {
    let notes = problem.notes.map { note($0) }
    if problem.isRefused {
      return Diagnostic(.error, "no-permission", problem.message, at: range, notes: notes)
    }
    return Diagnostic(.error, "no-such-program", problem.message, at: range, notes: notes)
  }

  static func providerNeedsMark(_ component: ProbePoint.Component) -> Diagnostic {
    Diagnostic(.error, "provider-needs-mark", "after a provider comes '.mark(\"name\")'", at: component.range)
  }

  static func randomizeRange(at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "randomize-range", "'randomize' must be less than the timer's interval", at: range)
  }

  static func refusedSites(
    _ component: ProbePoint.Component,
    _ count: Int,
    _ first: (name: String, reason: String),
    isFatal: Bool
  ) -> Diagnostic {
    let range = component.argument?.range ?? component.range
    if isFatal {
      return Diagnostic(
        .error,
        "refused-site",
        "'\(first.name)' cannot be probed: \(first.reason)",
        at: range
      )
    }
    let message =
      "\(count) place\(count == 1 ? "" : "s") left out, the first in '\(first.name)': \(first.reason)"
    return Diagnostic(.warning, "refused-site", message, at: range)
  }

  static func sequenceNumber(_ component: ProbePoint.Component) -> Diagnostic {
    let message = "the argument of '\(component.name.text)' is a sequence number"
    return Diagnostic(.error, "sequence-number", message, at: component.range)
  }

  static func timerNeedsCount(at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "timer-count", "a timer needs an interval above 0, as in 'timer.ms(100)'", at: range)
  }

  static func timerNeedsUnit(at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "timer-unit", "a timer needs a unit, as in 'timer.s(1)'", at: range)
  }

  static func unexpectedArgument(_ argument: Literal) -> Diagnostic {
    Diagnostic(.error, "unexpected-argument", "an argument means nothing here", at: argument.range)
  }

  static func unexpectedComponent(
    _ component: ProbePoint.Component,
    near names: Set<String> = []
  ) -> Diagnostic {
    let near = nearestNames(to: component.name.text, among: names)
    let message = "'\(component.text)' means nothing here" + didYouMean(near)
    return Diagnostic(.error, "unexpected-component", message, at: component.range)
  }

  static func unsupportedComponent(_ component: ProbePoint.Component) -> Diagnostic {
    Diagnostic(
      .error,
      "unsupported-probe",
      "'\(component.name.text)' is not supported yet",
      at: component.range
    )
  }

  static func unsupportedProbe(_ point: ProbePoint) -> Diagnostic {
    let head = point.components[0].name.text
    let message = "probe points that start with '\(head)' are not supported yet"
    let notes = ProbeFamily.reasons[head].map { [note($0)] } ?? []
    return Diagnostic(.error, "unsupported-probe", message, at: point.range, notes: notes)
  }
}
