import Diagnostics
import Platform
import StapSyntax
import TargetModel

/// Probes on user-space programs (stapprobes(3stap), "USER-SPACE").
///
/// This file finds the program; what is probed in it is the business of a ``ProcessSubject``.
enum ProcessProbes {
  static let resolve: @Sendable (ProbePoint, ElaborationEnvironment) -> ProbeResolution = {
    point,
    environment in
    switch Request.read(point) {
    case .failure(let problem): return .failed(problem.diagnostic)
    case .success(let request): return resolve(request, environment)
    }
  }

  /// What a point says, component by component.
  struct Request: Sendable {
    var point: ProbePoint
    var process: ProbePoint.Component
    var library: ProbePoint.Component?
    var subject: Subject

    /// What is probed.
    enum Subject: Sendable {
      /// A place in the program, or in each program.
      case place(ProcessSubject.Resolve)
      /// What happens to the process.
      case event(ProcessEvent)
    }
  }

  private static func resolve(_ request: Request, _ environment: ElaborationEnvironment) -> ProbeResolution {
    // The process of `-p` is not part of the program: it is bound when the program runs.
    let processes = scope(of: request, environment)
    switch request.subject {
    case .event(let event): return resolve(event, of: request, processes, environment)
    case .place(let land):
      var result = ProbeResolution()
      switch paths(of: request, environment) {
      case .failure(let problem): return .failed(.program(problem, at: request.process.range))
      case .success(let paths):
        for path in paths { add(path, request, land, processes, environment, to: &result) }
      }
      return result
    }
  }

  /// Events of processes: of one, of the target, of those that run a program, of all.
  private static func resolve(
    _ event: ProcessEvent,
    of request: Request,
    _ processes: ProcessScope,
    _ environment: ElaborationEnvironment
  ) -> ProbeResolution {
    if request.process.number == nil, request.process.string == nil {
      return event.resolve(ProcessFilter(processes), request.point.text, request.point, environment)
    }
    switch paths(of: request, environment) {
    case .failure(let problem): return .failed(.program(problem, at: request.process.range))
    case .success(let paths):
      guard request.process.number == nil else {
        return event.resolve(ProcessFilter(processes), request.point.text, request.point, environment)
      }
      var result = ProbeResolution()
      for path in paths {
        let filter = ProcessFilter(processes, executable: path)
        let found = event.resolve(
          filter,
          "process(\"\(path)\").\(event.rawValue)",
          request.point,
          environment
        )
        result.candidates += found.candidates
        result.problems += found.problems
      }
      return result
    }
  }

  private static func scope(of request: Request, _ environment: ElaborationEnvironment) -> ProcessScope {
    if let number = request.process.number { return .process(Int32(truncatingIfNeeded: number)) }
    return environment.followsChildren ? .family : .target
  }

  private static func add(
    _ path: String,
    _ request: Request,
    _ land: ProcessSubject.Resolve,
    _ processes: ProcessScope,
    _ environment: ElaborationEnvironment,
    to result: inout ProbeResolution
  ) {
    switch environment.programs.program(at: path) {
    case .failure(let problem):
      result.problems.append(.program(problem, at: (request.library ?? request.process).range))
    case .success(let program):
      let name = (request.library ?? request.process).string
      let place = ProbePlace(program: program, name: name, processes: processes, environment: environment)
      let found = land(place)
      result.candidates += found.candidates
      result.problems += found.problems
      result.warnings += found.warnings
      result.refused += found.refused
    }
  }

