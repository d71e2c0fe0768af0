import BPFObject
import TraceIR

// Scalars and locals.
extension CodeWriter {
  private func isText(_ global: GlobalID) -> Bool {
    shared.program.globals[global.index].kind == .scalar(.string)
  }

  mutating func writeLoadGlobal(_ result: ValueID, _ global: GlobalID) {
    if isUnused(result) { return }
    let offset = module.scalarOffset(global)
    if isText(global) {
      code.loadMapValue(.r3, ModuleMaps.scalars, offset: offset)
      return copyForeignText(toSlotOf: result)
    }
    code.loadMapValue(.r1, ModuleMaps.scalars, offset: offset)
    code.emit(.load(.double, .r0, .r1))
    store(.r0, result)
  }

  mutating func writeStoreGlobal(_ global: GlobalID, _ operand: Operand) {
    let offset = module.scalarOffset(global)
    if isText(global) { return writeField(.map(ModuleMaps.scalars, offset), text(operand)) }
    code.loadMapValue(.r1, ModuleMaps.scalars, offset: offset)
    store(operand, at: .r1, 0, .r0)
  }

  mutating func writeAddGlobal(_ result: ValueID, _ global: GlobalID, _ operand: Operand) {
    code.loadMapValue(.r1, ModuleMaps.scalars, offset: module.scalarOffset(global))
    writeAtomicAdd(result, operand, at: .r1)
  }

  /// Adds to `*base`, leaving the value before in `result` when somebody wants it.
  ///
  /// Uses `r0`.
  mutating func writeAtomicAdd(_ result: ValueID, _ operand: Operand, at base: BPFRegister) {
    if isUnused(result) {
      let added = register(operand, .r2)
      return code.emit(.atomic(.add, .double, base, 0, added))
    }
    load(operand, into: .r2)
    code.emit(.atomic(.fetchAdd, .double, base, 0, .r2))
    store(.r2, result)
  }

  /// Lets the user side know that a condition of a probe may have come to hold, or no longer does.
  ///
  /// Once until it takes note: a flag that changes with every hit costs a load.
  mutating func tellConditions(of operation: Operation) {
    guard operation.writesGlobal, let global = operation.global,
      shared.conditionGlobals.contains(global.index)
    else { return }
    let known = code.makeLabel()
    code.loadMapValue(.r1, ModuleMaps.scalars, offset: Int32(ScalarLayout.conditionsChangedOffset))
    code.emit(.load(.word, .r2, .r1))
    code.jump(if: .notEqual, .r2, 0, to: known)
    code.emit(.store(.word, .r1, 0, immediate: 1))
    code.loadMap(.r1, ModuleMaps.controlRing)
    code.emit(.move(.r2, Int32(RecordWire.headerByteCount)))
    code.emit(.move(.r3, 0))
    code.call(.ringbufReserve)
    // No room: the user side has work to do, and looks at the word when it has done it.
    code.jump(if: .equal, .r0, 0, to: known)
    code.emit(.store(.word, .r0, 0, immediate: headerWord(ControlRecord.conditionsChanged.rawValue)))
    code.emit(.store(.word, .r0, 4, immediate: 0))
    code.emit(.move(.r1, .r0))
    code.emit(.move(.r2, Self.forceWakeUp))
    code.call(.ringbufSubmit)
    code.place(known)
  }

  mutating func writeLoadLocal(_ result: ValueID, _ local: LocalID) {
    let (source, destination) = (layout.home(local), layout.home(result))
    if source == destination || destination == .unused { return }
    if layout.isText(result), case .scratch(let from) = source, case .scratch(let to) = destination {
      return copyText(.memory(from), toSlot: to)
    }
    move(source, to: destination)
  }

  mutating func writeStoreLocal(_ local: LocalID, _ operand: Operand) {
    let home = layout.home(local)
    if home == .unused { return }
    if layout.isText(local) {
      if case .scratch(let slot) = home { copyText(text(operand), toSlot: slot) }
      return
    }
    switch (operand, home) {
    case (.long(let value), .stack(let offset)) where Int32(exactly: value) != nil:
      code.emit(.store(.double, .r10, offset, immediate: Int32(truncatingIfNeeded: value)))
    case (_, .register(let register)): load(operand, into: register)
    default:
      let source = register(operand, .r0)
      store(source, in: home)
    }
  }

  private mutating func move(_ source: Home, to destination: Home) {
    if case .register(let register) = destination { return load(source, into: register) }
    if case .register(let register) = source { return store(register, in: destination) }
    load(source, into: .r0)
    store(.r0, in: destination)
  }
}
