import Glibc

/// The clocks of `clock_gettime(2)`, in nanoseconds.
package enum Clock {
  /// CLOCK_MONOTONIC: what `bpf_ktime_get_ns` counts.
  package static func monotonicNanoseconds() -> UInt64 { nanoseconds(of: CLOCK_MONOTONIC) }

  /// CLOCK_REALTIME: nanoseconds since 1970.
  package static func realtimeNanoseconds() -> UInt64 { nanoseconds(of: CLOCK_REALTIME) }

  /// A file that changed twice within so many nanoseconds may look as if it had changed once: file systems take the time
  /// from a clock that ticks (at CONFIG_HZ, 100 to 1000 times a second).
  package static let fileSystemTick: Int64 = 20_000_000

  private static func nanoseconds(of clock: clockid_t) -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return UInt64(bitPattern: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
  }
}
