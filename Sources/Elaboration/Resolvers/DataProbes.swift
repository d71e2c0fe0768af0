import Diagnostics
import StapSyntax
import TargetModel

/// `.data("variable")` and `.data(ADDRESS)` with `.write` or `.rw` and, before that, `.length(N)`: accesses to data, told
/// by the processor's debug registers.
///
/// As `kernel.data` in stapprobes(3stap), "HARDWARE BREAKPOINTS". A processor has four such registers; a hit comes
/// behind the instruction that made the access.
enum DataProbes {
  /// Reads `.data(…)` and what follows it.
  static let subject = ProcessSubject(head: "data") { components, process in
    guard let data = components.first else { preconditionFailure("'.data' was seen there") }
    var rest = components.dropFirst()
    var length: ProbePoint.Component?
    if let next = rest.first, next.name.text == "length" {
      length = next
      rest = rest.dropFirst()
    }
    guard let access = rest.first else { return .failure(PointProblem(.dataNeedsAccess(data))) }
    guard ["write", "rw"].contains(access.name.text), access.argument == nil else {
      return .failure(PointProblem(.unexpectedComponent(access, near: ["length", "rw", "write"])))
    }
    if let stray = rest.dropFirst().first { return .failure(PointProblem(.unexpectedComponent(stray))) }
    if let length, ![1, 2, 4, 8].contains(length.number ?? 0) {
      return .failure(PointProblem(.watchLength(length, "a watch is 1, 2, 4 or 8 bytes long")))
    }
    let request = Request(
      data: data,
      length: length,
      isWriteOnly: access.name.text == "write",
      process: process
    )
    guard data.string != nil || data.number != nil else { return .failure(PointProblem(.needsString(data))) }
    return .success { request.resolve($0) }
  }

  private struct Request: Sendable {
    let data: ProbePoint.Component
    let length: ProbePoint.Component?
    let isWriteOnly: Bool
    let process: ProbePoint.Component

    func resolve(_ place: ProbePlace) -> ProbeResolution {
      guard hasProcess(place) else { return .failed(.watchWithoutProcess(data)) }
      if let number = data.number {
        let address = LinkAddress(UInt64(bitPattern: number))
        // A number names what a process has there; of a file, what the file says.
        return land(
          address,
          nil,
          length?.number.map { Int($0) } ?? 1,
          isAbsolute: process.string == nil,
          place
        )
      }
      let name = data.string ?? ""
      guard let variable = place.program.global(named: name, unit: nil) else {
        return .failed(.noSuchData(data, in: place.program))
      }
      switch variable.location() {
      case .success(.memory(.user, address: .constant(let address))):
        let link = LinkAddress(UInt64(bitPattern: address))
        let size = byteCount(of: variable.type, place.program.types)
        guard
          let count = length?.number.map({ Int($0) })
            ?? size.flatMap({ [1, 2, 4, 8].contains($0) ? $0 : nil })
        else {
          return .failed(.watchLength(data, "'\(name)' is \(size.map { "\($0)" } ?? "?") bytes long"))
        }
        return land(link, variable, count, isAbsolute: false, place)
      case .success(.memory):
        let size = byteCount(of: variable.type, place.program.types)
        return .failed(.watchedThreadLocal(data, length?.number.map { Int($0) } ?? size ?? 8))
      case .success: return .failed(.noWatchedPlace(data, "it is a constant, and in no memory"))
      case .failure(let problem): return .failed(.noWatchedPlace(data, problem.message))
      }
    }

    /// Debug registers belong to threads: somebody must say whose.
    private func hasProcess(_ place: ProbePlace) -> Bool {
      if case .process = place.processes { return true }
      return place.environment.target != nil
    }

    private func land(
      _ address: LinkAddress,
      _ variable: ProgramVariable?,
      _ count: Int,
      isAbsolute: Bool,
      _ place: ProbePlace
    ) -> ProbeResolution {
      guard address.raw % UInt64(count) == 0 else {
        let text = "0x" + String(address.raw, radix: 16)
        return .failed(.watchLength(length ?? data, "\(text) is no multiple of \(count)"))
      }
      let path = place.program.path
      let what = variable.map { "\"\($0.name)\"" } ?? "0x" + String(address.raw, radix: 16)
      let suffix = (length.map { ".\($0.text)" } ?? "") + (isWriteOnly ? ".write" : ".rw")
      let site = ProbeSite(
        path: isAbsolute ? "" : path,
        buildID: place.program.buildID,
        fileOffset: FileOffset(0),
        linkAddress: address,
        semaphore: nil,
        description: SiteDescription(
          probePoint: "process(\"\(path)\").data(\(what))\(suffix)",
          scriptPoint: "",
          name: variable?.name ?? what,
          provider: path,
          probeType: "hwbkpt"
        ),
        watch: DataWatch(byteCount: count, isWriteOnly: isWriteOnly, isAbsolute: isAbsolute)
      )
      let scope = DataScope(place: place, variable: variable, address: isAbsolute ? nil : address)
      return .found([
        ProbeCandidate(
          trigger: .data(site, place.processes),
          scope: scope,
          variables: { scope.listed }
        )
      ])
    }
  }

