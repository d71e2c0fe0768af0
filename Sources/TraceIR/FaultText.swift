extension FaultCode {
  /// What `catch (message)` receives, as SystemTap words it (manual pages `stap`, `error::fault`).
  ///
  /// `subject` is the global of ``arrayFull``; where ``namesAddress`` is true the address's hexadecimal digits follow.
  /// ``raised`` has a text of its own.
  package func text(subject: Int64, in program: TraceProgram) -> String {
    switch self {
    case .raised: ""
    case .divisionByZero: "division by 0"
    case .userRead: "user read fault at 0x"
    case .kernelRead: "kernel read fault at 0x"
    case .userString: "user string copy fault -14 at 0x"
    case .kernelString: "kernel string copy fault -14 at 0x"
    case .arrayFull: Self.arrayFullText(subject, program)
    case .emptyAggregate: "empty aggregate"
    case .histogramIndex: "histogram index out of range"
    case .actionBudget: "MAXACTION exceeded"
    case .nesting: "MAXNESTING exceeded"
    case .functionsExhausted: "all functions exhausted"
    case .stringIndex: "string index out of range"
    case .userWrite: "user write fault at 0x"
    case .walkMemory: "'foreach' of recursive functions out of memory"
    }
  }

  /// Whether an address follows the text.
  package var namesAddress: Bool {
    switch self {
    case .userRead, .kernelRead, .userString, .kernelString, .userWrite: true
    default: false
    }
  }

  private static func arrayFullText(_ subject: Int64, _ program: TraceProgram) -> String {
    guard let index = Int(exactly: subject), program.globals.indices.contains(index),
      program.globals[index].maximumEntries != program.limits.maxMapEntries
    else { return "Array overflow, check MAXMAPENTRIES" }
    return "Array overflow, check size limit (\(program.globals[index].maximumEntries))"
  }
}
