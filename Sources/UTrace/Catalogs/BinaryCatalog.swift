import ELF
import Elaboration
import Platform
import Synchronization

/// Finds the binaries that probe points name, in this mount namespace or the target's, and opens each once.
final class BinaryCatalog: ProgramCatalog {
  private let environment: Environment
  /// `/proc/PID/root` of a target in a mount namespace of its own; else empty.
  private let root: String
  private let opened = Mutex<[String: Result<Binary, ProgramProblem>]>([:])

  init(environment: Environment, root: String) {
    self.environment = environment
    self.root = root
  }

  func files(named name: String) -> Result<[String], ProgramProblem> {
    if GlobPattern.isGlob(name) {
      let found = Paths.expand(pattern: root + name).filter { isProgram($0) }
      return found.isEmpty ? .failure(ProgramProblem("no file matches '\(name)'")) : .success(found)
    }
    if name.contains("/") { return file(at: root + name, named: name) }
    guard let path = Paths.findProgram(name, environment: environment) else { return notFound(name) }
    return file(at: path, named: name)
  }

  func executable(of pid: Int32) -> Result<String, ProgramProblem> {
    guard let path = try? Paths.linkTarget("/proc/\(pid)/exe") else {
      return .failure(ProgramProblem("no process \(pid), or it may not be looked into"))
    }
    // An executable that was replaced since, or lies in another mount namespace, is still there to be opened.
    let isSame = try? FileStatus(of: path).isSameFile(as: FileStatus(of: "/proc/\(pid)/exe"))
    return .success(isSame == true ? path : "/proc/\(pid)/exe")
  }

  func libraries(matching pattern: String, of path: String) -> Result<[String], ProgramProblem> {
    if pattern.hasPrefix("/"), !GlobPattern.isGlob(pattern) {
      return file(at: root + pattern, named: pattern)
    }
    let resolver = SharedLibraryResolver(environment: environment, root: root)
    do {
      let needed = try resolver.libraries(of: path)
      let glob = GlobPattern("*" + pattern)
      let found = needed.map(\.path).filter { glob.matches($0) }
      if !found.isEmpty { return .success(found) }
      if let path = resolver.find(pattern, for: path) { return .success([path]) }
      let names = needed.map { Paths.name(of: $0.path) }.joined(separator: ", ")
      return .failure(ProgramProblem("no library '\(pattern)'", notes: ["'\(path)' needs \(names)"]))
    } catch {
      return .failure(ProgramProblem("cannot find the libraries of '\(path)': \(error)"))
    }
  }

  func program(at path: String) -> Result<any Program, ProgramProblem> {
    if let known = opened.withLock({ $0[path] }) { return known.map { $0 } }
    let result = Binary.open(path)
    opened.withLock { $0[path] = result }
    return result.map { $0 }
  }

  /// The binaries looked at so far, for the dependencies of a cached module.
  var openedBinaries: [Binary] {
    opened.withLock { $0.values.compactMap { try? $0.get() } }.sorted { $0.path < $1.path }
  }

  private func file(at path: String, named name: String) -> Result<[String], ProgramProblem> {
    do { return .success([try Paths.canonical(path)]) } catch {
      return .failure(ProgramProblem("cannot open '\(name)': \(error.text)"))
    }
  }

  private func isProgram(_ path: String) -> Bool {
    guard let status = try? FileStatus(of: path), status.kind == .regular else { return false }
    return (try? OwnedFD(reading: path).read(upTo: 4)) == [0x7f, 0x45, 0x4c, 0x46]
  }

  private func notFound(_ name: String) -> Result<[String], ProgramProblem> {
    let path = environment["PATH"] ?? ""
    let notes = [
      "looked in PATH: \(path)", "give the whole path, or -p PID with a process without a name",
    ]
    return .failure(ProgramProblem("cannot find executable '\(name)'", notes: notes))
  }
}
