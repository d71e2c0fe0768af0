import BPFObject
import TraceIR

// Longs between their homes and registers.
extension CodeWriter {
  mutating func load(_ operand: Operand, into register: BPFRegister) {
    switch operand {
    case .long(let value): code.loadConstant(register, value)
    case .value(let value): load(layout.home(value), into: register)
    case .string: preconditionFailure("the IR verifier lets no string stand for a long")
    }
  }

  mutating func load(_ home: Home, into register: BPFRegister) {
    switch home {
    case .unused: code.emit(.move(register, 0))
    case .register(let source): if source != register { code.emit(.move(register, source)) }
    case .stack(let offset): code.emit(.load(.double, register, .r10, offset))
    case .scratch(let offset): loadScratch(.double, register, offset)
    }
  }

  mutating func store(_ register: BPFRegister, in home: Home) {
    switch home {
    case .unused: break
    case .register(let destination): if destination != register { code.emit(.move(destination, register)) }
    case .stack(let offset): code.emit(.store(.double, .r10, offset, register))
    case .scratch(let offset): storeScratch(.double, offset, register)
    }
  }

  mutating func store(_ register: BPFRegister, _ result: ValueID) { store(register, in: layout.home(result)) }

  /// The register that holds `operand`: its home, or `temporary` after a load.
  mutating func register(_ operand: Operand, _ temporary: BPFRegister) -> BPFRegister {
    if case .value(let value) = operand, case .register(let home) = layout.home(value) { return home }
    load(operand, into: temporary)
    return temporary
  }

  /// Whether nobody reads the result, so that code without other effects can go.
  func isUnused(_ result: ValueID) -> Bool { layout.home(result) == .unused }

  /// Stores a long at a fixed place: `base + offset`.
  ///
  /// Uses `temporary` for what is no short constant.
  mutating func store(
    _ operand: Operand,
    at base: BPFRegister,
    _ offset: Int,
    _ temporary: BPFRegister
  ) {
    if case .long(let value) = operand, let short = Int32(exactly: value) {
      code.emit(.store(.double, base, Int16(offset), immediate: short))
    } else {
      code.emit(.store(.double, base, Int16(offset), register(operand, temporary)))
    }
  }
}

// MARK: Scratch memory

extension CodeWriter {
  /// `register = &scratch[offset]`.
  mutating func scratchAddress(_ register: BPFRegister, _ offset: Int) {
    guard let scratch = layout.scratchRegister else {
      preconditionFailure("FrameDemand claims scratch memory for all that uses it")
    }
    code.emit(.move(register, scratch))
    code.emit(.arithmetic(.add, register, Int32(offset)))
  }

  mutating func loadScratch(_ size: BPFSize, _ register: BPFRegister, _ offset: Int) {
    if let scratch = layout.scratchRegister, let near = Int16(exactly: offset) {
      return code.emit(.load(size, register, scratch, near))
    }
    scratchAddress(register, offset)
    code.emit(.load(size, register, register))
  }

  /// Uses `r5` when the place is far.
  mutating func storeScratch(_ size: BPFSize, _ offset: Int, _ register: BPFRegister) {
    if let scratch = layout.scratchRegister, let near = Int16(exactly: offset) {
      return code.emit(.store(size, scratch, near, register))
    }
    scratchAddress(.r5, offset)
    code.emit(.store(size, .r5, 0, register))
  }

  mutating func storeScratch(_ size: BPFSize, _ offset: Int, immediate: Int32) {
    if let scratch = layout.scratchRegister, let near = Int16(exactly: offset) {
      return code.emit(.store(size, scratch, near, immediate: immediate))
    }
    scratchAddress(.r5, offset)
    code.emit(.store(size, .r5, 0, immediate: immediate))
  }

  /// `register = frame pointer + offset`.
  mutating func stackAddress(_ register: BPFRegister, _ offset: Int) {
    code.stackAddress(register, Int32(offset))
  }
}

// MARK: Conditions

extension CodeWriter {
  /// Goes to `label` when `condition` is zero or a fused comparison does not hold.
  mutating func jump(unless condition: Operand, to label: Assembler.Label) {
    switch condition {
    case .long(let value): if value == 0 { code.jump(to: label) }
    case .value(let value):
      if let comparison = demand.fused[value] {
        jump(comparison, holds: false, to: label)
      } else {
        code.jump(if: .equal, register(condition, .r0), 0, to: label)
      }
    case .string: preconditionFailure("the IR verifier lets no string be a condition")
    }
  }

  /// Uses `r0` and `r1`.
  mutating func jump(_ comparison: FusedComparison, holds: Bool, to label: Assembler.Label) {
    guard let straight = comparison.operation.condition, let inverted = straight.inverted else { return }
    let left = register(comparison.left, .r0)
    let condition = holds ? straight : inverted
    if case .long(let value) = comparison.right, let short = Int32(exactly: value) {
      code.jump(if: condition, left, short, to: label)
    } else {
      code.jump(if: condition, left, register(comparison.right, .r1), to: label)
    }
  }
}

extension BinaryOperation {
  /// The jump that a comparison is.
  var condition: BPFCondition? {
    switch self {
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .signedLess
    case .lessOrEqual: .signedLessOrEqual
    case .greater: .signedGreater
    case .greaterOrEqual: .signedGreaterOrEqual
    case .add, .subtract, .multiply, .divide, .remainder, .and, .or, .xor, .shiftLeft, .shiftRight,
      .shiftRightLogical:
      nil
    }
  }
}
