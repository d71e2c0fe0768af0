import ArgumentParser
import Elaboration
import Platform

/// The process that `-p` or `-c` names.
struct TargetSelection: Hashable, Sendable {
  /// Nil for `-c` before the start, and without either option.
  var pid: Int32?
  /// The command of `-c`, to be started when probes are armed.
  var command: String?
  /// Its executable; nil without either option.
  let path: String?

  /// Finds the target.
  /// - Throws: `ExitCode` after reporting a process or command that is not there.
  init(
    _ options: TargetOptions,
    programs: SystemPrograms,
    environment: Environment,
    reporter: inout Reporter
  ) throws {
    pid = options.pid
    command = options.command
    if let pid {
      switch programs.executable(of: pid) {
      case .success(let found): path = found
      case .failure(let problem):
        if problem.isRefused {
          reporter.fail("no-permission", problem.message, notes: problem.notes)
          throw ExitCode(Status.systemError.rawValue)
        }
        reporter.fail("no-such-process", problem.message, notes: problem.notes)
        throw ExitCode(Status.scriptError.rawValue)
      }
      return
    }
    path = try options.command.map { command in
      // What is not one program is run by a shell, which is the target then.
      let word = ShellCommand(command).program ?? "/bin/sh"
      guard let found = Paths.findProgram(word, environment: environment) else {
        if case .failure(let problem) = programs.files(named: word), problem.isRefused {
          reporter.fail("no-permission", problem.message, notes: problem.notes)
          throw ExitCode(Status.systemError.rawValue)
        }
        reporter.fail("no-such-command", "cannot find the command '\(word)'", notes: Self.advice(word))
        throw ExitCode(Status.scriptError.rawValue)
      }
      guard FileStatus.isExecutable(found) else {
        reporter.fail("no-such-command", "the command '\(word)' is not executable (\(found))")
        throw ExitCode(Status.scriptError.rawValue)
      }
      return found
    }
  }

  init(pid: Int32?, command: String?, path: String?) {
    self.pid = pid
    self.command = command
    self.path = path
  }

  private static func advice(_ word: String) -> [String] {
    if (try? FileStatus(of: word))?.kind == .directory { return ["it is a directory"] }
    if word.contains("/") { return [] }
    return FileStatus.isReadableFile(word) ? ["a program in this directory is './\(word)'"] : []
  }

  /// What elaboration needs to know.
  var process: TargetProcess? { path.map { TargetProcess(pid: pid, path: $0) } }
}
