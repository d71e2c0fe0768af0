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

  /// Of the names in the literals, or the number.
  mutating func writeName(of operand: Operand, in names: NumberNames, _ result: ValueID) {
    guard let slot = slot(of: result) else { return }
    let (unknown, done) = (code.makeLabel(), code.makeLabel())
    let fields = NameFields(names)
    let start = needs.literals.offset(ofTable: names.table, contents: fields.contents)
    load(operand, into: .r1)
    code.jump(if: .greaterOrEqual, .r1, Int32(fields.count), to: unknown)
    code.emit(.arithmetic(.multiply, .r1, Int32(fields.fieldByteCount)))
    code.loadMapValue(.r3, ModuleMaps.literals, offset: start)
    add(.r3, .r1)
    copyForeignText(toSlotOf: result)
    loadLength(.r1, slot)
    code.jump(if: .notEqual, .r1, 0, to: done)
    code.place(unknown)
    copyText(.literal(Array(names.unknownPrefix.utf8)), toSlot: slot)
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

/// Names of numbers from 0 on as string fields of one width.
private struct NameFields {
  let fieldByteCount: Int
  let count: Int
  private(set) var contents: [UInt8] = []

  init(_ table: NumberNames) {
    count = Int(table.names.keys.max() ?? 0) + 1
    // A length of four bytes, the text and room to the next multiple of eight.
    fieldByteCount = ((table.names.values.map(\.utf8.count).max() ?? 0) + 4 + 7) & ~7
    for number in 0..<count {
      let start = contents.count
      contents.append(field: Array((table.names[Int64(number)] ?? "").utf8))
      contents += [UInt8](repeating: 0, count: fieldByteCount - (contents.count - start))
    }
  }
}
