import MachineCode
import TargetModel

/// The variables that a site in a function sees.
struct FunctionScope: TargetScope {
  let place: ProbePlace
  let function: ProgramFunction
  let address: LinkAddress
  let isReturn: Bool
  /// At an instruction that returns (Go): results can be read, parameters no more.
  var isLeaving = false

  var hasRegisters: Bool { true }

  var abi: CallingABI { place.program.abi }

  /// The prologue of code that was not optimised has moved the stack pointer.
  var stackArguments: LocationPlan {
    let frame = address == function.entry ? nil : place.program.canonicalFrameAddress(at: address)
    let pointer = LocationPlan.register(place.environment.registers.stackPointer)
    return frame ?? pointer.offset(by: Int64(abi.addressByteCount))
  }

  func variable(_ name: String, isEntry: Bool) -> Result<TargetObject, TargetProblem> {
    guard let variables = function.variables else { return .failure(noDebugInfo("$" + name)) }
    if name == "return" { return returned(variables) }
    let visible = variables.variables(at: isReturn ? parameterAddress : address)
    if isLeaving, visible.contains(where: { $0.name == name }) { return .failure(goneInReturn(name)) }
    if let variable = visible.first(where: { $0.name == name }) {
      guard !isReturn || variable.isParameter else { return .failure(localInReturn(name)) }
      return object(variable, isEntry: isReturn)
    }
    if let global = place.program.global(named: name, unit: nil) { return self.global(global) }
    let names = visible.filter { !isReturn || $0.isParameter }.map(\.name)
    return .failure(
      TargetProblem(
        id: "no-such-variable",
        message: "no variable '\(name)' in '\(function.name)'",
        notes: names.isEmpty
          ? [] : ["there are \(names.prefix(12).map { "$" + $0 }.joined(separator: ", "))"],
        asked: name,
        candidates: names
      )
    )
  }

  func listing(_ listing: TargetListing) -> [ListedTarget]? {
    guard let variables = function.variables else { return listing == .result && !hasResult ? nil : [] }
    if isLeaving, listing != .result { return [] }
    switch listing {
    case .result:
      guard hasResult else { return nil }
      guard variables.returnValue() != nil else { return [] }
      return [ListedTarget(name: "return", object: returned(variables))]
    case .parameters: return list(variables) { $0.isParameter }
    case .locals: return hasResult ? [] : list(variables) { !$0.isParameter }
    case .variables:
      let isReturn = isReturn
      return list(variables) { $0.isParameter } + (isReturn ? [] : list(variables) { !$0.isParameter })
    }
  }

  func text(_ name: String) -> SiteText? { name == "$$name" ? .name : nil }

  func global(named name: String, unit: String?, module: String?) -> Result<TargetObject, TargetProblem> {
    if let module { return globalElsewhere(name, unit, module) }
    guard place.program.hasDebugInfo else { return .failure(noDebugInfo("@var(\"\(name)\")")) }
    guard let variable = place.program.global(named: name, unit: unit) else {
      return .failure(
        TargetProblem(
          id: "no-such-variable",
          message: "no global variable '\(name)' in \(place.program.path)"
        )
      )
    }
    return global(variable)
  }

  func typeSources(module: String?) -> [(source: any TypeSource, memory: PlanMemory)] {
    ProgramTypes.sources(module: module, own: place.program, place.environment)
  }

  /// `$name:type`, as `-L` prints it.
  var listed: [ListedVariable] {
    guard let variables = function.variables else { return [] }
    var result: [ListedVariable] = []
    if hasResult, let value = variables.returnValue() {
      result.append(ListedVariable(name: "$return", type: spelling(value.type)))
    }
    var seen: Set<String> = []
    if isLeaving { return result }
    for variable in variables.variables(at: address) where !isReturn || variable.isParameter {
      guard seen.insert(variable.name).inserted else { continue }
      result.append(ListedVariable(name: "$" + variable.name, type: spelling(variable.type)))
    }
    return result
  }

  private func spelling(_ type: TypeReference?) -> String {
    place.program.types.spelling(of: type)
  }

  private func list(
    _ variables: any FunctionVariables,
    _ isIncluded: (ProgramVariable) -> Bool
  ) -> [ListedTarget] {
    var seen: Set<String> = []
    let address = isReturn ? parameterAddress : address
    return variables.variables(at: address).filter { isIncluded($0) && seen.insert($0.name).inserted }.map {
      // Whether the entry can be probed is asked for all of them together.
      ListedTarget(name: $0.name, object: object($0, isEntry: isReturn, mayKeep: true))
    }
  }

  private func returned(_ variables: any FunctionVariables) -> Result<TargetObject, TargetProblem> {
    guard hasResult else {
      return .failure(
        TargetProblem(id: "no-return-value", message: "'$return' exists in '.return' probes only")
      )
    }
    guard let value = variables.returnValue() else {
      return .failure(TargetProblem(id: "no-return-value", message: "'\(function.name)' returns nothing"))
    }
    return object(value, isEntry: false)
  }

