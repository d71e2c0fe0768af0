import BPFObject
import TraceIR

// Rows are put in order by a heap of their numbers, the row that comes last on top: of more elements than are wanted,
// the top makes room for each better one; taken apart, the heap is the order. The number at a place lies in the row of
// that place (``RowLayout/orderOffset``), so that no row is ever moved.
extension CodeWriter {
  /// `r0 = &rows[r1]`, or goes to `missing`.
  ///
  /// Uses the stack at -8.
  mutating func findRow(_ rowClass: RowClass, _ missing: Assembler.Label) {
    code.emit(.store(.word, .r10, -8, .r1))
    code.loadMap(.r1, ModuleMaps.walkRows(rowClass))
    stackAddress(.r2, -8)
    code.call(.mapLookupElement)
    code.jump(if: .equal, .r0, 0, to: missing)
  }

  /// `r1` = index of the row that the next element is put into.
  mutating func loadSpareRow() {
    loadState(.r1, WalkState.first)
    loadState(.r2, WalkState.spare)
    code.emit(.arithmetic(.add, .r1, .r2))
  }

  // MARK: Places

  /// `r1` the index of a place: the number of the row that comes there.
  mutating func writeRowAtPlace(_ rowClass: RowClass) {
    let missing = code.makeLabel()
    findRow(rowClass, missing)
    code.emit(.load(.double, .r0, .r0, Int16(RowLayout.orderOffset)))
    code.emit(.exit)
    code.place(missing)
    finish(0)
  }

  /// `r1` the index of a place, `r2` the number of a row.
  mutating func writePutRow(_ rowClass: RowClass) {
    let missing = code.makeLabel()
    code.emit(.move(.r6, .r2))
    findRow(rowClass, missing)
    code.emit(.store(.double, .r0, Int16(RowLayout.orderOffset), .r6))
    code.place(missing)
    finish(0)
  }

  /// `r1 = base + place`.
  private mutating func place(_ base: BPFRegister, _ place: BPFRegister) {
    code.emit(.move(.r1, base))
    code.emit(.arithmetic(.add, .r1, place))
  }

  // MARK: Insertion

  /// `r1` scratch memory: takes the spare row in; gives 1 when no more rows are wanted.
  mutating func writeInsert(_ rowClass: RowClass, _ order: RowOrder?) {
    guard let scratch = layout.scratchRegister, let kept = callbackRegisters.first else { return }
    let (full, unwanted) = (code.makeLabel(), code.makeLabel())
    code.emit(.move(scratch, .r1))
    loadState(.r1, WalkState.count)
    loadState(.r2, WalkState.capacity)
    code.jump(if: .greaterOrEqual, .r1, .r2, to: full)
    if let order {
      loadState(.r2, WalkState.first)
      code.emit(.arithmetic(.add, .r1, .r2))
      loadState(.r2, WalkState.spare)
      code.call(function(.putRow(rowClass)))
      loadState(.r1, WalkState.first)
      loadState(.r2, WalkState.count)
      code.call(function(.rise(order)))
    }
    loadState(.r2, WalkState.count)
    code.emit(.arithmetic(.add, .r2, 1))
    storeState(.r2, WalkState.count)
    storeState(.r2, WalkState.spare)
    finish(0)
    code.place(full)
    guard let order else { return finish(1) }
    replaceTop(order, kept, unwanted)
    code.place(unwanted)
    finish(0)
  }

  /// Puts the spare row in the place of the heap's top when it comes before that.
  private mutating func replaceTop(_ order: RowOrder, _ top: BPFRegister, _ done: Assembler.Label) {
    loadState(.r1, WalkState.first)
    code.call(function(.rowAtPlace(order.rowClass)))
    code.emit(.move(top, .r0))
    loadSpareRow()
    loadState(.r2, WalkState.first)
    code.emit(.arithmetic(.add, .r2, top))
    code.call(function(.less(order)))
    code.jump(if: .equal, .r0, 0, to: done)
    loadState(.r1, WalkState.first)
    loadState(.r2, WalkState.spare)
    code.call(function(.putRow(order.rowClass)))
    storeState(top, WalkState.spare)
    loadState(.r1, WalkState.first)
    code.emit(.move(.r2, 0))
    loadState(.r3, WalkState.capacity)
    code.call(function(.sift(order)))
  }

