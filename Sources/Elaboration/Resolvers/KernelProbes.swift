import Diagnostics
import Platform
import StapSyntax
import TargetModel

/// Probes on the kernel: tracepoints, typed by BTF (stapprobes(3stap), "KERNEL TRACEPOINTS").
enum KernelProbes {
  static let resolve: @Sendable (ProbePoint, ElaborationEnvironment) -> ProbeResolution = {
    point,
    environment in
    guard point.components.count > 1 else { return .failed(.kernelNeedsMore(at: point.range)) }
    let component = point.components[1]
    guard component.name.text == "trace" else { return .failed(.unsupportedComponent(component)) }
    guard let pattern = component.string else { return .failed(.needsString(component)) }
    // `syscall.read.return.maxactive(10)`: there is no limit to how many threads are in system calls.
    let isSystemCallReturn = pattern == "sys_exit"
    if let stray = point.components.dropFirst(2).first(where: {
      !isSystemCallReturn || $0.name.text != "maxactive" || $0.number == nil
    }) {
      return .failed(.unexpectedComponent(stray))
    }
    guard let kernel = environment.kernel else { return .failed(.noKernelTypes(component)) }
    let candidates = matches(pattern, kernel).compactMap { candidate($0, kernel, environment) }
    guard candidates.isEmpty else { return .found(candidates) }
    return .failed(.noSuchTracepoint(component, near: nearest(pattern, kernel)))
  }

  /// `system:name` or `name`, either with wildcards.
  private static func matches(_ pattern: String, _ kernel: any KernelCatalog) -> [KernelTracepoint] {
    let parts = pattern.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let name = parts[parts.count - 1]
    return kernel.tracepoints(named: name).filter { tracepoint in
      parts.count == 1 || GlobPattern.matches(tracepoint.system, pattern: parts[0])
    }
  }

  private static func nearest(_ pattern: String, _ kernel: any KernelCatalog) -> [String] {
    let name = pattern.split(separator: ":").last.map(String.init) ?? pattern
    return nearestNames(to: name, among: kernel.tracepointNames)
  }

  private static func candidate(
    _ tracepoint: KernelTracepoint,
    _ kernel: any KernelCatalog,
    _ environment: ElaborationEnvironment
  ) -> ProbeCandidate? {
    guard let arguments = kernel.arguments(ofTracepoint: tracepoint.name) else { return nil }
    let prefix = tracepoint.system.isEmpty ? "" : tracepoint.system + ":"
    let description = SiteDescription(
      probePoint: "kernel.trace(\"\(prefix)\(tracepoint.name)\")",
      scriptPoint: "",
      function: tracepoint.name,
      name: tracepoint.name,
      provider: tracepoint.system,
      probeType: "tracepoint"
    )
    var scope = TracepointScope(arguments: arguments, kernel: kernel, environment: environment)
    if ["sys_enter", "sys_exit"].contains(tracepoint.name) {
      scope.systemCallRegisters = .tracepointArgument(0)
    }
    let listed = scope.listed
    let hook = KernelHook.tracepoint(tracepoint.name)
    return ProbeCandidate(
      trigger: .tracepoint(hook, argumentCount: arguments.count, description, in: nil),
      scope: scope,
      variables: { listed }
    )
  }
}

/// The arguments of a tracepoint.
struct TracepointScope: TargetScope {
  let arguments: [(name: String, type: TypeReference)]
  let kernel: any KernelCatalog
  let environment: ElaborationEnvironment
  var systemCallRegisters: LocationPlan?

  /// A raw tracepoint has its arguments, and no registers of its own.
  var hasRegisters: Bool { false }

  func variable(_ name: String, isEntry: Bool) -> Result<TargetObject, TargetProblem> {
    guard let index = arguments.firstIndex(where: { $0.name == name }) ?? number(name) else {
      let names = arguments.map(\.name)
      return .failure(
        TargetProblem(
          id: "no-such-variable",
          message: "no argument '$\(name)' of this tracepoint",
          notes: names.isEmpty ? [] : ["there are \(names.map { "$" + $0 }.joined(separator: ", "))"],
          asked: name,
          candidates: names
        )
      )
    }
    return .success(object(index))
  }

  func listing(_ listing: TargetListing) -> [ListedTarget]? {
    switch listing {
    case .parameters, .variables:
      arguments.indices.map { ListedTarget(name: arguments[$0].name, object: .success(object($0))) }
    case .locals: []
    case .result: nil
    }
  }

  func text(_ name: String) -> SiteText? {
    switch name {
    case "$$name": .name
    case "$$system", "$$provider": .provider
    default: nil
    }
  }

  func global(named name: String, unit: String?, module: String?) -> Result<TargetObject, TargetProblem> {
    .failure(
      TargetProblem(id: "no-such-variable", message: "variables of the kernel cannot be read by name yet")
    )
  }

  func typeSources(module: String?) -> [(source: any TypeSource, memory: PlanMemory)] {
    ProgramTypes.sources(module: module, own: nil, environment)
  }

  /// `$name:type`, as `-L` prints it.
  var listed: [ListedVariable] {
    arguments.map { ListedVariable(name: "$" + $0.name, type: kernel.types.spelling(of: $0.type)) }
  }

  private func object(_ index: Int) -> TargetObject {
    TargetObject(
      location: .value(.tracepointArgument(index)),
      type: arguments[index].type,
      source: kernel.types,
      memory: .kernel
    )
  }

  /// `$arg1`: by position.
  private func number(_ name: String) -> Int? {
    guard name.hasPrefix("arg"), let number = Int(name.dropFirst(3)), arguments.indices.contains(number - 1)
    else {
      return nil
    }
    return number - 1
  }
}
