import Glibc

/// A shell command as a child of this process, with the signals' default meaning.
package final class ChildProcess {
  /// How a child ended.
  package enum Exit: Hashable, Sendable {
    case status(Int32)
    case signal(Int32)
  }

  package let pid: Int32
  /// Writing to it, or closing it, ends the wait; nil: the command runs.
  private var gate: CInt?
  private var exit: Exit?

  /// Starts `command`; with `isSuspended` it waits for ``resume()`` and never runs if this process ends before.
  /// - Throws: ``SystemError`` for `pipe(2)` or `posix_spawn(3)`.
  package init(_ command: String, isSuspended: Bool = false) throws(SystemError) {
    guard isSuspended else {
      pid = try spawn(["/bin/sh", "-c", command], gate: nil)
      return
    }
    var ends: [CInt] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw SystemError("pipe", on: command, code: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    // The shell becomes the command, so that its process ID is the command's.
    let script = "read -r go <&3 || exit 125; exec 3<&-; \(ShellCommand(command).replacement)"
    do {
      pid = try spawn(["/bin/sh", "-c", script, command], gate: ends[0])
    } catch {
      close(ends[1])
      throw error
    }
    gate = ends[1]
  }

  deinit {
    if let gate { close(gate) }
    _ = poll()
  }

  /// Lets a suspended command run.
  package func resume() {
    guard let gate else { return }
    unsafe _ = write(gate, "\n", 1)
    close(gate)
    self.gate = nil
  }

  /// How it ended; nil while it runs.
  package func poll() -> Exit? { reap(WNOHANG) }

  /// Waits for its end.
  package func wait() -> Exit { reap(0) ?? .status(0) }

  private func reap(_ options: CInt) -> Exit? {
    if let exit { return exit }
    var status: CInt = 0
    var result: pid_t = 0
    repeat { unsafe result = waitpid(pid, &status, options) } while result < 0 && errno == EINTR
    guard result == pid else { return nil }
    let signal = status & 0x7f
    exit = signal == 0 ? .status(status >> 8 & 0xff) : .signal(signal)
    return exit
  }
}

/// Starts a program with no signal blocked; `gate` becomes its descriptor 3.
private func spawn(_ arguments: [String], gate: CInt?) throws(SystemError) -> pid_t {
  var attributes = posix_spawnattr_t()
  var actions = unsafe posix_spawn_file_actions_t()
  var none = sigset_t()
  unsafe posix_spawnattr_init(&attributes)
  unsafe posix_spawn_file_actions_init(&actions)
  unsafe sigemptyset(&none)
  unsafe posix_spawnattr_setsigmask(&attributes, &none)
  unsafe sigaddset(&none, SIGPIPE)
  unsafe posix_spawnattr_setsigdefault(&attributes, &none)
  unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
  if let gate { unsafe posix_spawn_file_actions_adddup2(&actions, gate, 3) }
  defer {
    unsafe posix_spawn_file_actions_destroy(&actions)
    unsafe posix_spawnattr_destroy(&attributes)
  }
  var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) } + [nil]
  defer { unsafe words.forEach { unsafe free($0) } }
  var pid: pid_t = 0
  let code = unsafe posix_spawn(&pid, arguments[0], &actions, &attributes, &words, environ)
  guard code == 0 else { throw SystemError("posix_spawn", on: arguments[0], code: code) }
  return pid
}
