import Diagnostics
import DwarfIndex
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
    guard let pattern = FunctionPattern(component.string ?? "", modifiers) else {
      return .failed(.malformedPattern(component))
    }
    let program = place.program
    let fitting = program.functions(matching: pattern).filter { $0.fits(modifiers) }
    guard fitting.isEmpty else { return candidates(fitting, component, modifiers, place) }
    // What does not fit is looked for only to tell why nothing is left.
    var anyKind = pattern
    (anyKind.includeInlines, anyKind.includeOutOfLine) = (true, true)
    guard let other = program.functions(matching: anyKind).first else {
      return .failed(noSuchFunction(component, pattern, place))
    }
    return .failed(.noFittingFunction(component, modifiers.sorted(), other.isInlineInstance))
  }

  private static func candidates(
    _ functions: [ProgramFunction],
    _ component: ProbePoint.Component,
    _ modifiers: Set<String>,
    _ place: ProbePlace
  ) -> ProbeResolution {
    var seen: Set<LinkAddress> = []
    var result = ProbeResolution()
    let points = SitePoint(modifiers, place)
    for function in functions {
      let choices = ProbeAddress.choices(in: function, points.isReturn, place.program)
      guard let best = choices.first, seen.insert(best.address).inserted else { continue }
      if best.standing.refusal != nil {
        let point = points.text(of: function)
        result.refused.append(RefusedSite(name: function.name, point: point, standing: best.standing))
        continue
      }
      guard var found = points.candidate(function, best) else { continue }
      if let entry = choices.dropFirst().first, entry.standing.refusal == nil {
        found.writtenRegisters = best.writtenRegisters
        found.atEntry = { points.candidate(function, entry) }
      }
      result.candidates.append(found)
    }
    result.reportRefused(component)
    if result.candidates.isEmpty, result.problems.isEmpty {
      result.problems.append(.notInFile(component, place.program.path))
    }
    return result
  }

  private static func noSuchFunction(
    _ component: ProbePoint.Component,
    _ pattern: FunctionPattern,
    _ place: ProbePlace
  ) -> Diagnostic {
    let program = place.program
    if let file = pattern.file, let problem = elsewhere(component, pattern, file, program) { return problem }
    var notes = place.detour + program.searchReport
    if !program.hasDebugInfo {
      notes.append("without DWARF only functions that have a symbol are known, and marks")
    }
    let near = Glob.isPattern(pattern.name) ? [] : program.nearestFunctions(to: pattern.name)
    return .noSuchFunction(component, "'\(pattern.name)'", in: program.path, near: near, notes: notes)
  }

  /// The function is there, but not in that file or at that line.
  private static func elsewhere(
    _ component: ProbePoint.Component,
    _ pattern: FunctionPattern,
    _ file: String,
    _ program: any Program
  ) -> Diagnostic? {
    let found = program.functions(matching: FunctionPattern(name: pattern.name, includeInlines: true))
    guard !found.isEmpty else { return nil }
    let text = component.string ?? ""
    let place = text.drop { $0 != "@" }.dropFirst()
    var seen: [String] = []
    for function in found {
      guard let line = function.line else { continue }
      let text = "'\(function.name)' is at \(function.file):\(line)"
      if !seen.contains(text) { seen.append(text) }
    }
    return .noSuchFunction(
      component,
      "'\(pattern.name)' at '\(place)'",
      in: program.path,
      near: [],
      notes: Array(seen.prefix(3))
    )
  }
}

/// What the sites of one point have in common.
private struct SitePoint: Sendable {
  let isReturn: Bool
  private let place: ProbePlace
  private let prefix: String
  private let suffix: String

  init(_ modifiers: Set<String>, _ place: ProbePlace) {
    self.place = place
    isReturn = modifiers.contains("return")
    prefix = "process(\"\(place.program.path)\").function(\""
    suffix = "\")" + modifiers.sorted().map { ".\($0)" }.joined()
  }

  /// The point as `-l` prints it.
  func text(of function: ProgramFunction) -> String {
    let source = function.line.map { "@\(function.file):\($0)" } ?? ""
    return prefix + function.name + source + suffix
  }

  /// The site of `function` at `choice`; nil when that is nowhere in the file.
  func candidate(_ function: ProgramFunction, _ choice: ProbeAddress.Choice) -> ProbeCandidate? {
    let address = choice.address
    guard let offset = place.program.fileOffset(of: address) else { return nil }
    let source = function.line.map { "\(function.file):\($0)" } ?? ""
    let description = SiteDescription(
      probePoint: text(of: function),
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
    let place = self.place
    return ProbeCandidate(
      trigger: isReturn ? .functionReturn(site, pid: place.pid) : .instruction(site, pid: place.pid),
      scope: scope,
      variables: { scope.listed },
      standing: choice.standing,
      symbol: { place.program.symbol(at: function.entry).flatMap { $0 == function.name ? nil : $0 } }
    )
  }
}

extension FunctionPattern {
  /// Reads `name@file:line` (stapprobes(3stap), "DWARF PROBE POINTS"); nil when it is malformed.
  init?(_ text: String, _ modifiers: Set<String>) {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard !parts[0].isEmpty else { return nil }
    self.init(
      name: parts[0],
      includeInlines: modifiers.isDisjoint(with: ["call", "return"]),
      includeOutOfLine: !modifiers.contains("inline"),
      exportedOnly: modifiers.contains("exported")
    )
    guard parts.count > 1 else { return }
    guard let place = SourcePlace(parts[1]) else { return nil }
    file = place.file
    line = place.line
  }
}

/// `file`, `file:12`, `file+3`, `file:*`, `file:10-20,30`.
private struct SourcePlace {
  var file: String
  var line: FunctionPattern.LineSpec?

  init?(_ text: String) {
    file = text
    guard let separator = text.lastIndex(where: { $0 == ":" || $0 == "+" }) else { return }
    let rest = String(text[text.index(after: separator)...])
    guard let first = rest.first, first.isNumber || rest == "*" else {
      if text[separator] == ":" { return nil }
      return
    }
    file = String(text[..<separator])
    guard let line = Self.line(rest, isRelative: text[separator] == "+"), !file.isEmpty else { return nil }
    self.line = line
  }

  private static func line(_ text: String, isRelative: Bool) -> FunctionPattern.LineSpec? {
    if isRelative { return Int(text).map { .relative($0) } }
    if text == "*" { return .all }
    if let number = Int(text) { return .absolute(number) }
    var ranges: [ClosedRange<Int>] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let low = ends.first ?? nil, let high = ends.last ?? nil, ends.count <= 2, low <= high else {
        return nil
      }
      ranges.append(low...high)
    }
    return .ranges(ranges)
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
