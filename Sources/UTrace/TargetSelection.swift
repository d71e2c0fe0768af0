import ArgumentParser
import Elaboration
import Platform

/// The process that `-p` or `-c` names.
struct TargetSelection {
  /// Nil for `-c` before the start, and without either option.
  let pid: Int32?
  /// The command of `-c`, to be started when probes are armed.
  let command: String?
  /// Its executable; nil without either option.
  let path: String?
  /// Where its files are, when it lives in a mount namespace of its own: `/proc/PID/root`; else empty.
  let root: String

  /// Finds the target.
  /// - Throws: `ExitCode` after reporting a process or command that is not there.
  init(_ options: TranslationOptions, environment: Environment, reporter: inout Reporter) throws {
    pid = options.pid
    command = options.command
    if let pid {
      let folder = "/proc/\(pid)"
      guard (try? FileStatus(of: folder)) != nil else {
        reporter.fail("no-such-process", "no process \(pid)", notes: ["it may have ended; pgrep NAME finds processes"])
        throw ExitCode(Status.scriptError.rawValue)
      }
      root = Self.hasOwnMounts(folder) ? folder + "/root" : ""
      switch BinaryCatalog(environment: environment, root: root).executable(of: pid) {
      case .success(let found): path = found
      case .failure(let problem):
        reporter.fail("no-executable", problem.message, notes: ["a kernel thread has none; root may look into all others"])
        throw ExitCode(Status.systemError.rawValue)
      }
      return
    }
    root = ""
    path = try options.command.map { command in
      let word = String(command.split(whereSeparator: \.isWhitespace).first ?? "")
      guard let found = Paths.findProgram(word, environment: environment) else {
        reporter.fail("no-such-command", "cannot find the command '\(word)'")
        throw ExitCode(Status.scriptError.rawValue)
      }
      return (try? Paths.canonical(found)) ?? found
    }
  }

  /// What elaboration needs to know.
  var process: TargetProcess? { path.map { TargetProcess(pid: pid, path: $0) } }

  private static func hasOwnMounts(_ folder: String) -> Bool {
    guard let own = try? Paths.linkTarget("/proc/self/ns/mnt"),
      let other = try? Paths.linkTarget(folder + "/ns/mnt")
    else { return false }
    return own != other
  }
}
