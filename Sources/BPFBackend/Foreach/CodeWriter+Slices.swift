import BPFObject
import TraceIR

// What is done with every element whose keys match a pattern, in a callback of `bpf_for_each_map_elem`.
extension CodeWriter {
  /// Registers that a callback keeps things in: all that survive calls but the one of scratch memory.
  var callbackRegisters: [BPFRegister] { [.r6, .r7, .r8, .r9].filter { $0 != layout.scratchRegister } }

  /// Puts the keys that must match where the callbacks of the table find them.
  mutating func writePattern(_ table: Table, _ keys: [Operand?]) {
    for (index, key) in keys.enumerated() {
      guard let key else { continue }
      let offset = (table.patternOffset ?? 0) + table.key.offsets[index]
      if table.key.types[index] == .string {
        writeField(.scratch(offset), text(key))
      } else {
        storeScratch(.double, offset, register(key, .r0))
      }
    }
  }

  /// Begins a callback: `r1` map, `r2` key, `r3` value, `r4` what ``forEachElement(_:_:)`` passes.
  ///
  /// Keys that do not match leave it with 0. Then the key is in the first of ``callbackRegisters``, the value in the
  /// second.
  mutating func beginCallback(_ table: Table, _ fixed: [Bool]) {
    guard let scratch = layout.scratchRegister else { return }
    let other = code.makeLabel()
    let matches = code.makeLabel()
    let key = callbackRegisters[0]
    code.emit(.load(.double, scratch, .r4))
    code.emit(.move(key, .r2))
    code.emit(.move(callbackRegisters[1], .r3))
    for (index, isFixed) in fixed.enumerated() where isFixed {
      let offset = table.key.offsets[index]
      let pattern = (table.patternOffset ?? 0) + offset
      if let field = table.key.fields[index] {
        code.emit(.move(.r1, key))
        code.emit(.arithmetic(.add, .r1, Int32(offset)))
        scratchAddress(.r2, pattern)
        code.call(function(.equalFields(field)))
        code.jump(if: .equal, .r0, 0, to: other)
      } else {
        loadFar(.double, .r1, key, offset)
        loadScratch(.double, .r2, pattern)
        code.jump(if: .notEqual, .r1, .r2, to: other)
      }
    }
    code.jump(to: matches)
    code.place(other)
    finish(0)
    code.place(matches)
  }

  /// `r1` a field of a key, `r2` one to compare it with: 1 when they are equal, else 0.
  mutating func writeEqualFields(_ field: StringField) {
    let same = code.makeLabel()
    let last = Int32(field.byteCount - 8)
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r7, .r2))
    code.emit(.load(.word, .r8, .r7))
    code.emit(.arithmetic(.add, .r8, 4))
    writeUnknownZero(.r9)
    repeatRounds { writer, _, done in
      writer.code.jump(if: .greaterOrEqual, .r9, .r8, to: done)
      writer.code.jump(if: .greater, .r9, last, to: done)
      for (word, base) in [(BPFRegister.r1, BPFRegister.r6), (.r2, .r7)] {
        writer.code.emit(.move(word, base))
        writer.code.emit(.arithmetic(.add, word, .r9))
        writer.code.emit(.load(.double, word, word))
      }
      writer.code.jump(if: .notEqual, .r1, .r2, to: done)
      writer.code.emit(.arithmetic(.add, .r9, 8))
    }
    code.jump(if: .greaterOrEqual, .r9, .r8, to: same)
    finish(0)
    code.place(same)
    finish(1)
  }

  // MARK: Callbacks

  mutating func writeCollectCallback(_ content: WalkContent, _ fixed: [Bool]) {
    let table = module.table(content.global)
    let layout = content.row
    let missing = code.makeLabel()
    beginCallback(table, fixed)
    let (key, value, row) = (callbackRegisters[0], callbackRegisters[1], callbackRegisters[2])
    loadSpareRow()
    findRow(layout.rowClass, missing)
    code.emit(.move(row, .r0))
    copyField(table.key, from: key, to: row, layout.keyOffset)
    if table.value == nil {
      copyStatistic(content, table, key, row)
    } else if let shown = layout.shown {
      copyField(FieldLayout([shown], module.limits), from: value, to: row, RowLayout.shownOffset)
    }
    scratchAddress(.r1, 0)
    code.call(function(.insert(layout.rowClass, content.order)))
    code.emit(.exit)
    code.place(missing)
    finish(1)
  }

  /// Copies fields as they lie side by side.
  private mutating func copyField(
    _ layout: FieldLayout,
    from source: BPFRegister,
    to destination: BPFRegister,
    _ offset: Int
  ) {
    if !layout.types.contains(.string) {
      for start in layout.offsets {
        code.emit(.load(.double, .r1, source, Int16(start)))
        code.emit(.store(.double, destination, Int16(offset + start), .r1))
      }
      return
    }
    code.emit(.move(.r1, destination))
    code.emit(.arithmetic(.add, .r1, Int32(offset)))
    code.emit(.move(.r2, Int32(layout.byteCount)))
    code.emit(.move(.r3, source))
    code.call(.probeReadKernel)
  }

  /// The count when it is shown, and what rows are ordered by.
  private mutating func copyStatistic(
    _ content: WalkContent,
    _ table: Table,
    _ key: BPFRegister,
    _ row: BPFRegister
  ) {
    var field: StatisticField?
    if case .field(let asked) = content.rank { field = asked }
    guard let layout = table.statistic, content.row.shown != nil || field != nil else { return }
    clearGathered()
    gather(table.map, key, .fields(layout, squares: field == .variance))
    if content.row.shown != nil {
      loadState(.r0, WalkState.gathered + Gathered.count)
      code.emit(.store(.double, row, Int16(RowLayout.shownOffset), .r0))
    }
    if let field {
      loadGathered(field)
      code.emit(.store(.double, row, Int16(content.row.rankOffset), .r0))
    }
  }

  mutating func writeContainsCallback(_ global: GlobalID, _ fixed: [Bool]) {
    beginCallback(module.table(global), fixed)
    storeState(1, WalkState.count)
    finish(1)
  }

  mutating func writeDeleteCallback(_ global: GlobalID, _ fixed: [Bool]) {
    let table = module.table(global)
    beginCallback(table, fixed)
    code.loadMap(.r1, table.map)
    code.emit(.move(.r2, callbackRegisters[0]))
    code.call(.mapDeleteElement)
    finish(0)
  }

  mutating func writeGatherCallback(_ global: GlobalID, _ fixed: [Bool], _ part: GatheredPart) {
    let table = module.table(global)
    beginCallback(table, fixed)
    gather(table.map, callbackRegisters[0], part)
    finish(0)
  }

  // MARK: Slices of `in` and `delete`

  /// Whether keys are no one element's.
  func isSlice(_ keys: [Operand?]) -> Bool { keys.contains { $0 == nil } }

  mutating func writeContainsSlice(_ result: ValueID, _ global: GlobalID, _ keys: [Operand?]) {
    let table = module.table(global)
    writePattern(table, keys)
    storeState(0, WalkState.count)
    forEachElement(table, .contains(global, fixed: keys.map { $0 != nil }))
    loadState(.r0, WalkState.count)
    store(.r0, result)
  }

  mutating func writeDeleteSlice(_ global: GlobalID, _ keys: [Operand?]) {
    let table = module.table(global)
    writePattern(table, keys)
    forEachElement(table, .delete(global, fixed: keys.map { $0 != nil }))
  }
}
