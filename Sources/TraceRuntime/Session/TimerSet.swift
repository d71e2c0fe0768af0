import Platform
import TraceIR

/// The timers of a session, one descriptor each.
final class TimerSet {
  private final class Timer {
    let probe: Int
    let interval: UInt64
    let randomization: UInt64
    let descriptor: TimerDescriptor

    init(_ probe: Int, _ interval: Int64, _ randomization: Int64) throws(SystemError) {
      self.probe = probe
      self.interval = UInt64(max(1, interval))
      self.randomization = UInt64(max(0, randomization))
      descriptor = try TimerDescriptor()
    }

    /// With randomization every round is set anew.
    func start() throws(SystemError) {
      guard randomization > 0 else { return try descriptor.start(first: interval, interval: interval) }
      let low = interval > randomization ? interval - randomization : 1
      try descriptor.start(first: UInt64.random(in: low...(interval + randomization)), interval: 0)
    }
  }

  /// Tags of timers begin here.
  private static let firstTag: UInt64 = 16

  private var timers: [Timer] = []

  /// Adds every timer of `program` to `loop`, not yet started.
  init(_ program: TraceProgram, in loop: borrowing EventLoop) throws(SystemError) {
    for (index, probe) in program.probes.enumerated() {
      guard case .timer(let nanoseconds, let randomization) = probe.trigger else { continue }
      let timer = try Timer(index, nanoseconds, randomization)
      try loop.add(timer.descriptor.raw, tag: Self.firstTag + UInt64(timers.count))
      timers.append(timer)
    }
  }

  func start() throws(SystemError) { for timer in timers { try timer.start() } }

  /// The probe whose timer rang; rounds that were missed meanwhile are not made up for.
  func expired(_ tag: UInt64) -> Int? {
    guard tag >= Self.firstTag, tag - Self.firstTag < UInt64(timers.count) else { return nil }
    let timer = timers[Int(tag - Self.firstTag)]
    guard timer.descriptor.takeExpirations() > 0 else { return nil }
    if timer.randomization > 0 { try? timer.start() }
    return timer.probe
  }
}
