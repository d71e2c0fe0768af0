import Diagnostics
import Platform

/// Why a file or process that was named is not there, in words that help.
extension ProgramProblem {
  /// `name` leads to no readable file.
  static func noFile(_ name: String, environment: Environment) -> ProgramProblem {
    guard !name.isEmpty else { return ProgramProblem("a program needs a name") }
    guard name.contains("/") else { return notInPath(name, environment: environment) }
    let status: FileStatus
    do throws(SystemError) { status = try FileStatus(of: name) } catch {
      if error.isPermission { return unreadable(name) }
      let near = nearest(name)
      return ProgramProblem("no file '\(name)'" + Diagnostic.didYouMean(near))
    }
    switch status.kind {
    case .regular: return unreadable(name)
    case .directory: return ProgramProblem("'\(name)' is a directory, not a program")
    case .symbolicLink, .other: return ProgramProblem("'\(name)' is no regular file")
    }
  }

  /// `pattern` matches nothing that can be read.
  static func noMatch(_ pattern: String) -> ProgramProblem {
    ProgramProblem("no readable file matches '\(pattern)'")
  }

  /// None of the libraries of `programs` has that name.
  static func noLibrary(_ pattern: String, of programs: [String], known: [String]) -> ProgramProblem {
    let names = known.map { Paths.name(of: $0) }
    var near = nearestNames(to: pattern, among: names)
    if near.isEmpty {
      let stems = nearestNames(to: pattern, among: names.map { String($0.prefix { $0 != "." }) })
      near = names.filter { name in stems.contains(String(name.prefix { $0 != "." })) }
    }
    let owners = programs.joined(separator: ", ")
    let message = "no library '\(pattern)' of \(owners)" + Diagnostic.didYouMean(near)
    var notes = names.isEmpty ? [] : ["it needs \(names.joined(separator: ", "))"]
    notes.append("a library that the program loads while it runs is named by its path")
    return ProgramProblem(message, notes: notes)
  }

  /// The program of `process` cannot be told.
  static func noExecutable(of process: RunningProcess, _ error: SystemError) -> ProgramProblem {
    guard process.exists else { return ProgramProblem("no process \(process.pid)") }
    let name = (try? process.commandName()).map { " (\($0))" } ?? ""
    if error.isNotFound {
      if (try? process.isZombie()) ?? true {
        return ProgramProblem("process \(process.pid)\(name) has ended")
      }
      return ProgramProblem("process \(process.pid)\(name) is a kernel thread, which has no program")
    }
    let message = "the program of process \(process.pid)\(name) cannot be read: \(error)"
    guard error.isPermission else { return ProgramProblem(message) }
    return ProgramProblem(
      message,
      notes: ["a process of another user needs root, or CAP_SYS_PTRACE"],
      isRefused: true
    )
  }

  private static func unreadable(_ name: String) -> ProgramProblem {
    ProgramProblem(
      "'\(name)' cannot be read: permission denied",
      notes: ["utrace reads the symbols from it: needs root, or CAP_DAC_READ_SEARCH"],
      isRefused: true
    )
  }

  private static func notInPath(_ name: String, environment: Environment) -> ProgramProblem {
    var directories: [String] = []
    for directory in environment.list("PATH") where !directories.contains(directory) {
      directories.append(directory)
    }
    let programs = directories.lazy.flatMap { names(in: $0) }
    let near = name.utf8.count > 2 ? nearestNames(to: name, among: programs) : []
    return ProgramProblem(
      "no program '\(name)' in PATH" + Diagnostic.didYouMean(near),
      notes: ["PATH is \(directories.joined(separator: ":"))", "elsewhere it is named by its path"]
    )
  }

  /// Files beside the one that was meant.
  private static func nearest(_ path: String) -> [String] {
    let folder = Paths.parent(of: path) ?? "."
    return nearestNames(to: Paths.name(of: path), among: names(in: folder)).map {
      path.contains("/") ? Paths.join(folder, $0) : $0
    }
  }

  private static func names(in directory: String) -> [String] {
    ((try? DirectoryListing(directory))?.entries ?? []).filter { $0.kind != .directory }.map(\.name)
  }
}
