import BPFObject
import TraceIR

// Arrays that wrap (`global a%[N]`): a new element takes the place of the oldest one. Each element knows when it came
// (``ElementLayout``), and their ring (``AgeRing``) in which order. Who inserts holds the array's lock.
extension CodeWriter {
  /// Writes an insertion whose result is in `r0`; when the array is full, makes room and writes it again.
  mutating func makingRoom(_ table: Table, _ global: GlobalID, _ insert: (inout CodeWriter) -> Void) {
    insert(&self)
    guard let wrapping = table.wrapping else { return }
    let done = code.makeLabel()
    code.jump(if: .notEqual, .r0, Errno.tooBig, to: done)
    forEachEntry(wrapping, .makeRoom(global))
    insert(&self)
    code.place(done)
  }

  /// `r0` = a birth that was not given before, for the element whose key was put together; it is the newest one.
  ///
  /// Uses `r1`–`r5`.
  mutating func takeBirth(_ global: GlobalID, _ wrapping: ModuleLayout.Wrapping) {
    scratchAddress(.r1, wrapping.entryOffset)
    code.call(function(.remember(global)))
  }

  /// Puts a birth behind the string value that is on its way into the map: that of the element that is there.
  mutating func keepBirth(_ table: Table, _ global: GlobalID) {
    guard let wrapping = table.wrapping else { return }
    let (known, missing) = (code.makeLabel(), code.makeLabel())
    lookUp(table)
    code.jump(if: .equal, .r0, 0, to: missing)
    loadFar(.double, .r0, .r0, wrapping.birthOffset)
    code.jump(to: known)
    code.place(missing)
    takeBirth(global, wrapping)
    code.place(known)
    storeScratch(.double, (module.valueOffset ?? 0) + module.field.byteCount, .r0)
  }

  /// `r0` = the share of an element that was made just now, or null: with a birth, in an array that wraps.
  mutating func lookUpNew(_ table: Table, _ global: GlobalID) {
    guard let wrapping = table.wrapping else { return lookUp(table) }
    let missing = code.makeLabel()
    takeBirth(global, wrapping)
    lookUp(table)
    code.jump(if: .equal, .r0, 0, to: missing)
    loadScratch(.double, .r2, wrapping.entryOffset + AgeRing.birthOffset)
    code.emit(.store(.double, .r0, Int16(wrapping.birthOffset), .r2))
    code.place(missing)
  }

  // MARK: The ring

  /// Calls `callback` as often as there are entries, until it answers 1.
  private mutating func forEachEntry(_ wrapping: ModuleLayout.Wrapping, _ callback: TableFunction) {
    let count = min(wrapping.ring.entryCount, Self.maximumCalls)
    callInLoop(function(callback), context: nil, count: count)
  }

  private mutating func loadPositions(_ register: BPFRegister, _ wrapping: ModuleLayout.Wrapping) {
    code.loadMapValue(register, ModuleMaps.scalars, offset: Int32(wrapping.positionsOffset))
  }

  /// Puts the index of the entry at the position in `register`, which it changes, on the stack.
  private mutating func storeIndex(_ register: BPFRegister, _ wrapping: ModuleLayout.Wrapping) {
    code.emit(.arithmetic(.modulo, register, Int32(wrapping.ring.entryCount)))
    code.emit(.store(.word, .r10, -4, register))
  }

  /// Puts the entry at `value` (a copy of which it may be) to the index on the stack.
  private mutating func updateEntry(_ wrapping: ModuleLayout.Wrapping, value: BPFRegister) {
    code.loadMap(.r1, wrapping.map)
    stackAddress(.r2, -4)
    code.emit(.move(.r3, value))
    code.emit(.move(.r4, Update.any.rawValue))
    code.call(.mapUpdateElement)
  }

  /// `r8` = the entry at the position in `r7`; goes to `missing` when there is none, and to `dead` when its element was
  /// deleted.
  ///
  /// Uses `r0`–`r5` and `r9`.
  private mutating func findEntry(_ table: Table, missing: Assembler.Label, dead: Assembler.Label) {
    guard let wrapping = table.wrapping else { return }
    code.emit(.move(.r1, .r7))
    storeIndex(.r1, wrapping)
    code.loadMap(.r1, wrapping.map)
    stackAddress(.r2, -4)
    code.call(.mapLookupElement)
    code.jump(if: .equal, .r0, 0, to: missing)
    code.emit(.move(.r8, .r0))
    code.emit(.load(.double, .r9, .r8, Int16(AgeRing.birthOffset)))
    code.loadMap(.r1, table.map)
    entryKey(.r2)
    if table.statistic == nil {
      code.call(.mapLookupElement)
      code.jump(if: .equal, .r0, 0, to: dead)
      loadFar(.double, .r0, .r0, wrapping.birthOffset)
    } else {
      code.call(function(.birth(offset: wrapping.birthOffset)))
    }
    code.jump(if: .notEqual, .r0, .r9, to: dead)
  }

  /// `register` = the address of the key of the entry at `r8`.
  private mutating func entryKey(_ register: BPFRegister) {
    code.emit(.move(register, .r8))
    code.emit(.arithmetic(.add, register, Int32(AgeRing.keyOffset)))
  }

