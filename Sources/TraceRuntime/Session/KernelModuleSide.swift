package import KernelBridge
package import Platform
package import TraceIR

/// A loaded eBPF module as a session sees it.
package final class KernelModuleSide: KernelSide {
  private let globals: MapStore
  private var control: RingBuffer
  private let dataRing: BPFMap
  /// Nil until ``openDataRing()``.
  private var data: RingBuffer?
  private let lossCounters: BPFMap
  private let probeCount: Int
  private var attachment: Attachment?
  /// How probes with a condition are attached, by index.
  private var conditional: [Int: ConditionalProbe] = [:]
  private var processes: ProcessEventReader?
  private var atExec: (() throws(KernelError) -> Attachment)?
  /// Probes of the user side that did not get their lock, and how often.
  private var skipped: [Int: UInt64] = [:]

  /// Takes over `attachment`, which ends with ``detach()``.
  ///
  /// `tables` are the maps of the globals, by index, as ``MapStore`` wants them; `target` is what `target()` answers; with `targetIsWaiting` it is a command that has yet to become its program.
  /// - Throws: ``KernelError`` when the control ring or scalars cannot be mapped.
  package init(
    _ program: TraceProgram,
    tables: [MapStore.Table?],
    scalars: BPFMap,
    dataRing: BPFMap,
    controlRing: BPFMap,
    losses: BPFMap,
    target: Int32?,
    targetIsWaiting: Bool = false
  ) throws(KernelError) {
    globals = try MapStore(program, scalars: scalars, tables: tables)
    control = try RingBuffer(controlRing)
    self.dataRing = dataRing
    lossCounters = losses
    probeCount = program.probes.count
    let bias = Clock.realtimeNanoseconds() &- Clock.monotonicNanoseconds()
    globals.setSession(
      target: Int64(target ?? 0),
      isWaiting: targetIsWaiting,
      realtimeBias: bias,
      zone: LocalTime.now
    )
  }

  /// Maps the ring of records, whose thousands of pages no attachment has to wait for.
  /// - Throws: ``KernelError`` for `mmap(2)`.
  package func openDataRing() throws(KernelError) { data = try RingBuffer(dataRing) }

  /// Keeps `attachment` until ``detach()``; called after the maps are ready, so that no hit sees them half set.
  package func adopt(_ attachment: consuming Attachment) { self.attachment = consume attachment }

  /// Calls `arm` when the command has executed its program, and keeps what it gives until ``detach()``.
  package func whenCommandExecutes(_ arm: @escaping () throws(KernelError) -> Attachment) { atExec = arm }

  package var waitsForExec: Bool { atExec != nil }

  package func armAtExec() throws(KernelError) {
    guard let arm = atExec else { return }
    atExec = nil
    let more = try arm()
    var all = attachment.take() ?? Attachment()
    all.add(more)
    attachment = consume all
  }

  /// Reads what processes do from `reader`, which has been at work since before the first hit.
  package func adopt(_ reader: ProcessEventReader) { processes = reader }

  /// Keeps what attaches a probe with a condition, for the times when that holds.
  package func adopt(_ attach: @escaping () throws(KernelError) -> Attachment, ofProbe probe: Int) {
    conditional[probe] = ConditionalProbe(attach)
  }

  package func arm(probe: Int) throws(KernelError) { try conditional[probe]?.arm() }

  package func disarm(probe: Int) { conditional[probe]?.attachment = nil }

  package func takeConditionChange() -> Bool { globals.takeConditionChange() }

  package func processEvents() -> [ProcessEvent] { processes?.take() ?? [] }

  package var store: any GlobalStore { globals }

  package var skippedHits: UInt64 { globals.skippedHits }

  package func lock(probe: Int) -> Bool {
    guard let use = globals.layout.locks.bodies[probe] else { return true }
    if globals.acquire(use.lock) { return true }
    globals.countSkippedHit()
    skipped[probe, default: 0] += 1
    return false
  }

  package func unlock(probe: Int) {
    if let use = globals.layout.locks.bodies[probe] { globals.release(use.lock) }
  }

  package func setState(_ state: SessionState) { globals.setState(state) }

  package var wakeDescriptors: [Int32] { [control.pollDescriptor, data?.pollDescriptor].compactMap { $0 } }

  package func setAsleep(_ isAsleep: Bool) { globals.setReaderAsleep(isAsleep) }

  package func detach() {
    conditional.removeAll()
    attachment = nil
  }

  package func drainControl(_ body: (RawSpan) -> Void) { control.drain(body) }

  /// Takes what is there when it begins, so that a flood cannot keep the session from its other work.
  package func drainData(_ body: (RawSpan) -> Void) -> Int { data?.drain(body) ?? 0 }

  package func losses() -> [LossCount] {
    let reasons = LossReason.allCases
    let ours = skipped.sorted { $0.key < $1.key }.map { probe, count in
      LossCount(probe: probe, reason: .lockTimeout, count: count)
    }
    return ours
      + (0..<(probeCount * reasons.count)).compactMap { index in
        let counts = (try? lossCounters.getPerCPU(UInt32(index), as: UInt64.self)) ?? []
        let count = counts.reduce(0, &+)
        guard count > 0, let reason = LossReason(rawValue: index % reasons.count) else { return nil }
        return LossCount(probe: index / reasons.count, reason: reason, count: count)
      }
  }
}

/// A probe that is attached now and then.
private final class ConditionalProbe {
  var attachment: Attachment?
  private let attach: () throws(KernelError) -> Attachment

  init(_ attach: @escaping () throws(KernelError) -> Attachment) { self.attach = attach }

  func arm() throws(KernelError) { attachment = try attach() }
}