  /// The files to look into: the program's own, or the libraries of it that are asked for.
  private static func paths(
    of request: Request,
    _ environment: ElaborationEnvironment
  ) -> Result<[String], ProgramProblem> {
    let programs: Result<[String], ProgramProblem>
    if let number = request.process.number {
      guard let pid = Int32(exactly: number), pid > 0 else {
        return .failure(ProgramProblem("\(number) is no process"))
      }
      programs = environment.programs.executable(of: pid).map { [$0] }
    } else if let name = request.process.string {
      programs = environment.programs.files(named: name)
    } else if let target = environment.target {
      programs = .success([target.path])
    } else {
      return .failure(
        ProgramProblem(
          "'process' without a name needs a target",
          notes: ["give it with '-p PID' or '-c COMMAND'"]
        )
      )
    }
    guard let library = request.library?.string else { return programs }
    let process =
      request.process.string == nil
      ? request.process.number.map { Int32(truncatingIfNeeded: $0) } ?? environment.target?.pid : nil
    return programs.flatMap { libraries(library, of: $0, in: process, environment) }
  }

  private static func libraries(
    _ pattern: String,
    of programs: [String],
    in process: Int32?,
    _ environment: ElaborationEnvironment
  ) -> Result<[String], ProgramProblem> {
    var found: [String] = []
    for program in programs {
      switch environment.programs.libraries(matching: pattern, of: program, in: process) {
      case .failure(let problem): return .failure(problem)
      case .success(let paths): found += paths.filter { !found.contains($0) }
      }
    }
    guard found.isEmpty else { return .success(found) }
    // What the program loads while it runs is not among what it needs; its path says all.
    if pattern.contains("/") { return environment.programs.files(named: pattern) }
    let known = programs.flatMap { program in
      (try? environment.programs.libraries(matching: "*", of: program, in: process).get()) ?? []
    }
    return .failure(.noLibrary(pattern, of: programs, known: known))
  }
}

/// One program that a point names.
///
/// A class: thousands of functions are handed around with it, by several threads.
final class ProbePlace: Sendable {
  let program: any Program
  /// The name in the script.
  let name: String?
  let processes: ProcessScope
  let environment: ElaborationEnvironment

  init(
    program: any Program,
    name: String?,
    processes: ProcessScope,
    environment: ElaborationEnvironment
  ) {
    self.program = program
    self.name = name
    self.processes = processes
    self.environment = environment
  }

  /// Where the name led, when that is not what a reader of the script would expect: scripts are probed through
  /// their interpreters.
  var detour: [String] {
    let last = name.flatMap { $0.split(separator: "/").last.map(String.init) } ?? ""
    if last.isEmpty || GlobPattern.isGlob(last) || program.path.hasSuffix(last) { return [] }
    return ["'\(last)' leads to \(program.path)"]
  }
}

/// A point that cannot be read.
struct PointProblem: Error {
  let diagnostic: Diagnostic

  init(_ diagnostic: Diagnostic) { self.diagnostic = diagnostic }
}

extension ProcessProbes.Request {
  /// Reads the components of a point.
  static func read(_ point: ProbePoint) -> Result<Self, PointProblem> {
    var rest = point.components.dropFirst()
    var library: ProbePoint.Component?
    if let component = rest.first, component.name.text == "library" {
      guard component.string != nil else { return .failure(PointProblem(.needsString(component))) }
      library = component
      rest = rest.dropFirst()
    }
    let process = point.components[0]
    if library == nil, let event = ProcessEvent(rest) {
      return .success(Self(point: point, process: process, library: nil, subject: .event(event)))
    }
    return readSubject(rest, point).map {
      Self(point: point, process: process, library: library, subject: .place($0))
    }
  }

  private static func readSubject(
    _ components: ArraySlice<ProbePoint.Component>,
    _ point: ProbePoint
  ) -> Result<ProcessSubject.Resolve, PointProblem> {
    guard let first = components.first else {
      return .failure(PointProblem(.processNeedsMore(at: point.range)))
    }
    if let subject = ProcessSubject.all.first(where: { $0.head == first.name.text }) {
      return subject.read(components, point.components[0])
    }
    let isKnown = ProcessSubject.refused.contains(first.name.text)
    return .failure(PointProblem(isKnown ? .everyInstruction(first) : .noSuchComponent(first)))
  }
}
