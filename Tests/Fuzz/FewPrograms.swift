import DwarfIndex
import Elaboration
import Platform
import TargetModel

/// The binaries of a few paths and nothing else, so that no pattern of a fuzzer walks over this machine.
struct FewPrograms: ProgramCatalog {
  /// By the name that a script calls them.
  let paths: [String: String]
  let system: SystemPrograms

  /// Reads debug information only from the files themselves, and keeps nothing.
  init(_ paths: [String: String]) {
    self.paths = paths
    var options = DebugInfoOptions(debugDirectories: [], cacheDirectory: nil, threads: 1)
    options.asksServers = false
    system = SystemPrograms(environment: Environment([:]), options: options)
  }

  func files(named name: String) -> Result<[String], ProgramProblem> {
    let glob = GlobPattern(name)
    let found = paths.filter { glob.matches($0.key) || $0.value == name }.map(\.value).sorted()
    return found.isEmpty ? .failure(ProgramProblem("no file '\(name)'")) : .success(found)
  }

  func executable(of pid: Int32) -> Result<String, ProgramProblem> {
    guard pid == 1, let first = paths.values.min() else {
      return .failure(ProgramProblem("no process \(pid)"))
    }
    return .success(first)
  }

  func libraries(
    matching pattern: String,
    of path: String,
    in process: Int32?
  ) -> Result<[String], ProgramProblem> {
    let glob = GlobPattern("*" + pattern)
    return .success(paths.values.filter { glob.matches($0) }.sorted())
  }

  func placement(of program: any Program, in process: Int32) -> ModulePlacement? {
    system.placement(of: program, in: process)
  }

  func program(at path: String) -> Result<any Program, ProgramProblem> {
    guard paths.values.contains(path) else { return .failure(ProgramProblem("no file '\(path)'")) }
    return system.program(at: path)
  }
}
