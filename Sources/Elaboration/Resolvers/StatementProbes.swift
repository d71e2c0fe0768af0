import Diagnostics
import DwarfIndex
import MachineCode
import Platform
import StapSyntax
import TargetModel

/// `.statement("f@file:line")` with its `.nearest`, `.statement(ADDRESS)` with its `.absolute`.
///
/// The probe stands at exactly that instruction, and sees the variables that are visible there.
enum StatementProbes {
  /// Reads `.statement(…)` and what follows it.
  static let subject = ProcessSubject(head: "statement") { components, process in
    guard let statement = components.first else { preconditionFailure("'.statement' was seen there") }
    let rest = components.dropFirst()
    var word: ProbePoint.Component?
    if let next = rest.first, ["absolute", "nearest"].contains(next.name.text), next.argument == nil {
      word = next
    }
    if let stray = rest.dropFirst(word == nil ? 0 : 1).first {
      return .failure(PointProblem(.unexpectedComponent(stray, near: ["absolute", "nearest"])))
    }
    if let number = statement.number {
      if let word, word.name.text == "nearest" { return .failure(PointProblem(.unexpectedComponent(word))) }
      let isAbsolute = word != nil
      return .success { resolve(number, isAbsolute: isAbsolute, process, statement, $0) }
    }
    guard let text = statement.string else { return .failure(PointProblem(.needsString(statement))) }
    if let word, word.name.text == "absolute" { return .failure(PointProblem(.unexpectedComponent(word))) }
    guard let pattern = PointPattern(text) else {
      return .failure(PointProblem(.malformedPattern(statement)))
    }
    let isNearest = word != nil
    return .success { resolve(pattern, isNearest: isNearest, statement, $0) }
  }

  // MARK: - By source

  private static func resolve(
    _ pattern: PointPattern,
    isNearest: Bool,
    _ component: ProbePoint.Component,
    _ place: ProbePlace
  ) -> ProbeResolution {
    guard let line = pattern.line else { return entries(pattern, component, place) }
    let program = place.program
    guard program.hasDebugInfo else {
      return .failed(FunctionProbes.noSuchFunction(component, pattern, place))
    }
    let statements = StatementPattern(
      function: pattern.name,
      file: pattern.file,
      line: line,
      isNearest: isNearest
    )
    let found = program.statements(matching: statements)
    guard !found.statements.isEmpty else {
      let functions = program.functions(matching: FunctionPattern(name: pattern.name, includeInlines: true))
      if functions.isEmpty { return .failed(FunctionProbes.noSuchFunction(component, pattern, place)) }
      return .failed(.noSuchLine(component, pattern.place, in: program.path, near: found.nearestLines))
    }
    var landing = StatementLanding(place)
    for statement in found.statements {
      let source = "\(statement.file):\(statement.line)"
      landing.add(
        statement.function,
        at: statement.address,
        "\"\(statement.function.name)@\(source)\"",
        source
      )
    }
    return landing.resolution(for: component)
  }

  /// `.statement("f")`: the first instruction, whether parameters can be read there or not.
  private static func entries(
    _ pattern: PointPattern,
    _ component: ProbePoint.Component,
    _ place: ProbePlace
  ) -> ProbeResolution {
    let wanted = FunctionPattern(name: pattern.name, file: pattern.file, includeInlines: true)
    let found = place.program.functions(matching: wanted)
    guard !found.isEmpty else { return .failed(FunctionProbes.noSuchFunction(component, pattern, place)) }
    var landing = StatementLanding(place)
    for function in found {
      landing.add(function, at: function.entry, "\"\(function.sourceText)\"", function.declaration)
    }
    return landing.resolution(for: component)
  }

  // MARK: - By address

  private static func resolve(
    _ number: Int64,
    isAbsolute: Bool,
    _ process: ProbePoint.Component,
    _ component: ProbePoint.Component,
    _ place: ProbePlace
  ) -> ProbeResolution {
    let raw = UInt64(bitPattern: number)
    // Of a process, an absolute address is one of its memory; of a file, one that no line table has to know.
    guard isAbsolute, case .process(let pid) = place.processes else {
      return land(LinkAddress(raw), isAbsolute: isAbsolute, component, place)
    }
    switch linkAddress(LoadAddress(raw), of: pid, place) {
    case .failure(let problem): return .failed(.program(problem, at: component.range))
    case .success(let (address, program)):
      let there = ProbePlace(
        program: program,
        name: nil,
        processes: place.processes,
        environment: place.environment
      )
      return land(address, isAbsolute: true, component, there)
    }
  }