  // MARK: Heap

  /// `r1` first row, `r2` a place, `r3` how many places: moves the row there down until no child comes after it.
  mutating func writeSift(_ order: RowOrder) {
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r8, .r2))
    code.emit(.move(.r7, .r3))
    code.emit(.move(.r9, 0))
    repeatRounds { writer, _, done in
      let oneChild = writer.code.makeLabel()
      writer.code.emit(.move(.r9, .r8))
      writer.code.emit(.arithmetic(.shiftLeft, .r9, 1))
      writer.code.emit(.arithmetic(.add, .r9, 1))
      writer.code.jump(if: .greaterOrEqual, .r9, .r7, to: done)
      writer.keepRow(order, at: .r8, -16)
      writer.keepRow(order, at: .r9, -24)
      writer.code.emit(.arithmetic(.add, .r9, 1))
      writer.code.jump(if: .greaterOrEqual, .r9, .r7, to: oneChild)
      writer.keepRow(order, at: .r9, -32)
      writer.compareKept(order, -24, -32)
      writer.code.jump(if: .equal, .r0, 0, to: oneChild)
      writer.code.emit(.load(.double, .r1, .r10, -32))
      writer.code.emit(.store(.double, .r10, -24, .r1))
      writer.code.emit(.arithmetic(.add, .r9, 1))
      writer.code.place(oneChild)
      writer.code.emit(.arithmetic(.subtract, .r9, 1))
      writer.compareKept(order, -16, -24)
      writer.code.jump(if: .equal, .r0, 0, to: done)
      writer.putKept(order, -24, at: .r8)
      writer.putKept(order, -16, at: .r9)
      writer.code.emit(.move(.r8, .r9))
    }
    finish(0)
  }

  private mutating func keepRow(_ order: RowOrder, at place: BPFRegister, _ offset: Int16) {
    self.place(.r6, place)
    code.call(function(.rowAtPlace(order.rowClass)))
    code.emit(.store(.double, .r10, offset, .r0))
  }

  private mutating func putKept(_ order: RowOrder, _ offset: Int16, at place: BPFRegister) {
    self.place(.r6, place)
    code.emit(.load(.double, .r2, .r10, offset))
    code.call(function(.putRow(order.rowClass)))
  }

  /// `r0` = whether the first of two rows comes before the second.
  private mutating func compareKept(_ order: RowOrder, _ first: Int16, _ second: Int16) {
    code.emit(.load(.double, .r1, .r10, first))
    code.emit(.load(.double, .r2, .r10, second))
    code.emit(.arithmetic(.add, .r1, .r6))
    code.emit(.arithmetic(.add, .r2, .r6))
    code.call(function(.less(order)))
  }

  /// `r1` first row, `r2` a place: moves the row there up until it does not come after its parent.
  mutating func writeRise(_ order: RowOrder) {
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r7, 0))
    code.emit(.move(.r8, .r2))
    code.emit(.move(.r9, 0))
    repeatRounds { writer, _, done in
      writer.code.jump(if: .equal, .r8, 0, to: done)
      writer.code.emit(.move(.r9, .r8))
      writer.code.emit(.arithmetic(.subtract, .r9, 1))
      writer.code.emit(.arithmetic(.shiftRight, .r9, 1))
      writer.keepRow(order, at: .r9, -16)
      writer.keepRow(order, at: .r8, -24)
      writer.compareKept(order, -16, -24)
      writer.code.jump(if: .equal, .r0, 0, to: done)
      writer.putKept(order, -24, at: .r9)
      writer.putKept(order, -16, at: .r8)
      writer.code.emit(.move(.r8, .r9))
    }
    finish(0)
  }

  /// `r1` first row, `r2` how many places: makes the order of the heap.
  mutating func writeTakeApart(_ order: RowOrder) {
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r7, 0))
    code.emit(.move(.r8, .r2))
    code.emit(.move(.r9, 0))
    repeatRounds { writer, _, done in
      writer.code.jump(if: .lessOrEqual, .r8, 1, to: done)
      writer.code.emit(.arithmetic(.subtract, .r8, 1))
      writer.keepRow(order, at: .r7, -16)
      writer.keepRow(order, at: .r8, -24)
      writer.putKept(order, -24, at: .r7)
      writer.putKept(order, -16, at: .r8)
      writer.code.emit(.move(.r1, .r6))
      writer.code.emit(.move(.r2, 0))
      writer.code.emit(.move(.r3, .r8))
      writer.code.call(writer.function(.sift(order)))
    }
    finish(0)
  }
}

