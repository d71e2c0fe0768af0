import Diagnostics
import Platform
import StapSyntax
import TargetModel

/// `.mark("name")` and `.provider("name").mark("name")`: USDT probes.
enum MarkProbes {
  /// Reads `.mark("name")`.
  static let subject = ProcessSubject(head: "mark") { components, _ in read(components, provider: nil) }

  /// Reads `.provider("P").mark("name")`.
  static let providerSubject = ProcessSubject(head: "provider") { components, _ in
    guard let provider = components.first else { preconditionFailure("'.provider' was seen there") }
    guard provider.string != nil else { return .failure(PointProblem(.needsString(provider))) }
    let rest = components.dropFirst()
    guard let mark = rest.first, mark.name.text == "mark", mark.string != nil else {
      return .failure(PointProblem(.providerNeedsMark(provider)))
    }
    return read(rest, provider: provider)
  }

  private static func read(
    _ components: ArraySlice<ProbePoint.Component>,
    provider: ProbePoint.Component?
  ) -> Result<ProcessSubject.Resolve, PointProblem> {
    guard let mark = components.first else { preconditionFailure("'.mark' was seen there") }
    guard mark.string != nil else { return .failure(PointProblem(.needsString(mark))) }
    if let stray = components.dropFirst().first {
      return .failure(PointProblem(.unexpectedComponent(stray)))
    }
    return .success { resolve(mark, provider, $0) }
  }

  /// Every site whose names match.
  private static func resolve(
    _ component: ProbePoint.Component,
    _ provider: ProbePoint.Component?,
    _ place: ProbePlace
  ) -> ProbeResolution {
    let name = (component.string ?? "").withoutDashes
    let wanted = provider?.string?.withoutDashes
    let program = place.program
    let found = program.marks.filter { mark in
      GlobPattern.matches(mark.name, pattern: name)
        && (wanted.map { GlobPattern.matches(mark.provider, pattern: $0) } ?? true)
    }
    guard !found.isEmpty else {
      let providers = Set(program.marks.map(\.provider)).sorted()
      if let provider, let wanted, !providers.contains(where: { GlobPattern.matches($0, pattern: wanted) }),
        !providers.isEmpty
      {
        return .failed(.noSuchProvider(provider, in: program.path, among: providers))
      }
      return .failed(noSuchMark(component, name, place))
    }
    var result = ProbeResolution()
    for mark in found {
      let standing = ProbeAddress.standing(at: mark.address, isFunctionStart: false, program)
      if standing.refusal == nil {
        result.candidates.append(candidate(mark, standing, place))
      } else {
        let point = text(of: mark, program)
        result.refused.append(RefusedSite(name: mark.name, point: point, standing: standing))
      }
    }
    result.reportRefused(component)
    return result
  }

  /// The point as `-l` prints it.
  private static func text(of mark: ProgramMark, _ program: any Program) -> String {
    "process(\"\(program.path)\").provider(\"\(mark.provider)\").mark(\"\(mark.name)\")"
  }

  private static func noSuchMark(
    _ component: ProbePoint.Component,
    _ name: String,
    _ place: ProbePlace
  ) -> Diagnostic {
    let marks = place.program.marks
    let near = nearestNames(to: name, among: Set(marks.map(\.name)).sorted())
    return .noSuchMark(
      component,
      in: place.program.path,
      near: near,
      hasMarks: !marks.isEmpty,
      notes: place.detour
    )
  }

  private static func candidate(
    _ mark: ProgramMark,
    _ standing: SiteStanding,
    _ place: ProbePlace
  ) -> ProbeCandidate {
    let program = place.program
    let description = SiteDescription(
      probePoint: text(of: mark, program),
      scriptPoint: "",
      name: mark.name,
      provider: mark.provider,
      probeType: "uprobe"
    )
    let site = ProbeSite(
      path: program.path,
      buildID: program.buildID,
      fileOffset: mark.fileOffset,
      linkAddress: mark.address,
      semaphore: mark.semaphore,
      description: description
    )
    let variables = mark.arguments.indices.map { ListedVariable(name: "$arg\($0 + 1)", type: "long") }
    return ProbeCandidate(
      trigger: .instruction(site, place.processes),
      scope: MarkScope(place: place, mark: mark),
      variables: { variables },
      standing: standing
    )
  }
}

/// The arguments of a USDT probe: plain numbers, all else is for `@cast` to say.
struct MarkScope: TargetScope {
  let place: ProbePlace
  let mark: ProgramMark

  var hasRegisters: Bool { true }

  var abi: CallingABI { place.program.abi }

  func variable(_ name: String, isEntry: Bool) -> Result<TargetObject, TargetProblem> {
    guard let number = argumentNumber(name) else {
      let names = mark.arguments.indices.map { "$arg\($0 + 1)" }
      return .failure(
        TargetProblem(
          id: "no-such-variable",
          message: "no argument '$\(name)' of mark '\(mark.name)', which has \(mark.arguments.count)",
          notes: names.isEmpty ? [] : ["there are \(names.joined(separator: ", "))"]
        )
      )
    }
    return argument(number)
  }

  func listing(_ listing: TargetListing) -> [ListedTarget]? {
    switch listing {
    case .parameters, .variables:
      mark.arguments.indices.map { ListedTarget(name: "arg\($0 + 1)", object: argument($0 + 1)) }
    case .locals: []
    case .result: nil
    }
  }

  func text(_ name: String) -> SiteText? {
    switch name {
    case "$$name", "$name": .name
    case "$$provider", "$provider": .provider
    default: nil
    }
  }

  func global(named name: String, unit: String?, module: String?) -> Result<TargetObject, TargetProblem> {
    let function = ProgramFunction(name: mark.name, entry: mark.address, probeAddress: mark.address)
    let scope = FunctionScope(place: place, function: function, address: mark.address, isReturn: false)
    return scope.global(named: name, unit: unit, module: module)
  }

  func typeSources(module: String?) -> [(source: any TypeSource, memory: PlanMemory)] {
    ProgramTypes.sources(module: module, own: place.program, place.environment)
  }

  private func argumentNumber(_ name: String) -> Int? {
    guard name.hasPrefix("arg"), let number = Int(name.dropFirst(3)),
      mark.arguments.indices.contains(number - 1)
    else { return nil }
    return number
  }

  private func argument(_ number: Int) -> Result<TargetObject, TargetProblem> {
    mark.arguments[number - 1].mapError { problem in
      TargetProblem(
        id: "variable-unavailable",
        message: "'$arg\(number)' of mark '\(mark.name)' cannot be read: \(problem.message)",
        notes: problem.notes
      )
    }.map {
      TargetObject(location: .value($0), type: nil, source: place.program.types, memory: .user)
    }
  }
}

extension String {
  /// `a-b` means `a__b`, which is how the notes spell the dashes of DTrace.
  fileprivate var withoutDashes: String {
    split(separator: "-", omittingEmptySubsequences: false).joined(separator: "__")
  }
}
