import BPFObject
import TraceIR

// Primitive functions on strings that are calls of subprograms.
extension CodeWriter {
  mutating func writeReplace(_ operands: [Operand], _ result: ValueID) {
    guard let slot = slot(of: result) else { return }
    scratchAddress(.r1, slot)
    for (register, operand) in zip([BPFRegister.r2, .r3, .r4], operands) {
      textAddress(register, text(operand), 0)
    }
    code.call(subprogram(.replaceText))
  }

  /// `text_str`, `text_strn` and `string_quoted`; what is too long ends in `"...`, or is cut anywhere.
  mutating func writeEscape(
    _ operand: Operand,
    limit: Operand,
    isQuoted: Operand,
    isCut: Bool = false,
    _ result: ValueID
  ) {
    guard let slot = slot(of: result) else { return }
    escape(text(operand), toSlot: slot, limit: limit, quote: "\"", isQuoted: isQuoted, isCut: isCut)
  }

  /// Of the names in the literals, or `E#` and the number.
  mutating func writeErrorName(_ operand: Operand, _ result: ValueID) {
    guard let slot = slot(of: result) else { return }
    let (unknown, done) = (code.makeLabel(), code.makeLabel())
    let names = ErrorNames()
    let start = shared.literals.offset(ofTable: "errno", contents: names.contents)
    load(operand, into: .r1)
    code.jump(if: .greaterOrEqual, .r1, Int32(names.count), to: unknown)
    code.emit(.arithmetic(.multiply, .r1, Int32(names.fieldByteCount)))
    code.loadMapValue(.r3, ModuleMaps.literals, offset: start)
    add(.r3, .r1)
    copyForeignText(toSlotOf: result)
    loadLength(.r1, slot)
    code.jump(if: .notEqual, .r1, 0, to: done)
    code.place(unknown)
    copyText(.literal(Array("E#".utf8)), toSlot: slot)
    scratchAddress(.r1, slot)
    load(operand, into: .r2)
    move(.r3, 1)
    code.call(subprogram(.appendDecimal))
    code.place(done)
  }

  /// Two numbers of 32 bits make one of 63; the rest of a division is below the bound.
  mutating func writeRandom(_ operand: Operand, _ result: ValueID) {
    if isUnused(result) { return }
    let (positive, done) = (code.makeLabel(), code.makeLabel())
    code.call(.getPseudoRandomU32)
    storeDouble(.r10, -8, .r0)
    code.call(.getPseudoRandomU32)
    code.emit(.arithmetic(.shiftLeft, .r0, 32))
    loadDouble(.r1, .r10, -8)
    code.emit(.arithmetic(.or, .r0, .r1))
    code.emit(.arithmetic(.shiftRight, .r0, 1))
    load(operand, into: .r1)
    code.jump(if: .signedGreater, .r1, 0, to: positive)
    move(.r0, 0)
    code.jump(to: done)
    code.place(positive)
    code.emit(.arithmetic(.modulo, .r0, .r1))
    code.place(done)
    store(.r0, result)
  }
}

/// The symbols of error numbers as string fields of one width.
private struct ErrorNames {
  let fieldByteCount = 24
  let count: Int
  private(set) var contents: [UInt8] = []

  init() {
    count = Int(errnoNames.keys.max() ?? 0) + 1
    for number in 0..<count {
      let start = contents.count
      contents.append(field: Array((errnoNames[Int64(number)] ?? "").utf8))
      contents += [UInt8](repeating: 0, count: fieldByteCount - (contents.count - start))
    }
  }
}
