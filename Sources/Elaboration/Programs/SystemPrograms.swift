package import DwarfIndex
import ELF
package import Platform
import Synchronization
import TargetModel

/// The binaries of this machine; each is opened once.
package final class SystemPrograms: ProgramCatalog {
  private let environment: Environment
  private let options: DebugInfoOptions
  private let headers = Mutex<[String: Result<String, ProgramProblem>]>([:])
  private let opened = Mutex<[String: Result<any Program, ProgramProblem>]>([:])

  /// `environment` is where `PATH` and `LD_LIBRARY_PATH` come from.
  package init(environment: Environment, options: DebugInfoOptions = .init()) {
    self.environment = environment
    self.options = options
  }

  /// Gives back what opened programs take, which are opened anew when somebody asks for them.
  package func close() {
    // They go when the lock is free again.
    _ = opened.withLock { opened in
      defer { opened = [:] }
      return opened
    }
  }

  package func files(named name: String) -> Result<[String], ProgramProblem> {
    if let header = HeaderTypes(name, environment) { return file(of: header, name).map { [$0] } }
    let found = files(written: name)
    if case .failure = found, let search = BuildIDSearch(name) { return search.files() }
    guard let elsewhere = multiarchPath(name), case .success(let paths) = files(written: elsewhere) else {
      return found
    }
    guard case .success(let known) = found else { return .success(paths) }
    // `/lib*/libc.so.6` is also that of `/lib32`, where 32-bit libraries are installed.
    return GlobPattern.isGlob(name) ? .success(known + paths.filter { !known.contains($0) }) : found
  }

  /// A header is compiled once, however often a script asks for its types.
  private func file(of header: HeaderTypes, _ name: String) -> Result<String, ProgramProblem> {
    headers.withLock { known in
      if let file = known[name] { return file }
      let file = header.file()
      known[name] = file
      return file
    }
  }

  private func files(written name: String) -> Result<[String], ProgramProblem> {
    if GlobPattern.isGlob(name) || name.contains("{") { return expand(name) }
    guard var path = Paths.findProgram(name, environment: environment) else {
      return .failure(.noFile(name, environment: environment))
    }
    for _ in 0..<Self.mostInterpreters {
      guard let interpreter = interpreter(of: path) else { break }
      guard let found = Paths.findProgram(interpreter, environment: environment) else {
        let message = "'\(path)' is a script, and what runs it is not there: '\(interpreter)'"
        return .failure(ProgramProblem(message))
      }
      path = found
    }
    return .success([path])
  }

  /// A script may be run by a script; execve(2) gives up at five.
  private static let mostInterpreters = 5

  package func executable(of pid: Int32) -> Result<String, ProgramProblem> {
    let process = RunningProcess(pid: pid)
    guard process.exists else { return .failure(ProgramProblem("no process \(pid)")) }
    do throws(SystemError) {
      let path = try process.executablePath()
      // In its own mount namespace the same path can be another file, or none.
      let seen = process.rootDirectory + path
      if isSameFile(path, process.executableLink) { return .success(path) }
      return .success(isSameFile(seen, process.executableLink) ? seen : process.executableLink)
    } catch {
      return .failure(.noExecutable(of: process, error))
    }
  }

  package func libraries(
    matching pattern: String,
    of path: String,
    in process: Int32?
  ) -> Result<[String], ProgramProblem> {
    let needed: [String]
    do throws(ELFError) {
      let file = try ELFFile(path: path)
      let found = SharedLibraryResolver(environment: environment).libraries(of: file, matching: pattern)
      needed = found.compactMap { $0.path.flatMap { try? Paths.canonical($0) } }
    } catch {
      return .failure(ProgramProblem("\(error)"))
    }
    guard let process, let files = try? RunningProcess(pid: process).loadedFiles() else {
      return .success(needed)
    }
    let glob = GlobPattern("*" + pattern)
    let loaded = files.filter { $0.path != path && glob.matches($0.path) }
    if needed.isEmpty { return .success(loaded.map(\.openablePath)) }
    return .success(
      needed.map { path in loaded.first { $0.path == path && $0.isReplaced }?.openablePath ?? path }
    )
  }

  package func placement(of program: any Program, in process: Int32) -> ModulePlacement? {
    let process = RunningProcess(pid: process)
    guard let regions = try? process.maps().regions, let codeStart = try? process.codeStart() else {
      return nil
    }
    for region in regions where region.isFile && region.permissions.contains(.execute) {
      guard region.path == program.path || isSameFile(process.rootDirectory + region.path, program.path),
        let link = program.linkAddress(of: FileOffset(region.fileOffset))
      else { continue }
      return ModulePlacement(start: LoadAddress(region.start &- link.raw), codeStart: LoadAddress(codeStart))
    }
    return nil
  }

  package func program(at path: String) -> Result<any Program, ProgramProblem> {
    if let known = opened.withLock({ $0[path] }) { return known }
    let result: Result<any Program, ProgramProblem>
    do throws(ELFError) {
      let file = try ELFFile(path: path)
      result = open(path, file)
    } catch {
      result = .failure(ProgramProblem("\(error)"))
    }
    opened.withLock { $0[path] = result }
    return result
  }

  private func open(_ path: String, _ file: ELFFile) -> Result<any Program, ProgramProblem> {
    // Its registers are those of 64-bit code, its addresses and structures are not.
    guard file.header.is64Bit || file.header.machine != ELFConstant.machineX86_64 else {
      return .failure(ProgramProblem("'\(path)' is an x32 program: only x86-64 and i386 are known"))
    }
    do throws(DwarfIndexError) {
      return .success(ImageProgram(try ProgramImage(path: path, options: options), file))
    } catch {
      return .failure(ProgramProblem("\(error)"))
    }
  }

  private func expand(_ pattern: String) -> Result<[String], ProgramProblem> {
    var seen: Set<String> = []
    let paths = Paths.expand(pattern: pattern).compactMap { try? Paths.canonical($0) }.filter {
      FileStatus.isReadableFile($0) && seen.insert($0).inserted
    }
    return paths.isEmpty ? .failure(.noMatch(pattern)) : .success(paths)
  }

  /// Where Debian keeps what other distributions have in `/lib64`: `/lib*/libc.so.6` names a file there too.
  ///
  /// Nil for a path that is none of a library directory's own files.
  private func multiarchPath(_ name: String) -> String? {
    var parts = name.split(separator: "/", omittingEmptySubsequences: false)
    let directory = parts.count - 2
    guard name.hasPrefix("/"), directory == 1 || directory == 2 && parts[1] == "usr",
      ["lib", "lib64", "lib*"].contains(parts[directory])
    else { return nil }
    parts[directory] = "lib/x86_64-linux-gnu"
    return parts.joined(separator: "/")
  }

  /// What runs a script, which is probed instead, as in SystemTap.
  ///
  /// `env` is looked through; nil for other files.
  private func interpreter(of path: String) -> String? {
    let start = firstBytes(of: path)
    guard start.starts(with: "#!".utf8) else { return nil }
    let line = String(decoding: start.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    var words = line.split(separator: " ").map(String.init)
    if words.first?.hasSuffix("/env") == true { words.removeFirst() }
    return words.first
  }

  private func firstBytes(of path: String) -> [UInt8] {
    do throws(SystemError) {
      return try OwnedFD(reading: path).read(upTo: 256, subject: path)
    } catch {
      return []
    }
  }

  private func isSameFile(_ first: String, _ second: String) -> Bool {
    guard let first = try? FileStatus(of: first), let second = try? FileStatus(of: second) else {
      return false
    }
    return first.device == second.device && first.inode == second.inode
  }
}
