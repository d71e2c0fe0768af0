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
