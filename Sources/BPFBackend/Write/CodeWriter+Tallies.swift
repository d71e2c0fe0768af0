import BPFObject
import TraceIR

// Tallies (``TallyLayout``). Programs look at the line that a key begins with themselves; what is not there, a function
// looks for, or puts it in.
extension CodeWriter {
  typealias Tally = ModuleLayout.Tally

  /// Where on the stack the number of a line is put for the kernel; the key is above.
  private static let lineOffset = -16

  /// `r0` = the address of the count of the key that was put together, or null: it is not there and, with `inserting`, has
  /// no room.
  mutating func findCount(_ table: Table, _ tally: Tally, inserting: Bool) {
    let (elsewhere, done) = (code.makeLabel(), code.makeLabel())
    let slots = (0..<TallyLayout.slotsPerLine).map { _ in code.makeLabel() }
    loadMark(.r1, table)
    code.jump(if: .equal, .r1, 0, to: elsewhere)
    writeLine(.r2, ofMark: .r1, tally)
    findLine(.r2, table)
    code.jump(if: .equal, .r0, 0, to: elsewhere)
    loadMark(.r1, table)
    for (slot, label) in slots.enumerated() {
      code.emit(.load(.double, .r2, .r0, Int16(slot * TallyLayout.slotByteCount + TallyLayout.markOffset)))
      code.jump(if: .equal, .r2, .r1, to: label)
    }
    code.place(elsewhere)
    code.emit(.load(.double, .r1, .r10, Int16(-table.key.byteCount)))
    code.call(function(.findCount(tally.global, inserting: inserting)))
    code.jump(to: done)
    for label in slots.dropFirst().reversed() {
      code.place(label)
      code.emit(.arithmetic(.add, .r0, Int32(TallyLayout.slotByteCount)))
    }
    code.place(slots[0])
    code.emit(.arithmetic(.add, .r0, Int32(TallyLayout.countOffset)))
    code.place(done)
  }

  /// Adds to the count of a key, which begins as 0.
  mutating func writeAddCount(
    _ result: ValueID,
    _ table: Table,
    _ tally: Tally,
    _ keys: [Operand],
    _ operand: Operand
  ) {
    let (found, done) = (code.makeLabel(), code.makeLabel())
    writeKey(table, keys)
    findCount(table, tally, inserting: true)
    code.jump(if: .notEqual, .r0, 0, to: found)
    raise(.arrayFull, subject: Int64(tally.global.index))
    code.jump(to: done)
    code.place(found)
    writeAtomicAdd(result, operand, at: .r0)
    code.place(done)
  }

  private mutating func loadMark(_ register: BPFRegister, _ table: Table) {
    code.emit(.load(.double, register, .r10, Int16(-table.key.byteCount)))
    code.emit(.arithmetic(.add, register, TallyLayout.markDistance))
  }

  /// `register` = the line in which the search for a mark begins (``TallyLayout/line(of:)``).
  ///
  /// Uses `r3` and `r4`.
  private mutating func writeLine(_ register: BPFRegister, ofMark mark: BPFRegister, _ tally: Tally) {
    code.emit(.move(register, mark))
    code.loadConstant(.r3, Int64(bitPattern: TallyLayout.multiplier))
    for _ in 0..<2 {
      code.emit(.move(.r4, register))
      code.emit(.arithmetic(.shiftRight, .r4, 32))
      code.emit(.arithmetic(.xor, register, .r4))
      code.emit(.arithmetic(.multiply, register, .r3))
    }
    code.emit(.arithmetic(.shiftRight, register, 32))
    code.emit(.arithmetic(.multiply, register, Int32(tally.layout.lineCount)))
    code.emit(.arithmetic(.shiftRight, register, 32))
  }

  /// `r0` = the address of the line whose number is in `register`, or null.
  private mutating func findLine(_ register: BPFRegister, _ table: Table) {
    code.emit(.store(.word, .r10, Int16(Self.lineOffset), register))
    code.loadMap(.r1, table.map)
    stackAddress(.r2, Self.lineOffset)
    code.call(.mapLookupElement)
  }

  // MARK: The function

