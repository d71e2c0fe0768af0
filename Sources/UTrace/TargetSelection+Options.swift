import ArgumentParser
import Elaboration
import Platform

extension TargetSelection {
  /// Finds the target.
  /// - Throws: `ExitCode` after reporting a process or command that is not there.
  init(
    _ options: TargetOptions,
    programs: SystemPrograms,
    environment: Environment,
    reporter: inout Reporter
  ) throws {
    let path: String?
    if let pid = options.pid {
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
      self.init(pid: pid, command: options.command, path: path)
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
    self.init(pid: nil, command: options.command, path: path)
  }

  private static func advice(_ word: String) -> [String] {
    if (try? FileStatus(of: word))?.kind == .directory { return ["it is a directory"] }
    if word.contains("/") { return [] }
    return FileStatus.isReadableFile(word) ? ["a program in this directory is './\(word)'"] : []
  }
}
