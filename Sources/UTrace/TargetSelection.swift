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

  init(pid: Int32?, command: String?, path: String?) {
    self.pid = pid
    self.command = command
    self.path = path
  }

  /// Files of the process whose paths lead elsewhere by now; empty for a command.
  var replacedFiles: [LoadedFile] {
    guard let pid, let files = try? RunningProcess(pid: pid).loadedFiles() else { return [] }
    return files.filter(\.isReplaced)
  }

  /// What elaboration needs to know.
  var process: TargetProcess? { path.map { TargetProcess(pid: pid, path: $0) } }
}