  private static func byteCount(of type: TypeReference?, _ types: any TypeSource) -> Int? {
    guard let type else { return nil }
    switch types.layout(of: type) {
    case .integer(let layout): return layout.byteCount
    case .float(_, let count): return count
    case .pointer(let count, _, _): return count
    case .structure(let layout): return layout.byteCount
    case .enumeration(let layout): return layout.byteCount
    case .array(let element, let count?):
      return byteCount(of: element, types).map { $0.multipliedReportingOverflow(by: count).partialValue }
    case .array(_, nil), .void, .function, .opaque: return nil
    }
  }
}

/// At an access to data: the variable itself, and global variables of the same file.
private struct DataScope: TargetScope {
  let place: ProbePlace
  /// The one that is watched; nil for a bare address.
  let variable: ProgramVariable?
  /// What is watched, in the file; nil for an address of the process.
  let address: LinkAddress?

  var hasRegisters: Bool { true }

  var listed: [ListedVariable] {
    guard let variable else { return [] }
    let type = place.program.types.spelling(of: variable.type)
    return [ListedVariable(name: "$" + variable.name, type: type)]
  }

  func variable(_ name: String, isEntry: Bool) -> Result<TargetObject, TargetProblem> {
    if let variable, variable.name == name { return .success(watched(variable)) }
    return .failure(
      TargetProblem(
        id: "no-such-variable",
        message: "where data is accessed there is no '$\(name)': the access may be in any function",
        notes: variable.map { ["the data itself is '$\($0.name)'; other global variables are '@var(\"…\")'"] }
          ?? []
      )
    )
  }

  func listing(_ listing: TargetListing) -> [ListedTarget]? {
    guard let variable, listing == .variables else { return nil }
    return [ListedTarget(name: variable.name, object: .success(watched(variable)))]
  }

  func text(_ name: String) -> SiteText? { name == "$$name" ? .name : nil }

  func global(named name: String, unit: String?, module: String?) -> Result<TargetObject, TargetProblem> {
    if let module, place.program.path != module, !place.program.path.hasSuffix("/" + module) {
      return OtherModule(module, place).global(named: name, unit: unit)
    }
    guard let address, let found = place.program.global(named: name, unit: unit) else {
      return .failure(
        TargetProblem(
          id: "no-such-variable",
          message: address == nil
            ? "'@var(\"\(name)\")': an address of the process does not say where the file's variables are"
            : "no global variable '\(name)' in \(place.program.path)"
        )
      )
    }
    return found.location().mapError { TargetProblem(id: "variable-unavailable", message: $0.message) }.map {
      object(found, $0.relative(to: address, in: RegisterFile.watchedAddress.dwarf))
    }
  }

  func typeSources(module: String?) -> [(source: any TypeSource, memory: PlanMemory)] {
    ProgramTypes.sources(module: module, own: place.program, place.environment)
  }

  private func watched(_ variable: ProgramVariable) -> TargetObject {
    object(variable, .memory(.user, address: .register(RegisterFile.watchedAddress.dwarf)))
  }

  private func object(_ variable: ProgramVariable, _ location: ValueLocation) -> TargetObject {
    TargetObject(location: location, type: variable.type, source: place.program.types, memory: .user)
  }
}

extension Diagnostic {
  fileprivate static func dataNeedsAccess(_ component: ProbePoint.Component) -> Diagnostic {
    Diagnostic(
      .error,
      "unexpected-component",
      "'\(component.text)' needs '.write' or '.rw' behind it",
      at: component.range
    )
  }

  fileprivate static func noSuchData(_ component: ProbePoint.Component, in program: any Program) -> Diagnostic
  {
    Diagnostic(
      .error,
      "no-such-variable",
      "no global variable '\(component.string ?? "")' in \(program.path)",
      at: component.range,
      notes: program.hasDebugInfo ? [] : program.debugInfoNotes.map { .note($0) }
    )
  }

  fileprivate static func noWatchedPlace(_ component: ProbePoint.Component, _ reason: String) -> Diagnostic {
    Diagnostic(
      .error,
      "no-address",
      "'\(component.string ?? "")' cannot be watched: \(reason)",
      at: component.range
    )
  }

  fileprivate static func watchedThreadLocal(
    _ component: ProbePoint.Component,
    _ byteCount: Int
  ) -> Diagnostic {
    let name = component.string ?? ""
    return Diagnostic(
      .error,
      "no-address",
      "'\(name)' cannot be watched: every thread has one of its own",
      at: component.range,
      notes: [
        .note(
          "watch that of one thread by its address: 'process(PID).data(0x…).length(\(byteCount))'; "
            + "gdb tells it by 'print &\(name)' in that thread"
        ),
        .note("probes in code read that of their own thread: '@var(\"\(name)\")'"),
      ]
    )
  }

  fileprivate static func watchLength(_ component: ProbePoint.Component, _ fact: String) -> Diagnostic {
    Diagnostic(
      .error,
      "watch-length",
      "\(fact): a debug register covers 1, 2, 4 or 8 bytes at a multiple of that",
      at: component.range
    )
  }

  fileprivate static func watchWithoutProcess(_ component: ProbePoint.Component) -> Diagnostic {
    Diagnostic(
      .error,
      "watch-without-process",
      "data is watched in one process, and nobody says in which",
      at: component.range,
      notes: [.note("give it with '-p PID' or '-c COMMAND', or name it: 'process(PID)'")]
    )
  }
}
