/// What changed in the address spaces of processes, as the kernel reports it.
package struct ProcessEvent: Hashable, Sendable {
  /// What a process did.
  package enum Change: Hashable, Sendable {
    /// Mapped a file executable.
    case mapped(MappedRegion)
    /// Began as a copy of the process `parent`.
    case forked(parent: Int32)
    /// Began a new program: nothing is mapped any more.
    case executed
    case exited
  }

  /// CLOCK_MONOTONIC, nanoseconds.
  package var time: UInt64
  /// The thread group.
  package var pid: Int32
  package var change: Change

  package init(time: UInt64, pid: Int32, change: Change) {
    self.time = time
    self.pid = pid
    self.change = change
  }
}
