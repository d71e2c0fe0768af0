import BPFObject
import TraceIR

// `foreach` in a probe. How rows are kept and put in order: CodeWriter+Rows.swift.
extension CodeWriter {
  mutating func write(_ step: WalkStep) {
    switch step {
    case .slotRow(let rowClass, let result): writeSlotRow(rowClass, result)
    case .begin(let walk, let limit): writeBegin(walk, limit)
    case .collect(let walk, let slice): writeCollect(walk, slice)
    case .add(let walk, let key, let shown): writeAdd(walk, key, shown)
    case .seal(let walk, let result): writeSeal(walk, result)
    case .load(let walk, let index, let keys, let shown): writeLoadRow(walk, index, keys, shown)
    }
  }

  private mutating func writeBegin(_ walk: Walk, _ limit: Operand?) {
    let (positive, fits) = (code.makeLabel(), code.makeLabel())
    if let limit {
      load(limit, into: .r0)
      code.jump(if: .signedGreaterOrEqual, .r0, 0, to: positive)
      code.emit(.move(.r0, 0))
      code.place(positive)
      code.loadConstant(.r1, Int64(walk.capacity))
      code.jump(if: .lessOrEqual, .r0, .r1, to: fits)
    }
    code.loadConstant(.r0, Int64(walk.capacity))
    code.place(fits)
    storeState(.r0, WalkState.capacity)
    storeState(0, WalkState.count)
    storeState(0, WalkState.spare)
    load(layout.home(walk.first), into: .r0)
    storeState(.r0, WalkState.first)
    if isShortOfRows(walk) { boundRows(walk) }
  }

  /// Whether other activations may have taken rows that it wants.
  private func isShortOfRows(_ walk: Walk) -> Bool {
    walk.isRecursive && demand.rows[walk.row.rowClass]?.isBounded == true
  }

  /// Takes no more rows than there are behind ``WalkState/first``.
  private mutating func boundRows(_ walk: Walk) {
    let (some, fits) = (code.makeLabel(), code.makeLabel())
    let count = demand.rows[walk.row.rowClass]?.count ?? 0
    storeState(-1, WalkState.room)
    loadSlotRow(walk.row.rowClass)
    // One is for the element that is being looked at.
    code.emit(.arithmetic(.add, .r0, Int32(count - 1)))
    loadState(.r1, WalkState.first)
    code.emit(.arithmetic(.subtract, .r0, .r1))
    code.jump(if: .signedGreaterOrEqual, .r0, 0, to: some)
    code.emit(.move(.r0, 0))
    code.place(some)
    loadState(.r1, WalkState.capacity)
    code.jump(if: .lessOrEqual, .r1, .r0, to: fits)
    storeState(.r0, WalkState.capacity)
    storeState(.r0, WalkState.room)
    code.place(fits)
  }

  private mutating func writeCollect(_ walk: Walk, _ slice: [Operand?]) {
    let done = code.makeLabel()
    let table = module.table(walk.content.global)
    writePattern(table, slice)
    loadState(.r1, WalkState.capacity)
    code.jump(if: .equal, .r1, 0, to: done)
    forEachElement(table, .collect(walk.content, fixed: slice.map { $0 != nil }))
    code.place(done)
  }

  /// Calls `callback` for every element; it finds the address of scratch memory in what `r4` points to.
  mutating func forEachElement(_ table: Table, _ callback: TableFunction) {
    guard let scratch = layout.scratchRegister else {
      preconditionFailure("FrameDemand claims scratch memory for all that goes over elements")
    }
    code.emit(.store(.double, .r10, -8, scratch))
    code.loadMap(.r1, table.map)
    code.loadFunction(.r2, function(callback))
    stackAddress(.r3, -8)
    code.emit(.move(.r4, 0))
    code.call(.forEachMapElement)
  }

  private mutating func writeAdd(_ walk: Walk, _ key: Operand, _ shown: Operand) {
    let missing = code.makeLabel()
    loadSpareRow()
    findRow(walk.row.rowClass, missing)
    store(key, at: .r0, walk.row.keyOffset, .r1)
    store(shown, at: .r0, RowLayout.shownOffset, .r1)
    scratchAddress(.r1, 0)
    code.call(function(.insert(walk.row.rowClass, walk.order)))
    code.place(missing)
  }

  private mutating func writeSeal(_ walk: Walk, _ result: ValueID) {
    if isShortOfRows(walk) {
      let enough = code.makeLabel()
      loadState(.r1, WalkState.count)
      loadState(.r2, WalkState.room)
      code.jump(if: .notEqual, .r1, .r2, to: enough)
      raise(.walkMemory, subject: 0)
      code.place(enough)
    }
    if let order = walk.order {
      loadState(.r1, WalkState.first)
      loadState(.r2, WalkState.count)
      code.call(function(.takeApart(order)))
    }
    loadState(.r0, WalkState.count)
    store(.r0, result)
  }

  // MARK: Rounds

  private mutating func writeLoadRow(
    _ walk: Walk,
    _ index: Operand,
    _ keys: [LocalID],
    _ shown: LocalID?
  ) {
    let missing = code.makeLabel()
    load(layout.home(walk.first), into: .r1)
    load(index, into: .r2)
    if walk.order != nil {
      code.emit(.store(.double, .r10, -16, .r1))
      code.emit(.arithmetic(.add, .r1, .r2))
      code.call(function(.rowAtPlace(walk.row.rowClass)))
      code.emit(.load(.double, .r1, .r10, -16))
      code.emit(.move(.r2, .r0))
    }
    code.emit(.arithmetic(.add, .r1, .r2))
    findRow(walk.row.rowClass, missing)
    code.emit(.store(.double, .r10, -16, .r0))
    for (index, local) in keys.enumerated() where index < walk.row.keys.types.count {
      loadField(local, walk.row.keyOffset + walk.row.keys.offsets[index])
    }
    if let shown { loadField(shown, RowLayout.shownOffset) }
    code.place(missing)
  }

