/// What can be asked at every hit, apart from the traced program's own variables.
///
/// Sources: bpf-helpers(7) for the kernel side, the C library for the user side.
package enum ContextField: Hashable, Sendable {
  /// The thread group's ID, as SystemTap's `pid()`.
  case pid
  case tid
  case ppid, pgrp, sid
  case uid, euid, gid, egid
  /// `comm` of the current thread, at most 15 bytes.
  case execname
  case pexecname
  case cpu
  /// Time of day in nanoseconds since 1970.
  case realtimeNanoseconds
  /// CLOCK_MONOTONIC, nanoseconds; `local_clock_*`, `cpu_clock_*`, `ktime_get_ns`.
  case monotonicNanoseconds
  /// A cycle counter; nanoseconds where the kernel gives no cycles to programs.
  case cycles
  case jiffies
  /// `target()`: the process of `-p`/`-c`, 0 without one.
  case target
  /// The instruction pointer, `uaddr()`/`addr()`.
  case instructionPointer
  /// The n-th integer argument by the ABI, from 1; only at a function's first instruction.
  case argument(Int)
  /// What the function returns by the ABI; only in return probes.
  case returnValue
  /// Nonzero when the hit interrupted user code.
  case isUserMode
  /// Where the arguments and the environment of the process that was hit lie: strings one behind the other; 0 in
  /// probes of the user side.
  case argumentsStart, argumentsEnd, environmentStart, environmentEnd
  case currentTask
  /// Strings that differ by site.
  case site(SiteText)
}

/// The strings of ``SiteDescription``.
package enum SiteText: String, Hashable, Sendable, CaseIterable {
  case probePoint, scriptPoint, function, name, provider, probeType, sourceLine
}

extension ContextField {
  /// Whether the answer is text.
  package var isString: Bool {
    switch self {
    case .execname, .pexecname, .site: true
    default: false
    }
  }
}