  private static func land(
    _ address: LinkAddress,
    isAbsolute: Bool,
    _ component: ProbePoint.Component,
    _ place: ProbePlace
  ) -> ProbeResolution {
    let program = place.program
    guard let function = program.function(containing: address), program.fileOffset(of: address) != nil else {
      return .failed(.noCode(component, address, in: program.path))
    }
    guard isInstructionStart(address, of: function, program) else {
      return .failed(.insideInstruction(component, address, function.name))
    }
    var landing = StatementLanding(place)
    let number = "0x" + String(address.raw, radix: 16)
    if let (statement, isStart) = program.statement(at: address) {
      let source = "\(statement.file):\(statement.line)"
      guard isStart || isAbsolute else {
        return .failed(.insideStatement(component, address, source))
      }
      landing.add(statement.function, at: address, number, source)
    } else {
      landing.add(function, at: address, number, "")
    }
    return landing.resolution(for: component)
  }

  /// Whether decoding from the function's entry on meets the address: a breakpoint within an instruction would
  /// break the program.
  private static func isInstructionStart(
    _ address: LinkAddress,
    of function: ProgramFunction,
    _ program: any Program
  ) -> Bool {
    // 32-bit code is not decoded: only what the line table names is known to be an instruction.
    if program.abi == .i386 {
      return address == function.entry || program.statement(at: address)?.isStart == true
    }
    guard address >= function.entry, address.raw - function.entry.raw < 1 << 20 else { return false }
    let distance = Int(address.raw - function.entry.raw)
    let code = program.code(at: function.entry, upTo: distance + 16)
    var offset = 0
    while offset < distance {
      guard let instruction = X86Instruction(code, at: offset) else { return false }
      offset += instruction.byteCount
    }
    return offset == distance
  }

  /// Where in which file the code at an address of a process's memory is from.
  private static func linkAddress(
    _ address: LoadAddress,
    of pid: Int32,
    _ place: ProbePlace
  ) -> Result<(LinkAddress, any Program), ProgramProblem> {
    let text = "0x" + String(address.raw, radix: 16)
    let maps: ProcessMaps
    do throws(SystemError) { maps = try RunningProcess(pid: pid).maps() } catch {
      return .failure(ProgramProblem("the memory map of process \(pid) cannot be read: \(error)"))
    }
    guard let region = maps.region(containing: address.raw), region.isFile else {
      return .failure(ProgramProblem("nothing from a file is at \(text) in process \(pid)"))
    }
    let offset = FileOffset(region.fileOffset &+ (address.raw - region.start))
    return place.environment.programs.program(at: region.path).flatMap { program in
      guard let link = program.linkAddress(of: offset) else {
        return .failure(ProgramProblem("no code of \(region.path) is at \(text) in process \(pid)"))
      }
      return .success((link, program))
    }
  }
}

/// Puts probes to exactly the places that were asked for.
struct StatementLanding {
  private struct Key: Hashable {
    let address: LinkAddress
    let text: String
  }

  private let point: SitePoint
  private var seen: Set<Key> = []
  private var result = ProbeResolution()

  init(_ place: ProbePlace) { point = SitePoint(place: place) }

  /// Adds one place; `pattern` is the argument as `-l` prints it, `source` its file and line or empty.
  mutating func add(_ function: ProgramFunction, at address: LinkAddress, _ pattern: String, _ source: String)
  {
    guard seen.insert(Key(address: address, text: pattern)).inserted else { return }
    let program = point.place.program
    let text = "process(\"\(program.path)\").statement(\(pattern))"
    let isStart = address == function.entry && !function.isInlineInstance
    let standing = ProbeAddress.standing(at: address, isFunctionStart: isStart, program)
    guard standing.refusal == nil else {
      result.refused.append(RefusedSite(name: pattern, point: text, standing: standing))
      return
    }
    guard var found = point.candidate(function, at: address, standing, text: text, source: source) else {
      return
    }
    found.symbol = { nil }
    result.candidates.append(found)
  }

  /// What was landed, and what is to be said of the rest.
  func resolution(for component: ProbePoint.Component) -> ProbeResolution {
    result.finished(component, in: point.place.program)
  }
}
