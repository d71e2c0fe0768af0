import BPFObject
import TargetModel
import TraceIR

// Operations on longs.
extension CodeWriter {
  mutating func writeUnary(_ result: ValueID, _ operation: UnaryOperation, _ operand: Operand) {
    if isUnused(result) { return }
    load(operand, into: .r0)
    switch operation {
    case .negate: code.emit(.negate(.r0))
    case .complement: code.emit(.arithmetic(.xor, .r0, -1))
    case .not: writeTruth { writer, label in writer.code.jump(if: .equal, .r0, 0, to: label) }
    }
    store(.r0, result)
  }

  mutating func writeBinary(
    _ result: ValueID,
    _ operation: BinaryOperation,
    _ left: Operand,
    _ right: Operand
  ) {
    if demand.fused[result] != nil { return }
    if operation == .divide || operation == .remainder {
      return writeDivision(result, operation, left, right)
    }
    if isUnused(result) { return }
    if operation.isComparison {
      let comparison = FusedComparison(operation: operation, left: left, right: right)
      writeTruth { writer, label in writer.jump(comparison, holds: true, to: label) }
      return store(.r0, result)
    }
    guard let arithmetic = operation.arithmetic else { return }
    writeArithmetic(arithmetic, left, right, result)
  }

  /// `r0 = 1` when `jump` goes to its label, else 0.
  mutating func writeTruth(_ jump: (inout CodeWriter, Assembler.Label) -> Void) {
    let holds = code.makeLabel()
    let done = code.makeLabel()
    jump(&self, holds)
    code.emit(.move(.r0, 0))
    code.jump(to: done)
    code.place(holds)
    code.emit(.move(.r0, 1))
    code.place(done)
  }

  private mutating func writeArithmetic(
    _ operation: BPFArithmetic,
    _ left: Operand,
    _ right: Operand,
    _ result: ValueID
  ) {
    let target = accumulator(result, right)
    load(left, into: target)
    if case .long(let value) = right, let short = Int32(exactly: operation.isShift ? value & 63 : value) {
      code.emit(.arithmetic(operation, target, short))
    } else {
      code.emit(.arithmetic(operation, target, register(right, .r1)))
    }
    store(target, result)
  }

  /// The result's own register when it is free to compute in, else `r0`.
  private func accumulator(_ result: ValueID, _ right: Operand) -> BPFRegister {
    guard case .register(let home) = layout.home(result) else { return .r0 }
    if case .value(let value) = right, layout.home(value) == .register(home) { return .r0 }
    return home
  }

  /// Signed division from the unsigned one, which every kernel has: magnitudes, then the sign.
  private mutating func writeDivision(
    _ result: ValueID,
    _ operation: BinaryOperation,
    _ left: Operand,
    _ right: Operand
  ) {
    if case .long(0) = right { return raise(.divisionByZero, subject: 0) }
    load(left, into: .r0)
    load(right, into: .r1)
    if case .long = right {
    } else {
      let valid = code.makeLabel()
      code.jump(if: .notEqual, .r1, 0, to: valid)
      raise(.divisionByZero, subject: 0)
      code.place(valid)
    }
    if isUnused(result) { return }
    writeSignedDivision(isRemainder: operation == .remainder)
    store(.r0, result)
  }

  /// `r0 = r0 / r1` or its remainder, with the signs of C; uses `r2` and `r3`.
  mutating func writeSignedDivision(isRemainder: Bool) {
    writeMagnitude(.r0, sign: .r2)
    writeMagnitude(.r1, sign: .r3)
    code.emit(.arithmetic(isRemainder ? .modulo : .divide, .r0, .r1))
    if !isRemainder { code.emit(.arithmetic(.xor, .r2, .r3)) }
    code.emit(.arithmetic(.xor, .r0, .r2))
    code.emit(.arithmetic(.subtract, .r0, .r2))
  }

  /// `sign` becomes -1 or 0, `register` its magnitude.
  mutating func writeMagnitude(_ register: BPFRegister, sign: BPFRegister) {
    code.emit(.move(sign, register))
    code.emit(.arithmetic(.arithmeticShiftRight, sign, 63))
    code.emit(.arithmetic(.xor, register, sign))
    code.emit(.arithmetic(.subtract, register, sign))
  }
}

