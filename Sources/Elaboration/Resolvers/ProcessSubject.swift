import StapSyntax

/// What is probed in a program, told by the component behind `process` and `library`.
struct ProcessSubject: Sendable {
  /// Lands a point in one program.
  typealias Resolve = @Sendable (ProbePlace) -> ProbeResolution

  let head: String
  /// Reads the components from the head on; the second argument is `process` itself.
  let read:
    @Sendable (ArraySlice<ProbePoint.Component>, ProbePoint.Component) -> Result<Resolve, PointProblem>

  /// Every subject, sorted.
  ///
  /// A new one is a file here and a row there.
  static let all: [ProcessSubject] = [
    DataProbes.subject,
    FunctionProbes.subject,
    MarkProbes.subject,
    LinkageProbes.subject,
    MarkProbes.providerSubject,
    StatementProbes.subject,
  ]

  /// Components that SystemTap knows and utrace refuses.
  static let refused: Set<String> = ["insn"]
}
