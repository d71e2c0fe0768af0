import Diagnostics
import StapSyntax
import TargetModel

/// `.function("name@file:line")`, and its `.call`, `.return`, `.inline`, `.exported`.
enum FunctionProbes {
  /// Every place of `place` that the pattern names.
  static func resolve(
    _ component: ProbePoint.Component,
    _ modifiers: Set<String>,
    _ place: ProbePlace
  ) -> ProbeResolution {
    let specification = FunctionSpecification(component.string ?? "")
    guard !specification.name.isEmpty else { return .failed(.emptyPattern(component)) }
    let program = place.program
    let all = specification.select(program.functions(named: specification.name, file: specification.file))
    guard !all.isEmpty else { return .failed(noSuchFunction(component, specification, program)) }
    let fitting = all.filter { $0.fits(modifiers) }
    guard !fitting.isEmpty else {
      return .failed(.noFittingFunction(component, modifiers.sorted(), all[0].isInlineInstance))
    }
    var seen: Set<LinkAddress> = []
    let isReturn = modifiers.contains("return")
    let candidates = fitting.compactMap { function -> ProbeCandidate? in
      let address = isReturn ? function.entry : function.probeAddress
      guard seen.insert(address).inserted, let offset = program.fileOffset(of: address) else { return nil }
      return candidate(function, at: address, offset, modifiers, place)
    }
    guard candidates.isEmpty else { return .found(candidates) }
    return .failed(.notInFile(component, program.path))
  }

  private static func candidate(
    _ function: ProgramFunction,
    at address: LinkAddress,
    _ offset: FileOffset,
    _ modifiers: Set<String>,
    _ place: ProbePlace
  ) -> ProbeCandidate {
    let isReturn = modifiers.contains("return")
    let source = function.line.map { "\(function.file):\($0)" } ?? ""
    let suffix = modifiers.sorted().map { ".\($0)" }.joined()
    let pattern = source.isEmpty ? function.name : "\(function.name)@\(source)"
    let description = SiteDescription(
      probePoint: "process(\"\(place.program.path)\").function(\"\(pattern)\")\(suffix)",
      scriptPoint: "",
      function: function.name,
      name: function.name,
      provider: place.program.path,
      probeType: isReturn ? "uretprobe" : "uprobe",
      sourceLine: source
    )
    let site = ProbeSite(
      path: place.program.path,
      buildID: place.program.buildID,
      fileOffset: offset,
      linkAddress: address,
      semaphore: nil,
      description: description
    )
    let scope = FunctionScope(place: place, function: function, address: address, isReturn: isReturn)
    return ProbeCandidate(
      trigger: isReturn ? .functionReturn(site, pid: place.pid) : .instruction(site, pid: place.pid),
      scope: scope,
      variables: { scope.listed }
    )
  }

  private static func noSuchFunction(
    _ component: ProbePoint.Component,
    _ specification: FunctionSpecification,
    _ program: any Program
  ) -> Diagnostic {
    var notes = program.searchReport
    if let file = specification.file, !program.functions(named: specification.name, file: nil).isEmpty {
      notes.insert("there is one elsewhere, but none in a file '\(file)'", at: 0)
    }
    let near = Glob.isPattern(specification.name) ? [] : program.nearestFunctions(to: specification.name)
    return .noSuchFunction(component, specification.name, in: program.path, near: near, notes: notes)
  }
}

/// `name@file:line`, taken apart.
struct FunctionSpecification {
  var name: String
  var file: String?
  var line: Int?

  init(_ text: String) {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    name = String(parts[0])
    guard parts.count > 1 else { return }
    var rest = parts[1]
    if let colon = rest.lastIndex(of: ":"), let line = Int(rest[rest.index(after: colon)...]) {
      self.line = line
      rest = rest[..<colon]
    }
    file = String(rest)
  }

  /// With a line: the functions declared there, else the last ones declared before it.
  func select(_ functions: [ProgramFunction]) -> [ProgramFunction] {
    guard let line else { return functions }
    let before = functions.filter { $0.line.map { $0 <= line } ?? false }
    let last = before.compactMap(\.line).max()
    return before.filter { $0.line == last }
  }
}

extension ProgramFunction {
  /// Whether it is what `.call`, `.inline`, `.exported`, `.return` leave.
  fileprivate func fits(_ modifiers: Set<String>) -> Bool {
    if isInlineInstance, modifiers.contains("call") || modifiers.contains("return") { return false }
    if !isInlineInstance, modifiers.contains("inline") { return false }
    return isExported || !modifiers.contains("exported")
  }
}
