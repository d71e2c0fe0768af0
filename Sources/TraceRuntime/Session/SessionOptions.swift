package import KernelBridge
package import Platform

/// How a session is to run.
package struct SessionOptions {
  /// `target()`; the session ends when that process does.
  package var target: Int32?
  /// `-c`: a suspended command, resumed when everything is armed; the session ends with it.
  package var command: ChildProcess?
  /// Where the script's output goes.
  package var sink: OutputSink
  package var environment: Environment
  /// How often records are fetched while some come.
  package var drainMilliseconds = 10
  /// The longest sleep while none come.
  package var idleMilliseconds = 1000
  /// What `begin`, `end` and timer probes read of the kernel; nil: nothing.
  package var kernelMemory: KernelMemory?
  /// `-w`.
  package var hidesWarnings = false
  /// Where the files of `procfs` probes are.
  package var filesDirectory: String

  /// Called when `begin` probes are done and every other probe is live.
  package var whenRunning: () -> Void = {}

  package init(sink: OutputSink, environment: Environment) {
    self.sink = sink
    self.environment = environment
    filesDirectory = Self.filesDirectory(environment)
  }
}

extension SessionOptions {
  /// `UTRACE_FILES`, else a directory of this process's own where such things are.
  fileprivate static func filesDirectory(_ environment: Environment) -> String {
    if let path = environment["UTRACE_FILES"], path.hasPrefix("/") { return path }
    let pid = RunningProcess.current().pid
    let user = RunningProcess.effectiveUserID
    if user == 0 { return "/run/utrace/\(pid)" }
    if let base = environment["XDG_RUNTIME_DIR"], base.hasPrefix("/") { return "\(base)/utrace/\(pid)" }
    return "/tmp/utrace-\(user)-\(pid)"
  }
}
