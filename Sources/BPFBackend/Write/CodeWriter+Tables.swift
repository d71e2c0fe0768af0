import BPFObject
import TraceIR

// Arrays: hash maps with the keys side by side.
extension CodeWriter {
  typealias Table = ModuleLayout.Table

  /// Errors of helpers (include/uapi/asm-generic/errno-base.h).
  enum Errno {
    static let tooBig: Int32 = -7
    static let exists: Int32 = -17
  }

  /// Flags of `bpf_map_update_elem`.
  enum Update: Int32 {
    case any = 0
    case noExist = 1
  }

  /// Puts the key together.
  mutating func writeKey(_ table: Table, _ keys: [Operand]) {
    for (index, key) in keys.enumerated() {
      let offset = table.key.offsets[index]
      switch (table.key.types[index], table.keyOffset) {
      case (.string, let start):
        let field = (start ?? 0) + offset
        if text(key) != .memory(field) { writeField(.scratch(field), text(key)) }
      case (.long, let start?):
        let source = register(key, .r0)
        storeScratch(.double, start + offset, source)
      case (.long, nil): store(key, at: .r10, offset - table.key.byteCount, .r0)
      }
    }
  }

  mutating func loadKey(_ table: Table, _ register: BPFRegister) {
    if let start = table.keyOffset { return scratchAddress(register, start) }
    stackAddress(register, -table.key.byteCount)
  }

  /// `r0 = &map[key]`, or null.
  mutating func lookUp(_ table: Table) {
    if let tally = table.tally { return findCount(table, tally, inserting: false) }
    inMapOfKey(table) { writer, map in
      writer.code.loadMap(.r1, map)
      writer.loadKey(table, .r2)
      writer.code.call(.mapLookupElement)
    }
  }

  /// Writes `body` for the map that the key is in which was put together: where there are several, for each.
  ///
  /// Uses `r1`. `body` must place no label that was made before.
  mutating func inMapOfKey(_ table: Table, _ body: (inout CodeWriter, MapReference) -> Void) {
    guard !table.shorts.isEmpty, let start = table.keyOffset else { return body(&self, table.map) }
    let done = code.makeLabel()
    loadScratch(.word, .r1, start + table.lengthOffset)
    for (map, layout) in table.shorts {
      let longer = code.makeLabel()
      code.jump(if: .greater, .r1, Int32(layout.capacity), to: longer)
      body(&self, map)
      code.jump(to: done)
      code.place(longer)
    }
    body(&self, table.map)
    code.place(done)
  }

  /// Where a long on its way into the map waits: below the key.
  private func valueOffset(_ table: Table) -> Int {
    if table.wrapping != nil { return -16 }
    return table.keyOffset == nil ? -table.key.byteCount - 8 : -8
  }

  mutating func writeLoadElement(_ result: ValueID, _ global: GlobalID, _ keys: [Operand]) {
    if isUnused(result) { return }
    let table = module.table(global)
    writeKey(table, keys)
    lookUp(table)
    let missing = code.makeLabel()
    if table.value == .string { return writeLoadTextElement(result) }
    code.jump(if: .equal, .r0, 0, to: missing)
    code.emit(.load(.double, .r0, .r0))
    code.place(missing)
    store(.r0, result)
  }

  private mutating func writeLoadTextElement(_ result: ValueID) {
    let (found, done) = (code.makeLabel(), code.makeLabel())
    code.jump(if: .notEqual, .r0, 0, to: found)
    clearSlot(of: result)
    code.jump(to: done)
    code.place(found)
    code.emit(.move(.r3, .r0))
    copyForeignText(toSlotOf: result)
    code.place(done)
  }

  mutating func writeContains(_ result: ValueID, _ global: GlobalID, _ keys: [Operand?]) {
    if isUnused(result) { return }
    if isSlice(keys) { return writeContainsSlice(result, global, keys) }
    let table = module.table(global)
    writeKey(table, keys.compactMap { $0 })
    lookUp(table)
    writeTruth { writer, label in writer.code.jump(if: .notEqual, .r0, 0, to: label) }
    store(.r0, result)
  }

  mutating func writeStoreElement(_ global: GlobalID, _ keys: [Operand], _ operand: Operand) {
    let table = module.table(global)
    if table.value == .string {
      // The value first: key and value areas are apart, and writing either calls helpers.
      writeField(.scratch(module.valueOffset ?? 0), text(operand))
      writeKey(table, keys)
      keepBirth(table, global)
      makingRoom(table, global) { writer in
        writer.update(table, .any) { writer in writer.scratchAddress(.r3, writer.module.valueOffset ?? 0) }
      }
      return writeUpdateCheck(global)
    }
    let (found, done) = (code.makeLabel(), code.makeLabel())
    writeKey(table, keys)
    lookUp(table)
    code.jump(if: .notEqual, .r0, 0, to: found)
    insert(table, global, operand, .any)
    writeUpdateCheck(global)
    code.jump(to: done)
    code.place(found)
    store(operand, at: .r0, 0, .r1)
    code.place(done)
  }

  private mutating func insert(_ table: Table, _ global: GlobalID, _ operand: Operand, _ mode: Update) {
    let offset = valueOffset(table)
    store(operand, at: .r10, offset, .r0)
    if let wrapping = table.wrapping {
      takeBirth(global, wrapping)
      code.emit(.store(.double, .r10, Int16(offset + 8), .r0))
    }
    makingRoom(table, global) { writer in
      writer.update(table, mode) { writer in writer.stackAddress(.r3, offset) }
    }
  }