  private func object(
    _ variable: ProgramVariable,
    isEntry: Bool,
    mayKeep: Bool = false
  ) -> Result<TargetObject, TargetProblem> {
    variable.location().mapError { problem in
      TargetProblem(
        id: "variable-unavailable",
        message: "'$\(variable.name)' of '\(function.name)' cannot be read here: \(problem.message)",
        notes: problem.notes
      )
    }.flatMap { location in
      let kept = location.entryRegisters
      guard kept.isEmpty || mayKeep || entryPoint(keeping: X86Registers(dwarf: kept)) != nil else {
        return .failure(onlyAtEntry(variable.name))
      }
      return .success(location)
    }.map {
      TargetObject(
        location: $0,
        type: variable.type,
        source: place.program.types,
        memory: .user,
        isEntry: isEntry
      )
    }
  }

  /// The file says a link address; where the program was loaded is known from the hit, whose link address is known.
  ///
  /// A return probe sees the variable as it is at the return.
  private func global(_ variable: ProgramVariable) -> Result<TargetObject, TargetProblem> {
    object(variable, isEntry: false).map { object in
      var object = object
      let pointer = place.environment.registers.instructionPointer
      object.location = object.location.relative(to: address, in: pointer)
      return object
    }
  }

  private func globalElsewhere(
    _ name: String,
    _ unit: String?,
    _ module: String
  ) -> Result<TargetObject, TargetProblem> {
    let isOwn = place.program.path == module || place.program.path.hasSuffix("/" + module)
    if isOwn { return global(named: name, unit: unit, module: nil) }
    return OtherModule(module, place).global(named: name, unit: unit)
  }

  private func localInReturn(_ name: String) -> TargetProblem {
    TargetProblem(
      id: "local-in-return",
      message: "'$\(name)' is a local variable, which is gone when the function returns"
    )
  }

  private func onlyAtEntry(_ name: String) -> TargetProblem {
    TargetProblem(
      id: "variable-unavailable",
      message:
        "'$\(name)' of '\(function.name)' cannot be read here: only its value at entry is known, and a "
        + "probe cannot keep that"
    )
  }

  private var hasResult: Bool { isReturn || isLeaving }

  private func goneInReturn(_ name: String) -> TargetProblem {
    TargetProblem(
      id: "local-in-return",
      message: "'$\(name)' is gone where a function of Go returns",
      notes: ["keep it in an array at the entry, by the goroutine: register(\"r14\")"]
    )
  }

  private func noDebugInfo(_ name: String) -> TargetProblem {
    TargetProblem(
      id: "no-debug-info",
      message: "'\(name)' needs debug information, and \(place.program.path) has none",
      notes: place.program.debugInfoNotes
        + ["without it, arguments can be read as long_arg(n), int_arg(n), pointer_arg(n)"]
    )
  }
}

extension ValueLocation {
  /// Replaces a link address by the same place counted from another one, which `register` holds as it is in the process.
  func relative(to site: LinkAddress, in register: Int) -> ValueLocation {
    guard case .memory(let memory, let address) = self else { return self }
    let start = LocationPlan.register(register).offset(by: 0 &- Int64(bitPattern: site.raw))
    if case .constant(let address) = address { return .memory(memory, address: start.offset(by: address)) }
    let pointer = LocationPlan.register(RegisterFile.x86_64.instructionPointer)
    return .memory(memory, address: address.replacing(pointer, by: start))
  }
}

/// Who knows the types that `@cast` names.
enum ProgramTypes {
  /// The module's types, else the program's own, else the kernel's.
  static func sources(
    module: String?,
    own: (any Program)?,
    _ environment: ElaborationEnvironment
  ) -> [(source: any TypeSource, memory: PlanMemory)] {
    let kernel: [(source: any TypeSource, memory: PlanMemory)] =
      environment.kernel.map { [($0.types, .kernel)] } ?? []
    guard let module else { return (own.map { [($0.types, .user)] } ?? []) + kernel }
    // `"a:b"` tries one after the other (stap(1), "TYPECASTING").
    return module.split(separator: ":").flatMap { name -> [(source: any TypeSource, memory: PlanMemory)] in
      if name == "kernel" { return kernel }
      if name.hasPrefix("<"), own?.abi == .i386 {
        return [
          (MissingTypes(ProgramProblem("headers are compiled for 64-bit programs, and this is none")), .user)
        ]
      }
      switch environment.programs.files(named: String(name)) {
      case .failure(let problem): return [(MissingTypes(problem), .user)]
      case .success(let paths):
        return paths.map { path in
          switch environment.programs.program(at: path) {
          case .failure(let problem): (MissingTypes(problem), .user)
          case .success(let program): (program.types, .user)
          }
        }
      }
    }
  }
}

/// In the place of types that cannot be had.
struct MissingTypes: TypeSource {
  /// One line of why, and what else is known of it.
  let reasons: [String]

  init(_ problem: ProgramProblem) { reasons = [problem.message] + problem.notes }

  func layout(of type: TypeReference) -> TypeLayout { .opaque("?") }

  func spelling(of type: TypeReference?) -> String { "?" }

  func type(named name: String) -> TypeReference? { nil }

  func enumerator(named name: String) -> Int64? { nil }
}
