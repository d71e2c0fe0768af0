import TargetModel

/// Makes the candidates of one probe point: what they have in common.
struct SitePoint: Sendable {
  let place: ProbePlace
  var isReturn = false

  /// The site in `function` at `address`; nil when that is nowhere in the file.
  ///
  /// - Parameters:
  ///   - text: the point as `-l` prints it.
  ///   - source: `file:line` of the site itself, or empty.
  func candidate(
    _ function: ProgramFunction,
    at address: LinkAddress,
    _ standing: SiteStanding,
    text: String,
    source: String
  ) -> ProbeCandidate? {
    guard let offset = place.program.fileOffset(of: address) else { return nil }
    let site = ProbeSite(
      path: place.program.path,
      buildID: place.program.buildID,
      fileOffset: offset,
      linkAddress: address,
      semaphore: nil,
      description: SiteDescription(
        probePoint: text,
        scriptPoint: "",
        function: function.name,
        name: function.name,
        provider: place.program.path,
        probeType: isReturn ? "uretprobe" : "uprobe",
        sourceLine: source
      )
    )
    let scope = FunctionScope(place: place, function: function, address: address, isReturn: isReturn)
    let program = place.program
    return ProbeCandidate(
      trigger: isReturn ? .functionReturn(site, place.processes) : .instruction(site, place.processes),
      scope: scope,
      variables: { scope.listed },
      standing: standing,
      symbol: { program.symbol(at: function.entry).flatMap { $0 == function.name ? nil : $0 } }
    )
  }
}

extension ProgramFunction {
  /// `name@file:line`, as far as it is known.
  var sourceText: String { name + (line.map { "@\(file):\($0)" } ?? "") }

  /// `file:line`, or empty.
  var declaration: String { line.map { "\(file):\($0)" } ?? "" }
}