  /// `r0 = 0` or an error, after `map[key] = *r3`.
  mutating func update(_ table: Table, _ mode: Update, value: (inout CodeWriter) -> Void) {
    inMapOfKey(table) { writer, map in
      writer.code.loadMap(.r1, map)
      writer.loadKey(table, .r2)
      value(&writer)
      writer.code.emit(.move(.r4, mode.rawValue))
      writer.code.call(.mapUpdateElement)
    }
    // Before 6.4 (Linux commit d7ba4cc900bf) the map's function is called directly and returns an int: the upper half
    // is not its sign.
    code.emit(.arithmetic(.shiftLeft, .r0, 32))
    code.emit(.arithmetic(.arithmeticShiftRight, .r0, 32))
  }

  /// Raises a fault when the array was full, counts what else went wrong; goes on when `r0` is 0.
  mutating func writeUpdateCheck(_ global: GlobalID) {
    let (updated, busy) = (code.makeLabel(), code.makeLabel())
    code.jump(if: .equal, .r0, 0, to: updated)
    code.jump(if: .notEqual, .r0, Errno.tooBig, to: busy)
    raise(.arrayFull, subject: Int64(global.index))
    code.place(busy)
    lose(.mapBusy)
    code.place(updated)
  }

  /// One lookup and one atomic addition for an element that is there.
  ///
  /// Insertion asks for a new element, so that of two threads one inserts and the other finds that element
  /// and adds.
  mutating func writeAddElement(
    _ result: ValueID,
    _ global: GlobalID,
    _ keys: [Operand],
    _ operand: Operand
  ) {
    let table = module.table(global)
    if let tally = table.tally { return writeAddCount(result, table, tally, keys, operand) }
    let (found, inserted, done) = (code.makeLabel(), code.makeLabel(), code.makeLabel())
    let raced = code.makeLabel()
    writeKey(table, keys)
    lookUp(table)
    code.jump(if: .notEqual, .r0, 0, to: found)
    insert(table, global, operand, .noExist)
    code.jump(if: .equal, .r0, Errno.exists, to: raced)
    writeUpdateCheck(global)
    code.jump(to: inserted)
    code.place(raced)
    lookUp(table)
    code.jump(if: .notEqual, .r0, 0, to: found)
    lose(.mapBusy)
    code.place(inserted)
    if !isUnused(result) {
      code.emit(.move(.r2, 0))
      store(.r2, result)
    }
    code.jump(to: done)
    code.place(found)
    writeAtomicAdd(result, operand, at: .r0)
    code.place(done)
  }

  /// Writes `if (k in a)` with what the branch begins with, when that is about `a[k]`: one lookup for both.
  ///
  /// False: nothing was written.
  mutating func writeFoundElement(_ step: Step, _ next: Step) throws(BPFBackendError) -> Bool {
    guard case .operation(.contains(let result, let global, let keys)) = step.action, !isSlice(keys),
      case .branch(.value(result), let then, let other) = next.action,
      layout.liveness.interval(result).useCount == 1, let first = then.first,
      case .operation(let operation) = first.action, operation.isOfElement(global, keys.compactMap { $0 }),
      module.table(global).value == .long
    else { return false }
    let (missing, done) = (code.makeLabel(), code.makeLabel())
    let table = module.table(global)
    writeKey(table, keys.compactMap { $0 })
    lookUp(table)
    code.jump(if: .equal, .r0, 0, to: missing)
    visit(first.location)
    switch operation {
    case .addElement(let before, _, _, let operand): writeAtomicAdd(before, operand, at: .r0)
    case .storeElement(_, _, let operand): store(operand, at: .r0, 0, .r1)
    case .loadElement(let value, _, _):
      if !isUnused(value) {
        code.emit(.load(.double, .r0, .r0))
        store(.r0, value)
      }
    default: preconditionFailure("operations on an element of longs are those three")
    }
    tellConditions(of: operation)
    try write(Array(then.dropFirst()))
    if !other.isEmpty { code.jump(to: done) }
    code.place(missing)
    try write(other)
    code.place(done)
    return true
  }

  mutating func writeDelete(_ global: GlobalID, _ keys: [Operand?]) {
    switch shared.program.globals[global.index].kind {
    case .scalar(.long): return writeStoreGlobal(global, .long(0))
    case .scalar(.string): return writeStoreGlobal(global, .string(""))
    case .statistic: return writeClearStatistic(module.table(global))
    case .array, .statisticArray: if keys.isEmpty { return writeDeleteAll(module.table(global)) }
    }
    if isSlice(keys) { return writeDeleteSlice(global, keys) }
    let table = module.table(global)
    writeKey(table, keys.compactMap { $0 })
    inMapOfKey(table) { writer, map in
      writer.code.loadMap(.r1, map)
      writer.loadKey(table, .r2)
      writer.code.call(.mapDeleteElement)
    }
  }
}

// MARK: All elements

extension CodeWriter {
  private mutating func writeDeleteAll(_ table: Table) {
    for map in [table.map] + table.shorts.map(\.map) {
      code.loadMap(.r1, map)
      code.loadFunction(.r2, subprogram(.deleteElement))
      code.emit(.move(.r3, 0))
      code.emit(.move(.r4, 0))
      code.call(.forEachMapElement)
    }
  }

  mutating func writeDeleteElement() {
    code.call(.mapDeleteElement)
    finish(0)
  }
}

extension Operation {
  /// Whether it adds to, sets or reads that element.
  fileprivate func isOfElement(_ global: GlobalID, _ keys: [Operand]) -> Bool {
    switch self {
    case .addElement(_, global, keys, _), .storeElement(global, keys, _), .loadElement(_, global, keys): true
    default: false
    }
  }
}

extension FrameLayout {
  func isText(_ result: ValueID) -> Bool { types[result.index] == .string }
  func isText(_ local: LocalID) -> Bool { types[liveness.index(local)] == .string }
}
