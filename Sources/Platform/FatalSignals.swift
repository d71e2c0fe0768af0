import CEventLoop
import Glibc

/// Signals that would end the process.
package enum FatalSignals {
  /// Does `work` in this thread, and lets signals wait until it is done.
  ///
  /// A process that dies while the kernel sets breakpoints or takes them away leaves some behind: it does not look at
  /// the memory of others for who is about to die (mm/gup.c, `fatal_signal_pending`). Other threads of this program
  /// block signals all the time. SIGKILL cannot wait, and what this thread itself causes must not.
  package static func waiting<Product: ~Copyable, Failure>(
    during work: () throws(Failure) -> Product
  ) throws(Failure) -> Product {
    var all = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&all)
    for own in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT] { unsafe sigdelset(&all, own) }
    unsafe pthread_sigmask(SIG_BLOCK, &all, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    return try work()
  }
}
