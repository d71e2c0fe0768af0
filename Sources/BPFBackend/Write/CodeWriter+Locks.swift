import BPFObject
import TraceIR

// The lock of the globals that a body touches (LockPlan): taken before the first step that touches one, given back
// after the last, on every way out.
extension CodeWriter {
  /// A multiplication by the size of a cache line.
  private static let cacheLineShift: Int32 = 6

  /// Writes `steps`, those that need it under their lock.
  mutating func writeGuarded(_ steps: [Step], _ use: LockPlan.Use?) throws(BPFBackendError) {
    guard let use, let first = steps.firstIndex(where: { touchesGuarded($0) }),
      let last = steps.lastIndex(where: { touchesGuarded($0) })
    else { return try write(steps) }
    try write(Array(steps[..<first]))
    if first == last, case .branch(let condition, let then, let other) = steps[first].action {
      // A filter around everything: what it keeps out takes no lock.
      visit(steps[first].location)
      try writeBranch(condition, hasElse: !other.isEmpty) { writer, isThen throws(BPFBackendError) in
        try writer.writeGuarded(isThen ? then : other, use)
      }
    } else {
      try writeLocked(Array(steps[first...last]), use)
    }
    try write(Array(steps[(last + 1)...]))
  }

  private func touchesGuarded(_ step: Step) -> Bool {
    var search = GuardedAccess(guarded: module.scalars.locks.guarded)
    search.visit([step])
    return search.isFound
  }

  private mutating func writeLocked(_ steps: [Step], _ use: LockPlan.Use) throws(BPFBackendError) {
    let outside = ends
    let (locked, done) = (code.makeLabel(), code.makeLabel())
    acquire(use, locked)
    writeSkip(.lockTimeout, to: outside.end)
    code.place(locked)
    ends = Ends(&code)
    holdsLock = true
    try write(steps)
    holdsLock = false
    release(use)
    code.jump(to: done)
    code.place(ends.end)
    release(use)
    code.jump(to: outside.end)
    innerEnds.append(ends)
    ends = outside
    code.place(done)
  }

  // MARK: Taking and giving back

  /// Goes to `locked` with the lock, and on without it.
  private mutating func acquire(_ use: LockPlan.Use, _ locked: Assembler.Label) {
    switch use.mode {
    case .exclusive:
      code.call(.getSMPProcessorID)
      code.emit(.move(.r2, .r0))
      code.emit(.arithmetic(.add, .r2, 1))
      loadLock(use, .r1)
      code.emit(.move(.r0, 0))
      code.emit(.atomic(.compareExchange, .double, .r1, 0, .r2))
      code.jump(if: .equal, .r0, 0, to: locked)
    case .shared:
      loadSharedCounter(use, .r2)
      loadLock(use, .r1)
      code.emit(.move(.r0, 1))
      code.emit(.atomic(.fetchAdd, .double, .r2, 0, .r0))
      code.emit(.load(.double, .r0, .r1))
      code.jump(if: .equal, .r0, 0, to: locked)
    }
    code.emit(.move(.r3, facts.context.interrupts ? 1 : 0))
    code.call(subprogram(use.mode == .shared ? .waitToShare : .waitForLock))
    code.jump(if: .notEqual, .r0, 0, to: locked)
  }

  private mutating func release(_ use: LockPlan.Use) {
    switch use.mode {
    case .exclusive:
      loadLock(use, .r1)
      code.emit(.move(.r0, 0))
      code.emit(.atomic(.exchange, .double, .r1, 0, .r0))
    case .shared:
      // The same counter as before: a program is not moved to another CPU.
      loadSharedCounter(use, .r2)
      code.emit(.move(.r0, -1))
      code.emit(.atomic(.fetchAdd, .double, .r2, 0, .r0))
    }
  }

  private mutating func loadLock(_ use: LockPlan.Use, _ register: BPFRegister) {
    code.loadMapValue(register, ModuleMaps.scalars, offset: Int32(module.scalars.lockOffsets[use.lock]))
  }

