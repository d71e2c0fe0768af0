import TargetModel

/// Static variables of the program that a process runs, for probes in the libraries of that process.
///
/// Where the program was loaded is in the kernel's description of the process. In a process that runs another
/// program the address is 0, and reading fails as a fault.
struct MainProgram {
  private let name: String
  private let environment: ElaborationEnvironment

  /// - Parameter name: as the script names the module.
  init(_ name: String, _ environment: ElaborationEnvironment) {
    self.name = name
    self.environment = environment
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
    guard let start = program.codeStart else {
      return failure("'\(name)' is a library: its variables can be read from probes in it only")
    }
    guard let found = program.global(named: variable, unit: unit) else {
      let message = "no global variable '\(variable)' in \(program.path)"
      return .failure(TargetProblem(id: "no-such-variable", message: message, notes: program.searchReport))
    }
    switch found.location() {
    case .failure(let problem): return failure("'\(variable)' of '\(name)': \(problem.message)")
    case .success(.memory(_, .constant(let address))):
      guard let place = place(address &- Int64(bitPattern: start.raw), Self.fileName(of: program.path)) else {
        return failure("where '\(name)' was loaded cannot be told without the kernel's types")
      }
      let location = ValueLocation.memory(.user, address: place)
      return .success(
        TargetObject(location: location, type: found.type, source: program.types, memory: .user)
      )
    case .success: return failure("'\(variable)' of '\(name)' is not at a fixed address")
    }
  }

  private func failure(_ message: String) -> Result<TargetObject, TargetProblem> {
    .failure(TargetProblem(id: "other-module", message: message))
  }

  private static func fileName(of path: String) -> [UInt8] {
    Array((path.split(separator: "/").last ?? "").utf8)
  }

  /// So many bytes behind the start of the code, where the process runs a file of that name; else 0.
  private func place(_ distance: Int64, _ fileName: [UInt8]) -> LocationPlan? {
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
