import Glibc

/// Runs the calling thread before all ordinary ones (SCHED_FIFO) for a short while.
///
/// Without the right to do so (CAP_SYS_NICE) nothing happens: it is only about time.
package struct Urgency: Sendable {
  /// How the thread is scheduled otherwise.
  private let policy: CInt
  private let priority: CInt

  /// Remembers how the calling thread is scheduled.
  package init() {
    var parameters = sched_param()
    unsafe _ = sched_getparam(0, &parameters)
    policy = sched_getscheduler(0)
    priority = parameters.sched_priority
  }

  /// From here on ordinary threads wait.
  package func begin() { schedule(SCHED_FIFO | resetOnFork, max(1, priority)) }

  /// As before.
  package func end() { schedule(policy, priority) }

  private func schedule(_ policy: CInt, _ priority: CInt) {
    var parameters = sched_param(sched_priority: priority)
    unsafe _ = sched_setscheduler(0, policy, &parameters)
  }
}

/// `SCHED_RESET_ON_FORK`: a child is ordinary.
private let resetOnFork: CInt = 0x4000_0000
