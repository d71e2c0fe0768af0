import TargetModel

/// Makes the candidates of one probe point: what they have in common.
struct SitePoint: Sendable {
  let place: ProbePlace
  var isReturn = false
  /// At an instruction that returns: results can be read, parameters no more.
  var isLeaving = false

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
        probeType: isReturn || isLeaving ? "uretprobe" : "uprobe",
        sourceLine: source
      )
    )
    var scope = FunctionScope(place: place, function: function, address: address, isReturn: isReturn)
    scope.isLeaving = isLeaving
    let known = scope
    let program = place.program
    return ProbeCandidate(
      trigger: isReturn ? .functionReturn(site, place.processes) : .instruction(site, place.processes),
      scope: known,
      variables: { known.listed },
      standing: standing,
      symbol: { program.symbol(at: function.entry).flatMap { $0 == function.name ? nil : $0 } }
    )
  }
}

extension Program {
  /// Whether Go's compiler or assembler wrote the function: of a program with Go code, all but what is known to be C.
  func isGo(_ function: ProgramFunction) -> Bool {
    hasGo && ![".c", ".cc", ".cpp", ".cxx", ".h", ".hpp"].contains { function.file.hasSuffix($0) }
  }

  /// The code of a function with a known end; empty for another, and for one that is longer.
  func code(of function: ProgramFunction, atMost byteCount: Int) -> [UInt8] {
    guard let end = function.end, end > function.entry, end.raw - function.entry.raw <= byteCount else {
      return []
    }
    let wanted = Int(end.raw - function.entry.raw)
    let code = code(at: function.entry, upTo: wanted)
    return code.count == wanted ? code : []
  }
}

extension ProgramFunction {
  /// `name@file:line`, as far as it is known.
  var sourceText: String { name + (line.map { "@\(file):\($0)" } ?? "") }

  /// `file:line`, or empty.
  var declaration: String { line.map { "\(file):\($0)" } ?? "" }
}