  /// Copies a field of the row whose address is on the stack.
  private mutating func loadField(_ local: LocalID, _ offset: Int) {
    let home = layout.home(local)
    if home == .unused { return }
    code.emit(.load(.double, .r3, .r10, -16))
    guard layout.isText(local) else {
      loadFar(.double, .r0, .r3, offset)
      return store(.r0, in: home)
    }
    guard case .scratch(let slot) = home else { return }
    code.emit(.arithmetic(.add, .r3, Int32(offset)))
    code.emit(.load(.word, .r2, .r3))
    bound(.r2)
    roundToField(.r2)
    scratchAddress(.r1, slot)
    code.call(.probeReadKernel)
  }

  // MARK: The slot

  /// Takes a slot for this hit; goes to `failed`, with the loss counted, when all are taken for long.
  mutating func claimWalkSlot(_ failed: Assembler.Label) {
    let claimed = code.makeLabel()
    for (rowClass, wanted) in demand.rows { needs.take(wanted.byteCount, wanted.count, of: rowClass) }
    code.call(function(.claimSlot))
    code.jump(if: .notEqual, .r0, 0, to: claimed)
    writeSkip(.scratchBusy, to: failed)
    code.place(claimed)
    code.emit(.arithmetic(.subtract, .r0, 1))
    storeState(.r0, WalkState.slot)
  }

  private mutating func writeSlotRow(_ rowClass: RowClass, _ result: ValueID) {
    loadSlotRow(rowClass)
    store(.r0, result)
  }

  /// `r0` = the slot's first row of that class.
  private mutating func loadSlotRow(_ rowClass: RowClass) {
    let missing = code.makeLabel()
    findSlot(missing)
    code.emit(.load(.double, .r0, .r0, Int16(WalkSlot.firstRowOffset(rowClass))))
    code.place(missing)
  }

  mutating func releaseWalkSlot() {
    let missing = code.makeLabel()
    findSlot(missing)
    code.emit(.move(.r1, 0))
    code.emit(.atomic(.exchange, .double, .r0, 0, .r1))
    code.place(missing)
  }

  private mutating func findSlot(_ missing: Assembler.Label) {
    code.loadMap(.r1, ModuleMaps.walkSlots)
    scratchAddress(.r2, layout.stateOffset + WalkState.slot)
    code.call(.mapLookupElement)
    code.jump(if: .equal, .r0, 0, to: missing)
  }

  /// How often a program looks for a free slot before it gives up.
  private static let claimTries: Int32 = 4096

  /// Returns a slot's index plus 1, or 0.
  ///
  /// Begins at the CPU's own; behind the last comes the first.
  mutating func writeClaimSlot() {
    let (found, none) = (code.makeLabel(), code.makeLabel())
    code.call(.getSMPProcessorID)
    code.emit(.move(.r8, .r0))
    code.emit(.move(.r6, 0))
    code.emit(.move(.r7, 0))
    writeUnknownZero(.r9)
    repeatRounds { writer, next, done in
      let (present, taken) = (writer.code.makeLabel(), writer.code.makeLabel())
      writer.code.jump(if: .greaterOrEqual, .r9, Self.claimTries, to: done)
      writer.code.emit(.arithmetic(.add, .r9, 1))
      writer.code.emit(.store(.word, .r10, -16, .r8))
      writer.code.loadMap(.r1, ModuleMaps.walkSlots)
      writer.stackAddress(.r2, -16)
      writer.code.call(.mapLookupElement)
      writer.code.jump(if: .notEqual, .r0, 0, to: present)
      writer.code.emit(.move(.r8, 0))
      writer.code.jump(to: next)
      writer.code.place(present)
      writer.code.emit(.move(.r3, .r0))
      writer.code.emit(.move(.r0, 0))
      writer.code.emit(.move(.r1, 1))
      writer.code.emit(.atomic(.compareExchange, .double, .r3, 0, .r1))
      writer.code.jump(if: .notEqual, .r0, 0, to: taken)
      writer.code.emit(.move(.r9, -1))
      writer.code.jump(to: done)
      writer.code.place(taken)
      writer.code.emit(.arithmetic(.add, .r8, 1))
    }
    code.jump(if: .equal, .r9, -1, to: found)
    code.jump(to: none)
    code.place(found)
    code.emit(.move(.r0, .r8, width: .bits32))
    code.emit(.arithmetic(.add, .r0, 1))
    code.emit(.exit)
    code.place(none)
    finish(0)
  }
}

// MARK: State

extension CodeWriter {
  mutating func loadState(_ register: BPFRegister, _ field: Int) {
    loadScratch(.double, register, layout.stateOffset + field)
  }

  /// Uses `r5`.
  mutating func storeState(_ register: BPFRegister, _ field: Int) {
    storeScratch(.double, layout.stateOffset + field, register)
  }

  /// Uses `r5`.
  mutating func storeState(_ value: Int32, _ field: Int) {
    storeScratch(.double, layout.stateOffset + field, immediate: value)
  }

  /// Loads what may lie too far for an instruction's offset.
  mutating func loadFar(_ size: BPFSize, _ register: BPFRegister, _ base: BPFRegister, _ offset: Int) {
    if let near = Int16(exactly: offset) { return code.emit(.load(size, register, base, near)) }
    code.emit(.move(register, base))
    code.emit(.arithmetic(.add, register, Int32(offset)))
    code.emit(.load(size, register, register))
  }
}
