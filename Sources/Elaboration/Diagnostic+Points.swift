import Diagnostics
import StapSyntax

/// What can be wrong with probe points. Alphabetical.
extension Diagnostic {
  static func aliasLoop(_ point: ProbePoint) -> Diagnostic {
    Diagnostic(.error, "alias-loop", "the alias '\(point.text)' stands for itself", at: point.range)
  }

  static func noProbes() -> Diagnostic {
    Diagnostic(.error, "no-probes", "the script has no probes", at: nil)
  }

  static func noSuchProbe(_ point: ProbePoint, near names: [String]) -> Diagnostic {
    let heads = names.map { String($0.prefix { $0 != "." }) }
    let name = point.components[0].name
    let whole = nearestNames(to: point.text, among: names)
    let near = whole.isEmpty ? nearestNames(to: name.text, among: heads) : whole
    return Diagnostic(.error, "no-such-probe", "no probe point '\(point.text)'" + didYouMean(near), at: point.range)
  }

  static func noSuchTimer(_ name: Name, near units: [String]) -> Diagnostic {
    let near = nearestNames(to: name.text, among: units)
    return Diagnostic(.error, "no-such-timer", "no timer unit '\(name.text)'" + didYouMean(near), at: name.range)
  }

  static func randomizeRange(at range: SourceRange) -> Diagnostic {
    Diagnostic(.error, "randomize-range", "'randomize' must be less than the timer's interval", at: range)
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

  static func unexpectedComponent(_ component: ProbePoint.Component) -> Diagnostic {
    Diagnostic(.error, "unexpected-component", "'\(component.text)' means nothing here", at: component.range)
  }

  static func unsupportedProbe(_ point: ProbePoint) -> Diagnostic {
    let message = "probe points that start with '\(point.components[0].name.text)' are not supported yet"
    return Diagnostic(.error, "unsupported-probe", message, at: point.range)
  }
}
