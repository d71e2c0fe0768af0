import CKernelABI
import Platform

/// Takes the wait for a session's first uprobe while other work is going on.
///
/// Every registration of a uprobe takes `dup_mmap_sem` for writing (Linux, kernel/events/uprobes.c,
/// `register_for_each_vma`). It is a per-CPU semaphore: the first writer after a pause waits for an RCU grace
/// period, 5 to 14 ms here, and those in the next one or two grace periods for nothing (0.02 ms). So a thread registers a
/// uprobe in an empty memory file, which nobody maps, and takes it back at once.
package enum UprobeWarmUp {
  /// Starts the thread and returns; failures are for the real registration to report.
  ///
  /// Worth calling as the first thing that a process does: nothing else of a start takes as long.
  package static func start() {
    _ = WorkerThread { ck_register_a_uprobe() }
  }
}
