import BPFObject
import TraceIR

// Arrays that wrap (`global a%[N]`): a new element takes the place of the oldest one. Each element knows when it came
// (``ElementLayout``); the oldest is looked for when there is no room.
extension CodeWriter {
  /// Writes an insertion whose result is in `r0`; when the array is full, makes room and writes it again.
  mutating func makingRoom(_ table: Table, _ global: GlobalID, _ insert: (inout CodeWriter) -> Void) {
    insert(&self)
    guard let wrapping = table.wrapping else { return }
    let done = code.makeLabel()
    code.jump(if: .notEqual, .r0, Errno.tooBig, to: done)
    storeState(-1, WalkState.oldest)
    forEachElement(table, .findOldest(global))
    code.loadMap(.r1, table.map)
    scratchAddress(.r2, wrapping.oldestKeyOffset)
    code.call(.mapDeleteElement)
    insert(&self)
    code.place(done)
  }

  /// `register` = a birth that was not given before.
  ///
  /// Uses `r1`.
  mutating func takeBirth(_ register: BPFRegister) {
    code.loadMapValue(.r1, ModuleMaps.scalars, offset: Int32(module.scalars.birthCountOffset ?? 0))
    code.emit(.move(register, 1))
    code.emit(.atomic(.fetchAdd, .double, .r1, 0, register))
    code.emit(.arithmetic(.add, register, 1))
  }

  /// Puts a birth behind the string value that is on its way into the map: that of the element that is there.
  mutating func keepBirth(_ table: Table) {
    guard let wrapping = table.wrapping else { return }
    let (known, missing) = (code.makeLabel(), code.makeLabel())
    lookUp(table)
    code.jump(if: .equal, .r0, 0, to: missing)
    loadFar(.double, .r2, .r0, wrapping.birthOffset)
    code.jump(to: known)
    code.place(missing)
    takeBirth(.r2)
    code.place(known)
    storeScratch(.double, (module.valueOffset ?? 0) + module.field.byteCount, .r2)
  }

  /// Gives the new share at `r0` a birth, unless it is null.
  ///
  /// Uses `r1`–`r3`.
  mutating func setBirth(_ table: Table) {
    guard let wrapping = table.wrapping else { return }
    let missing = code.makeLabel()
    code.jump(if: .equal, .r0, 0, to: missing)
    takeBirth(.r2)
    code.emit(.store(.double, .r0, Int16(wrapping.birthOffset), .r2))
    code.place(missing)
  }

  // MARK: The oldest element

  /// A callback that keeps the key of the element with the least birth.
  mutating func writeFindOldest(_ global: GlobalID) {
    let table = module.table(global)
    guard let wrapping = table.wrapping else { return }
    let younger = code.makeLabel()
    beginCallback(table, [])
    let (key, value) = (callbackRegisters[0], callbackRegisters[1])
    if table.statistic == nil {
      loadFar(.double, .r1, value, wrapping.birthOffset)
    } else {
      code.loadMap(.r1, table.map)
      code.emit(.move(.r2, key))
      code.call(function(.birth(offset: wrapping.birthOffset)))
      code.emit(.move(.r1, .r0))
    }
    loadState(.r2, WalkState.oldest)
    code.jump(if: .greaterOrEqual, .r1, .r2, to: younger)
    storeState(.r1, WalkState.oldest)
    scratchAddress(.r1, wrapping.oldestKeyOffset)
    code.emit(.move(.r2, Int32(table.key.byteCount)))
    code.emit(.move(.r3, key))
    code.call(.probeReadKernel)
    code.place(younger)
    finish(0)
  }

  /// `r1` a map of statistics, `r2` a key: when it came.
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
