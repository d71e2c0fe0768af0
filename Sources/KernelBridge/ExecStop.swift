import CKernelABI
import Glibc

/// Holds a command of ours where its program has been loaded and nothing of it has run.
package enum ExecStop {
  /// Calls `resume`, which lets the command execute its program, then `body` while it stands there.
  ///
  /// Returns without calling `body` when the command ends before.
  /// - Throws: ``KernelError`` for `ptrace(2)` (another debugger, no right to), and what `body` throws.
  package static func hold(
    _ pid: Int32,
    resume: () -> Void,
    body: () throws(KernelError) -> Void
  ) throws(KernelError) {
    guard ck_seize_for_exec(pid) == 0 else { throw .last("ptrace(PTRACE_SEIZE)", on: "process \(pid)") }
    resume()
    guard waitForExec(pid) else { return }
    defer { _ = ck_detach(pid) }
    try body()
  }

  /// Forwards signals on the way; a process that has ended is left for its parent to find.
  private static func waitForExec(_ pid: Int32) -> Bool {
    let execEvent = CInt(PTRACE_EVENT_EXEC.rawValue)
    while true {
      var info = unsafe siginfo_t()
      let options = CInt(WEXITED | WSTOPPED | WNOWAIT)
      let result = unsafe waitid(P_PID, id_t(pid), &info, options)
      if result != 0 && errno == EINTR { continue }
      let code = unsafe info.si_code
      guard result == 0, code == CInt(CLD_TRAPPED) || code == CInt(CLD_STOPPED) else { return false }
      var status: CInt = 0
      guard unsafe waitpid(pid, &status, 0) == pid else { return false }
      if status >> 8 == SIGTRAP | execEvent << 8 { return true }
      // Group stops (an event above the signal) are no signals to hand on.
      _ = ck_continue(pid, status >> 16 == 0 ? status >> 8 & 0xff : 0)
    }
  }
}
