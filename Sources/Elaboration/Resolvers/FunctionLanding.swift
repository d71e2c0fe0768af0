import MachineCode
import Platform
import StapSyntax
import TargetModel

/// Puts functions to the best place for a probe, each address once.
struct FunctionLanding {
  /// What must hold at the place of a probe for it to run.
  typealias Condition = @Sendable (LinkAddress) -> ElaboratedExpression

  private let point: SitePoint
  private var seen: Set<LinkAddress> = []
  private var result = ProbeResolution()

  init(_ point: SitePoint) { self.point = point }

  /// How many functions are landed in a row by one thread.
  private static let grain = 128

  /// Adds the probes of many functions.
  ///
  /// - Parameter text: the point as `-l` prints it.
  mutating func add(_ functions: [ProgramFunction], text: @escaping @Sendable (ProgramFunction) -> String) {
    let functions = Self.withoutNested(functions)
    let lander = FunctionLander(point: point, condition: nil)
    let landed = SideBySide.map(functions, grain: Self.grain) { lander.land($0, text: text) }
    for landings in landed { add(landings) }
  }

  /// Leaves out inlined instances that begin where the one before begins.
  ///
  /// They would be landed for nothing; in a large C++ library that is every second one.
  ///
  /// - Parameter functions: sorted by address.
  private static func withoutNested(_ functions: [ProgramFunction]) -> [ProgramFunction] {
    functions.indices.compactMap { index in
      let function = functions[index]
      guard index > 0, function.isInlineInstance else { return function }
      let before = functions[index - 1]
      return before.isInlineInstance && before.probeAddress == function.probeAddress ? nil : function
    }
  }

  /// Adds the probe of one function.
  mutating func add(_ function: ProgramFunction, text: String, condition: Condition? = nil) {
    add(FunctionLander(point: point, condition: condition).land(function) { _ in text })
  }

  private mutating func add(_ landings: [FunctionLander.Landing]) {
    for landing in landings {
      if let address = landing.address, !seen.insert(address).inserted { continue }
      if let refused = landing.refused { result.refused.append(refused) }
      if let candidate = landing.candidate { result.candidates.append(candidate) }
    }
  }

  /// What was landed, and what is to be said of the rest.
  func resolution(for component: ProbePoint.Component) -> ProbeResolution {
    result.finished(component, in: point.place.program)
  }
}

/// Finds the place for the probe of a function.
///
/// Nothing is changed, so that functions are landed side by side.
private struct FunctionLander: Sendable {
  /// A place, and what stands there.
  struct Landing: Sendable {
    /// Nil: nowhere.
    var address: LinkAddress?
    var refused: RefusedSite?
    var candidate: ProbeCandidate?
  }

  let point: SitePoint
  let condition: FunctionLanding.Condition?

  func land(
    _ function: ProgramFunction,
    text name: @escaping @Sendable (ProgramFunction) -> String
  ) -> [Landing] {
    let text = name(function)
    if point.isReturn, point.place.program.isGo(function) { return returns(of: function, text: text) }
    let choices = ProbeAddress.choices(in: function, point.isReturn, point.place.program).filter {
      self.condition == nil || !$0.writtenRegisters.contains(.rsp)
    }
    guard let best = choices.first else { return [] }
    var landing = Landing(address: best.address)
    if best.standing.refusal != nil {
      landing.refused = RefusedSite(name: function.name, point: text, standing: best.standing)
      return [landing]
    }
    let (point, condition) = (point, condition)
    let make: @Sendable (ProbeAddress.Choice) -> ProbeCandidate? = { choice in
      let source = function.declaration
      var made = point.candidate(function, at: choice.address, choice.standing, text: text, source: source)
      made?.condition = condition?(choice.address)
      return made
    }
    landing.candidate = make(best)
    if let details = function.details {
      landing.candidate?.detailed = { details().flatMap { land($0, text: name).first?.candidate } }
    }
    if let entry = choices.dropFirst().first {
      landing.candidate?.mustMove = entry.standing.refusal != nil
      landing.candidate?.writtenRegisters = best.writtenRegisters
      landing.candidate?.writesMemory = best.writesMemory
      landing.candidate?.atEntry = { make(entry) }
    }
    return [landing]
  }

  /// Every `ret` of a function of Go, whose return address must stay as it is.
  private func returns(of function: ProgramFunction, text: String) -> [Landing] {
    let program = point.place.program
    let returns = GoCode.returns(in: program.code(of: function, atMost: 1 << 24)) ?? []
    guard !returns.isEmpty else {
      let standing = SiteStanding(verdict: .refused("it has no instruction that returns"))
      return [Landing(refused: RefusedSite(name: function.name, point: text, standing: standing))]
    }
    var leaving = point
    (leaving.isReturn, leaving.isLeaving) = (false, true)
    return returns.map { offset in
      let address = function.entry.advanced(by: Int64(offset))
      let standing = ProbeAddress.standing(at: address, isFunctionStart: false, program)
      let source = function.declaration
      let found = leaving.candidate(function, at: address, standing, text: text, source: source)
      return Landing(address: address, candidate: found)
    }
  }
}
