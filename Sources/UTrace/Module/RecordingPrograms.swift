import Elaboration
import Platform
import Synchronization

/// The binaries of this machine, and a note of each that was asked for: what a module depends on.
final class RecordingPrograms: ProgramCatalog {
  let system: SystemPrograms
  private let noted = Mutex(ModuleDependencies())

  init(_ system: SystemPrograms) { self.system = system }

  /// What was asked so far.
  var dependencies: ModuleDependencies { noted.withLock { $0 } }

  func files(named name: String) -> Result<[String], ProgramProblem> {
    let found = system.files(named: name)
    note(LookupFact(.files(name), answer: try? found.get()))
    return found
  }

  func executable(of pid: Int32) -> Result<String, ProgramProblem> {
    let found = system.executable(of: pid)
    note(LookupFact(.executable(pid), answer: (try? found.get()).map { [$0] }))
    return found
  }

  func libraries(
    matching pattern: String,
    of path: String,
    in process: Int32?
  ) -> Result<[String], ProgramProblem> {
    note(FileFact(path))
    note(FileFact("/etc/ld.so.cache"))
    let found = system.libraries(matching: pattern, of: path, in: process)
    if process != nil, found != system.libraries(matching: pattern, of: path, in: nil) {
      noted.withLock { $0.isTransient = true }
    }
    return found
  }

  func placement(of program: any Program, in process: Int32) -> ModulePlacement? {
    // Another process has it elsewhere.
    noted.withLock { $0.isTransient = true }
    return system.placement(of: program, in: process)
  }

  func program(at path: String) -> Result<any Program, ProgramProblem> {
    let found = system.program(at: path)
    let fact = ProgramFact(path, buildID: (try? found.get())?.buildID)
    noted.withLock { if !$0.programs.contains(fact) { $0.programs.append(fact) } }
    return found
  }

  private func note(_ fact: LookupFact) {
    noted.withLock { if !$0.lookups.contains(fact) { $0.lookups.append(fact) } }
  }

  private func note(_ fact: FileFact) {
    noted.withLock { if !$0.files.contains(fact) { $0.files.append(fact) } }
  }
}
