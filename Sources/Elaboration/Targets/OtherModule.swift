import TargetModel

/// Static variables of another binary of the process than the one that is probed: of its program, or of a library.
///
/// Where the program was loaded is in the kernel's description of the process. Where a library is, the memory map of a
/// running process tells. In a process that runs another program the address is 0, and reading fails as a fault.
struct OtherModule {
  private let name: String
  private let place: ProbePlace
  private var environment: ElaborationEnvironment { place.environment }

  /// - Parameter name: as the script names the module.
  init(_ name: String, _ place: ProbePlace) {
    self.name = name
    self.place = place
  }

  /// `@var("name@unit", "module")`.
  func global(named variable: String, unit: String?) -> Result<TargetObject, TargetProblem> {
    let program: any Program
    switch environment.programs.files(named: name).flatMap({
      environment.programs.program(at: $0.first ?? name)
    }) {
    case .failure(let problem):
      return .failure(TargetProblem(id: "other-module", message: problem.message, notes: problem.notes))
    case .success(let found): program = found
    }
    guard let found = program.global(named: variable, unit: unit) else {
      let message = "no global variable '\(variable)' in \(program.path)"
      return .failure(TargetProblem(id: "no-such-variable", message: message, notes: program.debugInfoNotes))
    }
    switch found.location() {
    case .failure(let problem): return failure("'\(variable)' of '\(name)': \(problem.message)")
    case .success(.memory(_, .constant(let address))):
      return self.address(of: address, in: program).map { address in
        let location = ValueLocation.memory(.user, address: address)
        return TargetObject(location: location, type: found.type, source: program.types, memory: .user)
      }
    case .success: return failure("'\(variable)' of '\(name)' is not at a fixed address")
    }
  }

  /// Where the byte at a link address of `program` is in the process.
  private func address(of link: Int64, in program: any Program) -> Result<LocationPlan, TargetProblem> {
    guard let start = program.codeStart else { return address(of: link, inLibrary: program) }
    guard let address = address(link &- Int64(bitPattern: start.raw), Self.fileName(of: program.path)) else {
      return failure("where '\(name)' was loaded cannot be told without the kernel's types")
    }
    return .success(address)
  }

  private func address(of link: Int64, inLibrary program: any Program) -> Result<LocationPlan, TargetProblem>
  {
    guard let process else {
      return failure(
        "'\(name)' is a library: its variables can be read from probes in it, or in one running process"
      )
    }
    guard let placement = environment.programs.placement(of: program, in: process) else {
      return failure("process \(process) has not loaded '\(name)'")
    }
    let address = LocationPlan.constant(Int64(bitPattern: placement.start.raw) &+ link)
    guard let types = environment.kernel?.types, let start = KernelTaskPlans(types: types).codeStart else {
      return failure("where '\(name)' was loaded cannot be told without the kernel's types")
    }
    let expected = LocationPlan.constant(Int64(bitPattern: placement.codeStart.raw))
    return .success(.binary(.multiply, .binary(.equal, start, expected), address))
  }

  /// The one process that the probe runs in, if it runs already.
  private var process: Int32? {
    switch place.processes {
    case .process(let pid): pid
    case .target: environment.target?.pid
    case .family: nil
    }
  }

  private func failure<Success>(_ message: String) -> Result<Success, TargetProblem> {
    .failure(TargetProblem(id: "other-module", message: message))
  }

  private static func fileName(of path: String) -> [UInt8] {
    Array((path.split(separator: "/").last ?? "").utf8)
  }

  /// So many bytes behind the start of the code, where the process runs a file of that name; else 0.
  private func address(_ distance: Int64, _ fileName: [UInt8]) -> LocationPlan? {
    guard let types = environment.kernel?.types else { return nil }
    let plans = KernelTaskPlans(types: types)
    guard let start = plans.codeStart, let name = plans.programName else { return nil }
    // Up to eight bytes of it, with the zero byte behind a shorter one.
    let bytes = (fileName + [0]).prefix(8)
    let expected = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let word = LocationPlan.load(.kernel, byteCount: 8, isSigned: false, address: name)
    let seen = LocationPlan.bits(word, offset: 0, count: bytes.count * 8, isSigned: false)
    let isRight = LocationPlan.binary(.equal, seen, .constant(Int64(bitPattern: expected)))
    return .binary(.multiply, isRight, start.offset(by: distance))
  }
}
