import KernelBridge
import Platform
import TraceIR

/// Attaches kernel-side probes while their conditions hold (stap(1), "PROBES"), so that a probe costs nothing where it
/// does not.
///
/// Probes see for themselves whether their condition holds: this decides only what is worth being attached. A condition
/// that comes to hold attaches its probe at once, as far as ``shortestPause`` allows; one that ceases to hold detaches it
/// after ``patience``, because detaching takes the kernel 25 ms and more, and many flags are set and reset all the time.
final class ProbeArming {
  /// Between two looks, in nanoseconds: a flag that changes with every hit does not keep the session busy.
  static let shortestPause: UInt64 = 5_000_000
  /// For how long a condition must not hold before its probe is detached, in nanoseconds.
  static let patience: UInt64 = 200_000_000

  private struct Subject {
    let probe: Int
    var isArmed = false
    /// When its condition was first seen not to hold.
    var idleSince: UInt64?

    /// Whether it has not held for so long that the probe is detached.
    func isIdle(at time: UInt64) -> Bool {
      idleSince.map { time >= $0 + ProbeArming.patience } ?? false
    }
  }

  private let kernel: any KernelSide
  private let interpreter: Interpreter
  private var subjects: [Subject]
  private var lastLook: UInt64 = 0
  /// Looks to take though nothing new is known: one more than asked for, for what changed during the one before.
  private var looksDue = 0

  /// Nil when no probe has a condition.
  init?(_ program: TraceProgram, _ kernel: (any KernelSide)?, _ interpreter: Interpreter) {
    let probes = program.probes.indices.filter { program.probes[$0].arming != nil }
    guard let kernel, !probes.isEmpty else { return nil }
    self.kernel = kernel
    self.interpreter = interpreter
    subjects = probes.map { Subject(probe: $0) }
  }

  /// How long the session may sleep; nil: as long as it likes.
  var pauseMilliseconds: Int? {
    var next = subjects.compactMap(\.idleSince).min().map { $0 + Self.patience }
    if looksDue > 0 { next = min(next ?? .max, lastLook + Self.shortestPause) }
    let now = Clock.monotonicNanoseconds()
    return next.map { $0 <= now ? 0 : Int(($0 - now) / 1_000_000) + 1 }
  }

  /// Something ran on the user side that may have changed a condition.
  func note() { looksDue = 2 }

  /// Attaches and detaches as conditions have changed since the last call.
  /// - Throws: ``KernelError`` when the kernel refuses to attach.
  func advance() throws(KernelError) {
    let now = Clock.monotonicNanoseconds()
    guard now >= lastLook + Self.shortestPause else { return }
    if kernel.takeConditionChange() { note() }
    guard looksDue > 0 || subjects.contains(where: { $0.isIdle(at: now) }) else { return }
    looksDue = max(0, looksDue - 1)
    lastLook = now
    for index in subjects.indices { try look(at: index, now) }
  }

  private func look(at index: Int, _ now: UInt64) throws(KernelError) {
    let probe = subjects[index].probe
    let holds = interpreter.holds(conditionOf: probe)
    if holds || !subjects[index].isArmed { subjects[index].idleSince = nil }
    if holds, !subjects[index].isArmed {
      try kernel.arm(probe: probe)
      subjects[index].isArmed = true
    } else if !holds, subjects[index].isArmed {
      if subjects[index].idleSince == nil { subjects[index].idleSince = now }
      guard subjects[index].isIdle(at: now) else { return }
      kernel.disarm(probe: probe)
      subjects[index].isArmed = false
      subjects[index].idleSince = nil
    }
  }
}
