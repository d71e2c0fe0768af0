import Diagnostics
import StapSyntax
import TargetModel

/// What can be wrong with places in the code of a program: statements, labels, callees, stubs. Alphabetical.
extension Diagnostic {
  static func calleeDepth(_ component: ProbePoint.Component) -> Diagnostic {
    let message = "'callees' takes a number of levels from 1 to 8"
    return Diagnostic(.error, "callee-depth", message, at: component.range)
  }

  static func insideInstruction(
    _ component: ProbePoint.Component,
    _ address: LinkAddress,
    _ function: String
  ) -> Diagnostic {
    let message =
      "\(address.text) is within an instruction of '\(function)': a probe there would break the program"
    return Diagnostic(.error, "inside-instruction", message, at: component.argument?.range ?? component.range)
  }

  static func insideStatement(
    _ component: ProbePoint.Component,
    _ address: LinkAddress,
    _ source: String
  ) -> Diagnostic {
    Diagnostic(
      .error,
      "inside-statement",
      "no statement begins at \(address.text), it is within that of \(source)",
      at: component.argument?.range ?? component.range,
      notes: [.note("'.absolute' takes any instruction")]
    )
  }

  static func noCode(
    _ component: ProbePoint.Component,
    _ address: LinkAddress,
    in path: String
  ) -> Diagnostic {
    let message = "no function of \(path) is at \(address.text)"
    return Diagnostic(.error, "no-code", message, at: component.argument?.range ?? component.range)
  }

  static func noSuchCallee(
    _ component: ProbePoint.Component,
    known: [String],
    near: [String],
    tailCalls: [String]
  ) -> Diagnostic {
    var notes: [String] = []
    if !known.isEmpty { notes.append("it calls \(known.shortList)") }
    if !tailCalls.isEmpty {
      notes.append("a tail call leaves no trace of its caller: \(tailCalls.shortList)")
    }
    notes.append("calls through pointers, and into other files, are not known")
    return Diagnostic(
      .error,
      "no-such-callee",
      "no such callee" + didYouMean(near),
      at: component.range,
      notes: notes.map { note($0) }
    )
  }

  static func noSuchLabel(
    _ component: ProbePoint.Component,
    known: [String],
    near: [String]
  ) -> Diagnostic {
    let message = "no label \(component.argument?.text ?? "") there" + didYouMean(near)
    let note = known.isEmpty ? "there is none in that function" : "there are \(known.shortList)"
    return Diagnostic(
      .error,
      "no-such-label",
      message,
      at: component.argument?.range ?? component.range,
      notes: [.note(note)]
    )
  }

  static func noSuchLine(
    _ component: ProbePoint.Component,
    _ place: String,
    in path: String,
    near: [Int]
  ) -> Diagnostic {
    let lines = near.map { ":\($0)" }.joined(separator: " or ")
    return Diagnostic(
      .error,
      "no-such-line",
      "no code at '\(place)' in \(path)" + (lines.isEmpty ? "" : "; try \(lines)"),
      at: component.argument?.range ?? component.range,
      notes: near.isEmpty ? [] : [.note("'.nearest' takes the closest line by itself")]
    )
  }

  static func noSuchStub(
    _ component: ProbePoint.Component,
    _ pattern: String,
    in path: String,
    near: [String],
    isEmpty: Bool
  ) -> Diagnostic {
    let message =
      isEmpty
      ? "\(path) has no procedure linkage table" : "\(path) does not call '\(pattern)' by its linkage table"
    let notes = isEmpty ? [] : ["calls may go by another way: 'objdump -d' shows stubs as 'name@plt'"]
    return Diagnostic(
      .error,
      "no-such-stub",
      message + didYouMean(near),
      at: component.argument?.range ?? component.range,
      notes: notes.map { note($0) }
    )
  }

  static func tailCalls(_ component: ProbePoint.Component, _ names: [String]) -> Diagnostic {
    let message = "tail calls leave no trace of their caller and are not seen: \(names.shortList)"
    return Diagnostic(.warning, "tail-call", message, at: component.range)
  }
}

extension LinkAddress {
  /// Hexadecimal, as scripts write it.
  fileprivate var text: String { "0x" + String(raw, radix: 16) }
}

extension [String] {
  /// The first dozen.
  fileprivate var shortList: String {
    prefix(12).joined(separator: ", ") + (count > 12 ? ", … (\(count) in all)" : "")
  }
}