  /// `r1` = a key: the address of its count, or null; as ``findCount(_:_:inserting:)``.
  ///
  /// `r6` is the mark, `r8` a line, `r9` the slot that was found in it, and one.
  mutating func writeFindCount(_ global: GlobalID, inserting: Bool) {
    let table = module.table(global)
    guard let tally = table.tally else { return finish(0) }
    let (odd, none) = (code.makeLabel(), code.makeLabel())
    code.emit(.move(.r6, .r1))
    code.emit(.arithmetic(.add, .r6, TallyLayout.markDistance))
    code.jump(if: .equal, .r6, 0, to: odd)
    // The verifier would follow each round from a line that it knows.
    writeUnknownZero(.r1)
    code.emit(.arithmetic(.add, .r6, .r1))
    writeLine(.r8, ofMark: .r6, tally)
    code.emit(.move(.r7, 0))
    code.emit(.move(.r9, 0))
    repeatRounds { writer, next, done in
      writer.findLine(.r8, table)
      writer.code.jump(if: .equal, .r0, 0, to: done)
      writer.searchLine(tally, inserting: inserting, done: done)
      writer.code.emit(.arithmetic(.add, .r8, 1))
      writer.code.jump(if: .less, .r8, Int32(tally.layout.lineCount), to: next)
      writer.code.emit(.move(.r8, 0))
    }
    code.jump(if: .equal, .r9, 0, to: none)
    findLine(.r8, table)
    code.jump(if: .equal, .r0, 0, to: none)
    code.emit(.arithmetic(.subtract, .r9, 1))
    code.emit(.arithmetic(.and, .r9, Int32(TallyLayout.slotsPerLine - 1)))
    code.emit(.arithmetic(.multiply, .r9, Int32(TallyLayout.slotByteCount)))
    code.emit(.arithmetic(.add, .r0, .r9))
    code.emit(.arithmetic(.add, .r0, Int32(TallyLayout.countOffset)))
    code.emit(.exit)
    code.place(odd)
    writeFindOddCount(tally, inserting: inserting, none: none)
    code.place(none)
    finish(0)
  }

  /// Looks through the line at `r0` for the mark in `r6`: goes to `done` with `r9` set, or not when the mark is in no line;
  /// falls through when it may be in the next one.
  private mutating func searchLine(_ tally: Tally, inserting: Bool, done: Assembler.Label) {
    for slot in 0..<TallyLayout.slotsPerLine {
      let (found, other) = (code.makeLabel(), code.makeLabel())
      let offset = slot * TallyLayout.slotByteCount
      takeSlot(offset, tally, inserting: inserting, found: found, missing: done)
      code.jump(to: other)
      code.place(found)
      code.emit(.move(.r9, Int32(slot + 1)))
      code.jump(to: done)
      code.place(other)
    }
  }

  /// Looks at the slot `offset` bytes behind `r0` for the mark in `r6`, with `inserting` takes it when it is free.
  ///
  /// Falls through when it is another mark's. Uses `r1`–`r4`.
  private mutating func takeSlot(
    _ offset: Int,
    _ tally: Tally,
    inserting: Bool,
    found: Assembler.Label,
    missing: Assembler.Label
  ) {
    let (full, others) = (code.makeLabel(), code.makeLabel())
    let mark = Int16(offset + TallyLayout.markOffset)
    code.emit(.load(.double, .r1, .r0, mark))
    code.jump(if: .equal, .r1, .r6, to: found)
    guard inserting else { return code.jump(if: .equal, .r1, 0, to: missing) }
    code.jump(if: .notEqual, .r1, 0, to: others)
    let words = Int32(tally.wordsOffset + TallyLayout.elementCountOffset)
    code.loadMapValue(.r2, ModuleMaps.scalars, offset: words)
    code.emit(.move(.r1, 1))
    code.emit(.atomic(.fetchAdd, .double, .r2, 0, .r1))
    code.emit(.move(.r3, .r0))
    code.jump(if: .greaterOrEqual, .r1, Int32(tally.layout.maximumEntries), to: full)
    code.emit(.move(.r0, 0))
    code.emit(.atomic(.compareExchange, .double, .r3, mark, .r6))
    code.jump(if: .equal, .r0, 0, to: found)
    // Somebody else has taken it.
    code.emit(.move(.r1, -1))
    code.emit(.atomic(.add, .double, .r2, 0, .r1))
    code.jump(if: .equal, .r0, .r6, to: found)
    code.emit(.move(.r0, .r3))
    code.jump(to: others)
    code.place(full)
    code.emit(.move(.r1, -1))
    code.emit(.atomic(.add, .double, .r2, 0, .r1))
    // Whoever was counted as the last may have put this very key in.
    code.emit(.load(.double, .r1, .r3, mark))
    code.jump(if: .equal, .r1, .r6, to: found)
    code.jump(to: missing)
    code.place(others)
  }

  /// The same for the key whose mark is 0: its slot is beside the table.
  private mutating func writeFindOddCount(_ tally: Tally, inserting: Bool, none: Assembler.Label) {
    let found = code.makeLabel()
    let slot = Int32(tally.wordsOffset + TallyLayout.oddSlotOffset)
    code.loadMapValue(.r0, ModuleMaps.scalars, offset: slot)
    code.emit(.move(.r6, 1))
    takeSlot(0, tally, inserting: inserting, found: found, missing: none)
    code.jump(to: none)
    code.place(found)
    code.loadMapValue(.r0, ModuleMaps.scalars, offset: slot + Int32(TallyLayout.countOffset))
    code.emit(.exit)
  }
}
