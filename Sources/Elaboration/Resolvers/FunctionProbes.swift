import Diagnostics
import DwarfIndex
import Platform
import StapSyntax
import TargetModel

/// `.function("name@file:line")`, and its `.call`, `.return`, `.inline`, `.exported`; `.function(ADDRESS)`.
enum FunctionProbes {
  /// Reads `.function(…)` and what follows it.
  static let subject = ProcessSubject(head: "function") { components, _ in
    FunctionRequest.read(components).map { request in { place in resolve(request, place) } }
  }

  private static func resolve(_ request: FunctionRequest, _ place: ProbePlace) -> ProbeResolution {
    let fitting: [ProgramFunction]
    switch functions(request, place) {
    case .failure(let problem): return .failed(problem.diagnostic)
    case .success(let found): fitting = found
    }
    switch request.part {
    case nil: return candidates(fitting, request, place)
    case .label(let label): return LabelProbes.resolve(label, in: fitting, place)
    case .callees(let callee, let pattern, let depth, let modifiers):
      let search = CalleeSearch(pattern: pattern, depth: depth, modifiers: modifiers, place: place)
      return search.resolve(callee, of: fitting)
    }
  }

  /// The functions that the component and its modifiers name; never none.
  static func functions(
    _ request: FunctionRequest,
    _ place: ProbePlace
  ) -> Result<[ProgramFunction], PointProblem> {
    let component = request.component
    if let number = component.number { return function(at: number, component, place) }
    guard let text = PointPattern(component.string ?? "") else {
      return .failure(PointProblem(.malformedPattern(component)))
    }
    var pattern = FunctionPattern(text, request.modifiers)
    pattern.isPlaceEnough = request.part == nil && !place.environment.showsPlaces
    let program = place.program
    let fitting = program.functions(matching: pattern).filter {
      $0.fits(request.modifiers) && !$0.isStrayPart(under: text.name)
    }
    guard fitting.isEmpty else { return .success(fitting) }
    // What does not fit is looked for only to tell why nothing is left.
    var anyKind = pattern
    (anyKind.includeInlines, anyKind.includeOutOfLine) = (true, true)
    guard let other = program.functions(matching: anyKind).first else {
      return .failure(PointProblem(noSuchFunction(component, text, place)))
    }
    let modifiers = request.modifiers.sorted()
    return .failure(PointProblem(.noFittingFunction(component, modifiers, other.isInlineInstance)))
  }

  /// The function that holds a link address.
  private static func function(
    at number: Int64,
    _ component: ProbePoint.Component,
    _ place: ProbePlace
  ) -> Result<[ProgramFunction], PointProblem> {
    let address = LinkAddress(UInt64(bitPattern: number))
    guard let function = place.program.function(containing: address) else {
      return .failure(PointProblem(.noCode(component, address, in: place.program.path)))
    }
    return .success([function])
  }

  private static func candidates(
    _ functions: [ProgramFunction],
    _ request: FunctionRequest,
    _ place: ProbePlace
  ) -> ProbeResolution {
    let prefix = "process(\"\(place.program.path)\").function(\""
    let suffix = "\")" + request.modifiers.sorted().map { ".\($0)" }.joined()
    let point = SitePoint(place: place, isReturn: request.modifiers.contains("return"))
    var landing = FunctionLanding(point)
    landing.add(functions) { prefix + $0.sourceText + suffix }
    return landing.resolution(for: request.component)
  }

  /// Why no function is called so, with what is called similarly.
  static func noSuchFunction(
    _ component: ProbePoint.Component,
    _ pattern: PointPattern,
    _ place: ProbePlace
  ) -> Diagnostic {
    let program = place.program
    if pattern.file != nil, let problem = elsewhere(component, pattern, program) { return problem }
    var notes = place.detour + program.debugInfoNotes
    if !program.hasDebugInfo {
      notes.append("without DWARF only functions that have a symbol are known, and marks")
    }
    let isGlob = GlobPattern.isGlob(pattern.name)
    let copies = isGlob ? [] : program.functions(matching: FunctionPattern(name: pattern.name + ".*"))
    if let copy = copies.first {
      notes.insert(
        "the compiler made copies of it, such as '\(copy.name)': '\(pattern.name).*' names them",
        at: 0
      )
    }
    let near = isGlob ? [] : program.nearestFunctions(to: pattern.name)
    return .noSuchFunction(component, "'\(pattern.name)'", in: program.path, near: near, notes: notes)
  }

  /// The function is there, but not in that file or at that line.
  private static func elsewhere(
    _ component: ProbePoint.Component,
    _ pattern: PointPattern,
    _ program: any Program
  ) -> Diagnostic? {
    let found = program.functions(matching: FunctionPattern(name: pattern.name, includeInlines: true))
    guard !found.isEmpty else { return nil }
    var seen: [String] = []
    for function in found where function.line != nil {
      let text = "'\(function.name)' is at \(function.declaration)"
      if !seen.contains(text) { seen.append(text) }
    }
    let what = "'\(pattern.name)' at '\(pattern.place)'"
    let notes =
      seen.isEmpty
      ? ["only the symbol is known, and not where that is in the source"] + program.debugInfoNotes
      : Array(seen.prefix(3))
    return .noSuchFunction(component, what, in: program.path, near: [], notes: notes)
  }
}

extension ProgramFunction {
  /// Whether it is what `.call`, `.inline`, `.exported`, `.return` leave.
  fileprivate func fits(_ modifiers: Set<String>) -> Bool {
    if isInlineInstance, modifiers.contains("call") || modifiers.contains("return") { return false }
    if !isInlineInstance, modifiers.contains("inline") { return false }
    return isExported || !modifiers.contains("exported")
  }

  /// A symbol of the part of a function that is rarely run: no function, unless someone asks for it by name.
  fileprivate func isStrayPart(under pattern: String) -> Bool {
    variables == nil && Self.isRarePart(name) && !pattern.contains(".cold") && !pattern.contains(".__part")
  }
}