  /// A callback that takes the oldest entry away: 1 when its element is deleted, too, or there is none.
  mutating func writeMakeRoom(_ global: GlobalID) {
    let table = module.table(global)
    guard let wrapping = table.wrapping else { return }
    let (none, dead) = (code.makeLabel(), code.makeLabel())
    loadPositions(.r6, wrapping)
    code.emit(.load(.double, .r7, .r6, Int16(AgeRing.tailOffset)))
    code.emit(.load(.double, .r1, .r6, Int16(AgeRing.headOffset)))
    code.jump(if: .equal, .r1, .r7, to: none)
    code.emit(.move(.r1, .r7))
    code.emit(.arithmetic(.add, .r1, 1))
    code.emit(.store(.double, .r6, Int16(AgeRing.tailOffset), .r1))
    findEntry(table, missing: none, dead: dead)
    code.loadMap(.r1, table.map)
    entryKey(.r2)
    code.call(.mapDeleteElement)
    code.place(none)
    finish(1)
    code.place(dead)
    finish(0)
  }

  /// `r1` = where an entry is put together: gives its element a birth and puts it into the ring; `r0` = the birth.
  mutating func writeRemember(_ global: GlobalID) {
    guard let wrapping = module.table(global).wrapping else { return }
    let hasRoom = code.makeLabel()
    code.emit(.move(.r6, .r1))
    loadPositions(.r7, wrapping)
    code.loadMapValue(.r1, ModuleMaps.scalars, offset: Int32(module.scalars.birthCountOffset ?? 0))
    code.emit(.move(.r8, 1))
    code.emit(.atomic(.fetchAdd, .double, .r1, 0, .r8))
    code.emit(.arithmetic(.add, .r8, 1))
    code.emit(.store(.double, .r6, Int16(AgeRing.birthOffset), .r8))
    code.emit(.load(.double, .r9, .r7, Int16(AgeRing.headOffset)))
    code.emit(.load(.double, .r1, .r7, Int16(AgeRing.tailOffset)))
    code.emit(.arithmetic(.add, .r1, Int32(wrapping.ring.entryCount)))
    code.jump(if: .greater, .r1, .r9, to: hasRoom)
    clearAges(global, wrapping)
    code.place(hasRoom)
    code.emit(.move(.r1, .r9))
    storeIndex(.r1, wrapping)
    updateEntry(wrapping, value: .r6)
    code.emit(.arithmetic(.add, .r9, 1))
    code.emit(.store(.double, .r7, Int16(AgeRing.headOffset), .r9))
    code.emit(.move(.r0, .r8))
    code.emit(.exit)
  }

  /// Moves the entries of elements that are there to the newest one, `r9` being the position after that one.
  private mutating func clearAges(_ global: GlobalID, _ wrapping: ModuleLayout.Wrapping) {
    for offset in [AgeRing.keptOffset, AgeRing.seenOffset] {
      code.emit(.store(.double, .r7, Int16(offset), .r9))
    }
    // `bpf_loop` has an end of its own, which larger rings reach.
    for _ in stride(from: 0, to: wrapping.ring.entryCount, by: Self.maximumCalls) {
      forEachEntry(wrapping, .clearAges(global))
    }
    code.emit(.load(.double, .r1, .r7, Int16(AgeRing.keptOffset)))
    code.emit(.store(.double, .r7, Int16(AgeRing.tailOffset), .r1))
  }

  /// A callback that looks at the entry before the last one that was seen, and keeps it when its element is there: 1 when
  /// there is none.
  mutating func writeClearAges(_ global: GlobalID) {
    let table = module.table(global)
    guard let wrapping = table.wrapping else { return }
    let (none, next) = (code.makeLabel(), code.makeLabel())
    loadPositions(.r6, wrapping)
    code.emit(.load(.double, .r7, .r6, Int16(AgeRing.seenOffset)))
    code.emit(.load(.double, .r1, .r6, Int16(AgeRing.tailOffset)))
    code.jump(if: .equal, .r1, .r7, to: none)
    code.emit(.arithmetic(.subtract, .r7, 1))
    code.emit(.store(.double, .r6, Int16(AgeRing.seenOffset), .r7))
    findEntry(table, missing: none, dead: next)
    code.emit(.load(.double, .r1, .r6, Int16(AgeRing.keptOffset)))
    code.emit(.arithmetic(.subtract, .r1, 1))
    code.emit(.store(.double, .r6, Int16(AgeRing.keptOffset), .r1))
    code.jump(if: .equal, .r1, .r7, to: next)
    storeIndex(.r1, wrapping)
    updateEntry(wrapping, value: .r8)
    code.place(next)
    finish(0)
    code.place(none)
    finish(1)
  }

  /// `r1` a map of statistics, `r2` a key: when it came; 0 when it is not there.
  mutating func writeBirth(_ offset: Int) {
    code.emit(.move(.r8, 0))
    forEachCPU { writer, _ in
      writer.code.emit(.load(.double, .r1, .r0, Int16(offset)))
      writer.code.emit(.arithmetic(.or, .r8, .r1))
    }
    code.emit(.move(.r0, .r8))
    code.emit(.exit)
  }
}
