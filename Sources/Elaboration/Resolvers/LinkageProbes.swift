import Diagnostics
import ELF
import MachineCode
import Platform
import StapSyntax
import TargetModel

/// `.plt("name")` and its `.return`: calls to functions of other files, by the stubs that the linker made for them.
enum LinkageProbes {
  /// Reads `.plt`, `.plt("pattern")` and `.return`.
  static let subject = ProcessSubject(head: "plt") { components, _ in
    guard let stub = components.first else { preconditionFailure("'.plt' was seen there") }
    guard stub.argument == nil || stub.string != nil else {
      return .failure(PointProblem(.needsString(stub)))
    }
    let rest = components.dropFirst()
    let isReturn = rest.first.map { $0.name.text == "return" && $0.argument == nil } ?? false
    if let stray = rest.dropFirst(isReturn ? 1 : 0).first {
      return .failure(PointProblem(.unexpectedComponent(stray, near: ["return"])))
    }
    return .success { resolve(stub, isReturn: isReturn, $0) }
  }

  private static func resolve(
    _ component: ProbePoint.Component,
    isReturn: Bool,
    _ place: ProbePlace
  ) -> ProbeResolution {
    let program = place.program
    let pattern = component.string ?? "*"
    let stubs = program.stubs
    var result = ProbeResolution()
    for stub in stubs where GlobPattern.matches(stub.name, pattern: pattern) {
      let text = "process(\"\(program.path)\").plt(\"\(stub.name)\")" + (isReturn ? ".return" : "")
      var standing = ProbeAddress.standing(at: stub.address, isFunctionStart: true, program)
      let function = ProgramFunction(name: stub.name, entry: stub.address, probeAddress: stub.address)
      if isReturn, let reason = ReturnHazard.reason(in: function, program) {
        standing.verdict = .refused(reason)
      }
      guard standing.refusal == nil else {
        result.refused.append(RefusedSite(name: stub.name, point: text, standing: standing))
        continue
      }
      let point = SitePoint(place: place, isReturn: isReturn)
      guard var found = point.candidate(function, at: stub.address, standing, text: text, source: "") else {
        continue
      }
      found.scope = LinkageScope(place: place, stub: stub, isReturn: isReturn)
      found.variables = { [ListedVariable(name: "$$name", type: "string")] }
      found.symbol = { nil }
      result.candidates.append(found)
    }
    result.reportRefused(component)
    if result.candidates.isEmpty, result.problems.isEmpty {
      let near = nearestNames(to: pattern, among: stubs.map(\.name))
      result.problems.append(
        .noSuchStub(component, pattern, in: program.path, near: near, isEmpty: stubs.isEmpty)
      )
    }
    return result
  }
}

/// A call that is on its way into another file: its function is known by name only.
struct LinkageScope: TargetScope {
  let place: ProbePlace
  let stub: ProgramStub
  let isReturn: Bool

  var hasRegisters: Bool { true }

  var abi: CallingABI { place.program.abi }

  func variable(_ name: String, isEntry: Bool) -> Result<TargetObject, TargetProblem> {
    .failure(
      TargetProblem(
        id: "no-such-variable",
        message: "no variable '\(name)': of '\(stub.name)' only the name is known here",
        notes: [
          "arguments can be read as long_arg(n), int_arg(n), pointer_arg(n), a result as returnval()",
          "'.library(\"…\").function(\"\(stub.name)\")' probes the function itself",
        ]
      )
    )
  }

  func listing(_ listing: TargetListing) -> [ListedTarget]? { listing == .result && !isReturn ? nil : [] }

  func text(_ name: String) -> SiteText? { name == "$$name" ? .name : nil }

  func global(named name: String, unit: String?, module: String?) -> Result<TargetObject, TargetProblem> {
    let function = ProgramFunction(name: stub.name, entry: stub.address, probeAddress: stub.address)
    let scope = FunctionScope(place: place, function: function, address: stub.address, isReturn: isReturn)
    return scope.global(named: name, unit: unit, module: module)
  }

  func typeSources(module: String?) -> [(source: any TypeSource, memory: PlanMemory)] {
    ProgramTypes.sources(module: module, own: place.program, place.environment)
  }
}
