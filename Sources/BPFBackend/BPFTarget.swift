package import TargetModel

/// What the kernel that a module is for can do; found out by trying, never by version.
package struct BPFTarget: Sendable {
  /// How programs are attached to instructions of user space.
  package enum UserAttachment: Hashable, Sendable, CaseIterable {
    /// `uprobe_multi` links: a cookie tells the site (Linux 6.6).
    case multi
    /// Sibling events of tracefs with one perf descriptor: the site is told by its address.
    case siblings
  }

  package var userAttachment = UserAttachment.multi
  /// `may_goto` (Linux 6.9): loops at half a nanosecond an iteration.
  package var hasMayGoto = true
  /// Memory of a task's own (Linux 5.11).
  package var hasTaskStorage = true
  /// `bpf_copy_from_user` (Linux 6.0): probes of processes may wait for memory that is not resident.
  ///
  /// Only meant for `uprobe_multi`: elsewhere a program that waits holds up every uprobe of its CPU.
  package var hasCopyFromUser = false
  /// `bpf_copy_from_user_str` (Linux 6.12): the same for strings.
  package var hasCopyFromUserString = false
  /// Uprobe sessions (Linux 6.13).
  package var hasUprobeSession = false
  /// How many CPUs there may ever be, at least, for how much memory to set aside.
  ///
  /// Nothing is wrong when there are more, up to ``maximumCPUCount(hasMayGoto:)``.
  package var possibleCPUCount = 8
  package var registers = RegisterFile.x86_64
  /// How to fetch the thread pointer from the current `task_struct`; nil: variables in TLS are refused.
  package var threadPointer: LocationPlan?

  package init() {}

  /// The shares of how many CPUs the code of a module merges when it reads a statistic.
  package static func maximumCPUCount(hasMayGoto: Bool) -> Int { hasMayGoto ? 8192 : 1024 }
}
