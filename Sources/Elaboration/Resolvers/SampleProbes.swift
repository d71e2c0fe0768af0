import Diagnostics
import StapSyntax
import TargetModel

/// Probes that interrupt whatever runs, on every CPU (stapprobes(3stap), "PERF" and "TIMERS").
enum SampleProbes {
  /// `perf.type(T).config(C)`, with `.sample(N)` or `.hz(N)`, and `.process("P")`.
  static let perf: @Sendable (ProbePoint, ElaborationEnvironment) -> ProbeResolution = {
    point,
    environment in
    var numbers: [String: Int64] = [:]
    var program: ProbePoint.Component?
    for component in point.components.dropFirst() {
      let name = component.name.text
      switch name {
      case "type", "config", "sample", "hz":
        guard let number = component.number, numbers.updateValue(number, forKey: name) == nil else {
          return .failed(.perfNumber(component))
        }
      case "process" where program == nil: program = component
      case "counter": return .failed(.perfCounter(component))
      default: return .failed(.unexpectedComponent(component))
      }
    }
    let count = numbers["hz"] ?? numbers["sample"] ?? 1_000_000
    guard let type = numbers["type"], let config = numbers["config"], numbers.count <= 3, count > 0,
      (0...Int64(UInt32.max)).contains(type)
    else { return .failed(.perfNeedsEvent(at: point.range)) }
    let sampling = PerfSampling(type: type, config: config, count: count, isFrequency: numbers["hz"] != nil)
    return sample(sampling, point, in: program, environment)
  }

  /// `timer.profile`, `timer.profile.tick`, `timer.profile.freq.hz(N)`.
  static func profile(_ point: ProbePoint, _ environment: ElaborationEnvironment) -> ProbeResolution {
    let rest = Array(point.components.dropFirst(2))
    if let argument = point.components.prefix(3).compactMap(\.argument).first {
      return .failed(.unexpectedArgument(argument))
    }
    switch (rest.first?.name.text, rest.count) {
    case (nil, 0), ("tick", 1): return sample(.clock(hertz: tickRate), point, in: nil, environment)
    case ("freq", 2) where rest[1].name.text == "hz":
      guard let rate = rest[1].number, (1...1_000_000).contains(rate) else {
        return .failed(.timerNeedsCount(at: rest[1].range))
      }
      return sample(.clock(hertz: rate), point, in: nil, environment)
    default: return .failed(.unexpectedComponent(rest[rest.count > 1 && rest[0].name.text == "freq" ? 1 : 0]))
    }
  }

  /// That of Debian's kernels (CONFIG_HZ), as for `timer.jiffies`.
  private static let tickRate: Int64 = 250

  private static func sample(
    _ sampling: PerfSampling,
    _ point: ProbePoint,
    in program: ProbePoint.Component?,
    _ environment: ElaborationEnvironment
  ) -> ProbeResolution {
    var filter: ProcessFilter?
    if let program {
      guard program.argument == nil || program.string != nil else { return .failed(.needsString(program)) }
      filter = ProcessFilter(.target)
      if let name = program.string {
        switch environment.programs.files(named: name) {
        case .failure(let problem): return .failed(.program(problem, at: program.range))
        case .success(let paths): filter?.executable = paths.first
        }
      }
    }
    let description = SiteDescription(probePoint: point.text, scriptPoint: "", probeType: "perf")
    let scope = EmptyScope(
      family: point.components[0].name.text,
      kernel: environment.kernel?.types,
      hasRegisters: true
    )
    let trigger = ElaboratedTrigger.sample(sampling, description: description, in: filter)
    return .found([ProbeCandidate(trigger: .session(trigger), scope: scope)])
  }
}

extension Diagnostic {
  fileprivate static func perfCounter(_ component: ProbePoint.Component) -> Diagnostic {
    let message =
      "a counter to be read by @perf is not supported: programs at a probe cannot read it for their thread"
    return Diagnostic(.error, "unsupported-probe", message, at: component.range)
  }

  fileprivate static func perfNeedsEvent(at range: SourceRange) -> Diagnostic {
    let message = "an event is written as 'perf.type(T).config(C)', and '.sample(N)' or '.hz(N)' behind it"
    return Diagnostic(.error, "perf-event", message, at: range)
  }

  fileprivate static func perfNumber(_ component: ProbePoint.Component) -> Diagnostic {
    let message = "'.\(component.name.text)' stands there once, with a number"
    return Diagnostic(.error, "perf-event", message, at: component.range)
  }
}
