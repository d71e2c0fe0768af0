package import KernelBridge
package import Platform
package import TraceIR

/// The half of a session that runs in the kernel, loaded and attached.
package protocol KernelSide: AnyObject {
  /// The globals that kernel-side probes use.
  var store: any GlobalStore { get }
  /// Hits that were skipped so far.
  var skippedHits: UInt64 { get }

  /// What kernel-side probes check first.
  func setState(_ state: SessionState)
  /// Readable when something comes that the session is woken for: control records always, data when it asked.
  var wakeDescriptors: [Int32] { get }
  /// Asks for one wake-up when the next data comes, or takes that back.
  ///
  /// A probe that looked before this was called still sends without waking.
  func setAsleep(_ isAsleep: Bool)
  /// Whether something can be armed only where the command of `-c` has executed its program.
  var waitsForExec: Bool { get }
  /// Arms it: the command stands at its first instruction.
  func armAtExec() throws(KernelError)
  /// Takes the lock that a probe of the user side needs; false, and counted as a skipped hit, when it is not to be
  /// had in time.
  func lock(probe: Int) -> Bool
  /// Gives it back.
  func unlock(probe: Int)
  /// Attaches a probe that has a condition.
  /// - Throws: ``KernelError`` when the kernel refuses.
  func arm(probe: Int) throws(KernelError)
  /// Detaches it.
  func disarm(probe: Int)
  /// Whether a kernel-side probe changed a global that conditions read, since the last call.
  func takeConditionChange() -> Bool
  /// Removes every probe; when it returns, no more records come.
  func detach()
  /// Hands over what is on the control ring, oldest first.
  func drainControl(_ body: (RawSpan) -> Void)
  /// Hands over what is on the data ring, oldest first; gives how many items that was.
  func drainData(_ body: (RawSpan) -> Void) -> Int
  /// What processes mapped, started and ended since the last call, oldest first; for call chains.
  func processEvents() -> [ProcessEvent]
  /// What was lost, by probe and reason; zero counts are left out.
  func losses() -> [LossCount]
}

extension KernelSide {
  package var waitsForExec: Bool { false }

  package func armAtExec() throws(KernelError) {}

  package func processEvents() -> [ProcessEvent] { [] }
}

/// How often something was lost in one probe for one reason.
package struct LossCount: Hashable, Sendable {
  /// Index into ``TraceProgram/probes``.
  package var probe: Int
  package var reason: LossReason
  package var count: UInt64

  package init(probe: Int, reason: LossReason, count: UInt64) {
    self.probe = probe
    self.reason = reason
    self.count = count
  }
}

extension LossReason {
  /// What happened, in the plural.
  var text: String {
    switch self {
    case .ringFull: "records lost: the output buffer was full"
    case .scratchBusy: "hits skipped: no working memory was free"
    case .mapBusy: "updates lost: an array was busy or out of memory"
    case .missedEntry: "hits skipped: the entry of their function was not seen"
    case .lockTimeout: "hits skipped: a global's lock was not to be had"
    case .familyFull: "processes not followed: the target had too many at once"
    }
  }

  /// What to do about it.
  var advice: String? {
    switch self {
    case .ringFull: "-s MB makes the buffer larger"
    case .scratchBusy, .mapBusy, .missedEntry, .lockTimeout, .familyFull: nil
    }
  }

  /// The word in JSON.
  var identifier: String {
    switch self {
    case .ringFull: "ring-full"
    case .scratchBusy: "scratch-busy"
    case .mapBusy: "map-busy"
    case .missedEntry: "missed-entry"
    case .lockTimeout: "lock-timeout"
    case .familyFull: "family-full"
    }
  }
}