  /// Uses `r0`.
  private mutating func loadSharedCounter(_ use: LockPlan.Use, _ register: BPFRegister) {
    let first = module.scalars.lockOffsets[use.lock] + ScalarLayout.cacheLineByteCount
    code.call(.getSMPProcessorID)
    code.emit(.arithmetic(.and, .r0, Int32(ScalarLayout.sharedCounterCount - 1)))
    code.emit(.arithmetic(.shiftLeft, .r0, Self.cacheLineShift))
    code.loadMapValue(register, ModuleMaps.scalars, offset: Int32(first))
    code.emit(.arithmetic(.add, register, .r0))
  }

  // MARK: Waiting

  /// `r1` the lock, `r2` who wants it, `r3` whether a holder on this CPU is interrupted by us: 1 when it is ours.
  mutating func writeWaitForLock() {
    let refuse = code.makeLabel()
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r7, .r2))
    code.jump(if: .equal, .r3, 0, to: refuse)
    code.emit(.load(.double, .r0, .r6))
    code.emit(.move(.r3, 0))
    code.jump(if: .notEqual, .r0, .r7, to: refuse)
    finish(0)
    code.place(refuse)
    beginWaiting()
    repeatRounds { writer, next, done in
      let taken = writer.code.makeLabel()
      writer.code.emit(.load(.double, .r0, .r6))
      writer.code.jump(if: .notEqual, .r0, 0, to: taken)
      writer.code.emit(.move(.r1, .r7))
      writer.code.emit(.atomic(.compareExchange, .double, .r6, 0, .r1))
      writer.code.jump(if: .notEqual, .r0, 0, to: taken)
      writer.code.emit(.move(.r9, 1))
      writer.code.jump(to: done)
      writer.code.place(taken)
      writer.goOnWaiting(next, done)
    }
    endWaiting()
  }

  /// `r1` the lock, `r2` the counter, which counts us, `r3` as above: 1 when it is shared with us.
  mutating func writeWaitToShare() {
    let refuse = code.makeLabel()
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r7, .r2))
    code.emit(.move(.r0, -1))
    code.emit(.atomic(.fetchAdd, .double, .r7, 0, .r0))
    code.jump(if: .equal, .r3, 0, to: refuse)
    // Somebody whom we interrupt may share it, and the holder-to-be waits for that one.
    code.jump(if: .equal, .r0, 1, to: refuse)
    finish(0)
    code.place(refuse)
    beginWaiting()
    repeatRounds { writer, next, done in
      let taken = writer.code.makeLabel()
      writer.code.emit(.load(.double, .r0, .r6))
      writer.code.jump(if: .notEqual, .r0, 0, to: taken)
      writer.code.emit(.move(.r0, 1))
      writer.code.emit(.atomic(.fetchAdd, .double, .r7, 0, .r0))
      writer.code.emit(.load(.double, .r0, .r6))
      let shared = writer.code.makeLabel()
      writer.code.jump(if: .equal, .r0, 0, to: shared)
      writer.code.emit(.move(.r0, -1))
      writer.code.emit(.atomic(.fetchAdd, .double, .r7, 0, .r0))
      writer.code.jump(to: taken)
      writer.code.place(shared)
      writer.code.emit(.move(.r9, 1))
      writer.code.jump(to: done)
      writer.code.place(taken)
      writer.goOnWaiting(next, done)
    }
    endWaiting()
  }

  /// `r8` = when to give up, `r9` = 0.
  private mutating func beginWaiting() {
    code.call(.ktimeGetNanoseconds)
    code.emit(.move(.r8, .r0))
    code.loadConstant(.r1, Int64(module.limits.lockNanoseconds))
    code.emit(.arithmetic(.add, .r8, .r1))
    writeUnknownZero(.r9)
  }

  /// Asking for the time is the pause between two looks.
  private mutating func goOnWaiting(_ next: Assembler.Label, _ done: Assembler.Label) {
    code.call(.ktimeGetNanoseconds)
    code.jump(if: .greater, .r0, .r8, to: done)
    code.jump(to: next)
  }

  private mutating func endWaiting() {
    code.emit(.move(.r0, .r9))
    code.emit(.exit)
  }
}

/// Whether steps touch a global that takes part in a lock.
private struct GuardedAccess: StepVisitor {
  let guarded: Set<Int>
  var isFound = false

  mutating func willVisit(_ step: Step) {
    let global: GlobalID? =
      switch step.action {
      case .operation(let operation): operation.global
      case .walk(let step): step.global
      default: nil
      }
    if let global, guarded.contains(global.index) { isFound = true }
  }
}
