import BPFObject
import TraceIR

// The frame around a body: what is checked and claimed before, sent and given back after.
extension CodeWriter {
  /// Which of a probe's programs is written.
  enum Role { case body, entry }

  /// Slots of the pool that a program tries before it gives up.
  private static let poolTries: Int32 = 8

  /// Writes the whole program.
  mutating func writeProgram(_ steps: [Step], role: Role) throws(BPFBackendError) -> ProgramCode {
    code.position = steps.lazy.compactMap(\.location).first.map { shared.positions[$0] }
    if let context = layout.contextRegister { code.emit(.move(context, .r1)) }
    checkState(role)
    checkProcess()
    if layout.scratchRegister != nil { claimScratch(role) }
    if !demand.rows.isEmpty { claimWalkSlot(slotless) }
    beginOutput()
    if demand.usesTokens { clearTokens() }
    if demand.usesCaptures { clearMatch() }
    switch role {
    case .body: if demand.usesEntrySlots { findEntryFrame() }
    case .entry: pushEntryFrame()
    }
    let locks = module.scalars.locks
    let lock = role == .entry ? locks.entries[facts.index] : locks.bodies[facts.index]
    if demand.runsInRounds {
      try writeInRounds(steps, lock)
    } else {
      try writeGuarded(steps, lock)
      code.place(ends.end)
      endOutput()
      leave()
      // Without faults nothing leads there, and nothing was kept for it.
      if demand.mayFault { writeUncaught() }
    }
    writeTableFunctions()
    writeSubprograms()
    do {
      return try code.finish()
    } catch {
      throw .assembly(error)
    }
  }

  /// Gives back what was claimed.
  mutating func leave() {
    if !demand.rows.isEmpty { releaseWalkSlot() }
    code.place(slotless)
    releaseScratch()
    code.place(quit)
    finish(0)
  }

  /// Hits count only while the session runs.
  ///
  /// Entries are noted from the start on: their returns may come later.
  private mutating func checkState(_ role: Role) {
    code.loadMapValue(.r1, ModuleMaps.scalars, offset: Int32(ScalarLayout.stateOffset))
    code.emit(.load(.word, .r1, .r1))
    switch role {
    case .body: code.jump(if: .notEqual, .r1, Int32(SessionState.running.rawValue), to: quit)
    case .entry: code.jump(if: .equal, .r1, Int32(SessionState.stopping.rawValue), to: quit)
    }
  }

  // MARK: Scratch memory

  /// Whether scratch memory is the task's own: right for probes of user code, which no other one interrupts
  /// in the same task.
  var usesTaskScratch: Bool {
    facts.context == .userRegisters && shared.target.hasTaskStorage && scratchByteCount <= maximumTaskScratch
  }

  /// Whether the body has its scratch memory where the task's entry frames are, which spares it a look.
  var hasScratchBehindFrames: Bool {
    demand.usesEntrySlots && usesTaskScratch && frames.scratchOffset + scratchByteCount <= maximumTaskScratch
  }

  /// Bytes with the tail.
  private var scratchByteCount: Int {
    layout.scratchByteCount + module.tailByteCount + demand.output.capacity
  }

  private mutating func claimScratch(_ role: Role) {
    guard let scratch = layout.scratchRegister else { return }
    if role == .body, hasScratchBehindFrames {
      needs.scratchBehindFrames = scratchByteCount
      claimScratchBehindFrames(scratch)
    } else if usesTaskScratch {
      needs.taskScratchByteCount = max(needs.taskScratchByteCount, scratchByteCount)
      taskStorage(ModuleMaps.taskScratch, create: true)
      let claimed = code.makeLabel()
      code.jump(if: .notEqual, .r0, 0, to: claimed)
      writeSkip(.scratchBusy, to: quit)
      code.place(claimed)
      code.emit(.move(scratch, .r0))
    } else {
      needs.poolScratchByteCount = max(needs.poolScratchByteCount, scratchByteCount)
      claimPoolSlot(scratch)
    }
  }

  /// `r0` = the current task's value, or null.
  mutating func taskStorage(_ map: MapReference, create: Bool) {
    code.call(.getCurrentTaskBTF)
    code.emit(.move(.r2, .r0))
    code.loadMap(.r1, map)
    code.emit(.move(.r3, 0))
    code.emit(.move(.r4, create ? 1 : 0))
    code.call(.taskStorageGet)
  }

  /// Tries a few slots from one that depends on the CPU; only where to begin, never who owns it.
  private mutating func claimPoolSlot(_ scratch: BPFRegister) {
    let (next, claimed) = (code.makeLabel(), code.makeLabel())
    code.call(.getSMPProcessorID)
    code.emit(.arithmetic(.shiftLeft, .r0, 2))
    code.emit(.store(.double, .r10, -8, .r0))
    for attempt in 0..<Self.poolTries {
      let busy = attempt == Self.poolTries - 1 ? next : code.makeLabel()
      code.emit(.load(.double, .r1, .r10, -8))
      code.emit(.arithmetic(.add, .r1, attempt == 0 ? 0 : 1))
      code.emit(.arithmetic(.and, .r1, Int32(shared.target.poolSlotCount - 1)))
      code.emit(.store(.double, .r10, -8, .r1))
      code.loadMap(.r1, ModuleMaps.poolScratch)
      stackAddress(.r2, -8)
      code.call(.mapLookupElement)
      code.jump(if: .equal, .r0, 0, to: busy)
      code.emit(.move(scratch, .r0))
      code.emit(.move(.r0, 0))
      code.emit(.move(.r1, 1))
      code.emit(.atomic(.compareExchange, .double, scratch, Int16(ModuleLayout.Scratch.busy), .r1))
      code.jump(if: .equal, .r0, 0, to: claimed)
      code.place(busy)
    }
    writeSkip(.scratchBusy, to: quit)
    code.place(claimed)
  }

  /// Counts a hit that could not run, and stops the session when there are too many.
  mutating func writeSkip(_ reason: LossReason, to exit: Assembler.Label) {
    lose(reason)
    code.loadMapValue(.r1, ModuleMaps.scalars)
    code.emit(.move(.r2, 1))
    code.emit(.atomic(.fetchAdd, .double, .r1, Int16(ScalarLayout.skippedOffset), .r2))
    code.loadConstant(.r3, Int64(max(0, module.limits.maxSkipped)))
    code.jump(if: .less, .r2, .r3, to: exit)
    let stopping = Int32(SessionState.stopping.rawValue)
    code.emit(.store(.word, .r1, Int16(ScalarLayout.stateOffset), immediate: stopping))
    code.jump(to: exit)
  }

  private mutating func releaseScratch() {
    guard let scratch = layout.scratchRegister, !usesTaskScratch else { return }
    code.emit(.move(.r1, 0))
    code.emit(.atomic(.exchange, .double, scratch, Int16(ModuleLayout.Scratch.busy), .r1))
  }
}

/// The most that the kernel gives to one task (30 KB measured; the limit is 64 KB with the kernel's own part).
private let maximumTaskScratch = 30_000

extension BPFTarget {
  /// Tasks, soft and hard interrupts can hold one each on every CPU.
  var poolSlotCount: Int { max(32, 8 * possibleCPUCount).roundedUpToPowerOfTwo }
}