// MARK: Plans

extension CodeWriter {
  mutating func writePlanUnary(_ result: ValueID, _ operation: PlanUnary, _ operand: Operand) {
    writeUnary(result, operation == .negate ? .negate : .complement, operand)
  }

  mutating func writePlanBinary(
    _ result: ValueID,
    _ operation: PlanBinary,
    _ left: Operand,
    _ right: Operand
  ) {
    switch operation {
    case .equal: writeBinary(result, .equal, left, right)
    case .notEqual: writeBinary(result, .notEqual, left, right)
    case .lessSigned: writeBinary(result, .less, left, right)
    case .lessOrEqualSigned: writeBinary(result, .lessOrEqual, left, right)
    case .divideSigned: writePlanDivision(result, left, right) { $0.writeSignedDivision(isRemainder: false) }
    case .remainderSigned:
      writePlanDivision(result, left, right) { $0.writeSignedDivision(isRemainder: true) }
    case .remainderUnsigned:
      writePlanDivision(result, left, right) { $0.code.emit(.arithmetic(.modulo, .r0, .r1)) }
    default:
      guard let arithmetic = operation.arithmetic else { return }
      writeArithmetic(arithmetic, left, right, result)
    }
  }

  /// Division in a plan: by zero it gives 0, where the machine's remainder would be the dividend.
  private mutating func writePlanDivision(
    _ result: ValueID,
    _ left: Operand,
    _ right: Operand,
    divide: (inout CodeWriter) -> Void
  ) {
    let (valid, done) = (code.makeLabel(), code.makeLabel())
    load(left, into: .r0)
    load(right, into: .r1)
    code.jump(if: .notEqual, .r1, 0, to: valid)
    code.emit(.move(.r0, 0))
    code.jump(to: done)
    code.place(valid)
    divide(&self)
    code.place(done)
    store(.r0, result)
  }

  mutating func writeExtend(_ result: ValueID, _ operand: Operand, byteCount: Int, isSigned: Bool) {
    writeBits(result, operand, offset: 0, count: byteCount * 8, isSigned: isSigned)
  }

  mutating func writeBits(_ result: ValueID, _ operand: Operand, offset: Int, count: Int, isSigned: Bool) {
    load(operand, into: .r0)
    extend(.r0, offset: offset, count: count, isSigned: isSigned)
    store(.r0, result)
  }

  mutating func extend(_ register: BPFRegister, offset: Int, count: Int, isSigned: Bool) {
    let count = max(1, min(count, 64 - offset))
    if offset == 0, count == 32, !isSigned { return code.emit(.move(register, register, width: .bits32)) }
    let above = Int32(64 - offset - count)
    if above > 0 { code.emit(.arithmetic(.shiftLeft, register, above)) }
    let shift = Int32(64 - count)
    if shift > 0 { code.emit(.arithmetic(isSigned ? .arithmeticShiftRight : .shiftRight, register, shift)) }
  }
}

extension BPFArithmetic {
  fileprivate var isShift: Bool {
    self == .shiftLeft || self == .shiftRight || self == .arithmeticShiftRight
  }
}

extension BinaryOperation {
  fileprivate var arithmetic: BPFArithmetic? {
    switch self {
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    case .and: .and
    case .or: .or
    case .xor: .xor
    case .shiftLeft: .shiftLeft
    case .shiftRight: .arithmeticShiftRight
    case .shiftRightLogical: .shiftRight
    case .divide, .remainder, .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: nil
    }
  }
}

extension PlanBinary {
  fileprivate var arithmetic: BPFArithmetic? {
    switch self {
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    case .divideUnsigned: .divide
    case .and: .and
    case .or: .or
    case .xor: .xor
    case .shiftLeft: .shiftLeft
    case .shiftRightLogical: .shiftRight
    case .shiftRightArithmetic: .arithmeticShiftRight
    case .divideSigned, .remainderSigned, .remainderUnsigned, .equal, .notEqual, .lessSigned,
      .lessOrEqualSigned:
      nil
    }
  }
}