// MARK: Comparison

extension CodeWriter {
  /// `r1`, `r2` indices of rows: 1 when the first comes before the second, else 0.
  mutating func writeLess(_ order: RowOrder) {
    let (before, behind) = (code.makeLabel(), code.makeLabel())
    code.emit(.move(.r7, .r2))
    findRow(order.rowClass, behind)
    code.emit(.move(.r6, .r0))
    code.emit(.move(.r1, .r7))
    findRow(order.rowClass, behind)
    code.emit(.move(.r7, .r0))
    let (less, greater) = order.isDescending ? (behind, before) : (before, behind)
    compareFields(order.field, order.offset, less: less, greater: greater)
    for (field, offset) in zip(order.keys.fields, order.keys.offsets.map { order.keyOffset + $0 })
    where offset != order.offset {
      compareFields(field, offset, less: before, greater: behind)
    }
    code.place(behind)
    finish(0)
    code.place(before)
    finish(1)
  }

  /// Compares a field of the rows at `r6` and `r7`; falls through when both are equal.
  private mutating func compareFields(
    _ field: StringField?,
    _ offset: Int,
    less: Assembler.Label,
    greater: Assembler.Label
  ) {
    if let field { return compareTexts(field, offset, less: less, greater: greater) }
    loadFar(.double, .r1, .r6, offset)
    loadFar(.double, .r2, .r7, offset)
    code.jump(if: .signedLess, .r1, .r2, to: less)
    code.jump(if: .signedGreater, .r1, .r2, to: greater)
  }

  /// Fields are padded with zeros: as big-endian numbers they are in order, and only their lengths tell apart what
  /// ends in zeros of its own.
  private mutating func compareTexts(
    _ field: StringField,
    _ offset: Int,
    less: Assembler.Label,
    greater: Assembler.Label
  ) {
    let same = code.makeLabel()
    loadFar(.word, .r1, .r6, offset + 4)
    loadFar(.word, .r2, .r7, offset + 4)
    code.emit(.toBigEndian(.r1, .word))
    code.emit(.toBigEndian(.r2, .word))
    code.jump(if: .less, .r1, .r2, to: less)
    code.jump(if: .greater, .r1, .r2, to: greater)
    let last = Int32(field.byteCount - 16)
    if last >= 0 {
      code.emit(.move(.r8, 0))
      writeUnknownZero(.r9)
      repeatRounds { writer, _, done in
        writer.code.jump(if: .greater, .r9, last, to: done)
        writer.loadWords(offset + 8)
        writer.code.jump(if: .notEqual, .r1, .r2, to: done)
        writer.code.emit(.arithmetic(.add, .r9, 8))
      }
      code.jump(if: .greater, .r9, last, to: same)
      loadWords(offset + 8)
      code.emit(.toBigEndian(.r1, .double))
      code.emit(.toBigEndian(.r2, .double))
      code.jump(if: .less, .r1, .r2, to: less)
      code.jump(if: .greater, .r1, .r2, to: greater)
    }
    code.place(same)
    loadFar(.word, .r1, .r6, offset)
    loadFar(.word, .r2, .r7, offset)
    code.jump(if: .less, .r1, .r2, to: less)
    code.jump(if: .greater, .r1, .r2, to: greater)
  }

  /// `r1`, `r2` = the words of both rows at `offset + r9`.
  private mutating func loadWords(_ offset: Int) {
    for (word, base) in [(BPFRegister.r1, BPFRegister.r6), (.r2, .r7)] {
      code.emit(.move(word, base))
      code.emit(.arithmetic(.add, word, .r9))
      loadFar(.double, word, word, offset)
    }
  }
}
