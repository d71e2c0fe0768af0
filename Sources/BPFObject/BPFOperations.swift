/// The registers; `r10` is the read-only frame pointer, `r6`–`r9` survive calls (RFC 9669, section 2).
package enum BPFRegister: UInt8, Hashable, Sendable, CaseIterable {
  case r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10
}

/// Bytes that a memory access moves; the raw value is its bits of the opcode.
package enum BPFSize: UInt8, Hashable, Sendable, CaseIterable {
  case word = 0x00
  case half = 0x08
  case byte = 0x10
  case double = 0x18

  /// 1, 2, 4 or 8.
  package var byteCount: Int {
    switch self {
    case .byte: 1
    case .half: 2
    case .word: 4
    case .double: 8
    }
  }

  /// The size for 1, 2, 4 or 8 bytes.
  package init?(byteCount: Int) {
    switch byteCount {
    case 1: self = .byte
    case 2: self = .half
    case 4: self = .word
    case 8: self = .double
    default: return nil
    }
  }
}

/// How many bits of its operands an arithmetic instruction or a comparison looks at.
package enum BPFWidth: Hashable, Sendable {
  case bits64, bits32

  var arithmeticClass: UInt8 { self == .bits64 ? 7 : 4 }
  var jumpClass: UInt8 { self == .bits64 ? 5 : 6 }
}

/// Binary operations on registers.
///
/// Unsigned division by zero gives 0, modulo leaves the dividend.
package enum BPFArithmetic: Hashable, Sendable, CaseIterable {
  case add, subtract, multiply, divide, or, and, shiftLeft, shiftRight, modulo, xor, move
  case arithmeticShiftRight
  /// Instruction set v4, Linux 6.6.
  case signedDivide, signedModulo

  var opcode: UInt8 {
    switch self {
    case .add: 0x00
    case .subtract: 0x10
    case .multiply: 0x20
    case .divide, .signedDivide: 0x30
    case .or: 0x40
    case .and: 0x50
    case .shiftLeft: 0x60
    case .shiftRight: 0x70
    case .modulo, .signedModulo: 0x90
    case .xor: 0xa0
    case .move: 0xb0
    case .arithmeticShiftRight: 0xc0
    }
  }

  /// The signed forms differ from the unsigned ones by the offset field.
  var offset: Int16 { self == .signedDivide || self == .signedModulo ? 1 : 0 }

  /// Whether it needs instruction set v4 (Linux 6.6).
  package var needsVersion4: Bool { offset != 0 }
}

/// Read-modify-write operations; the raw value is the instruction's immediate.
package enum BPFAtomic: Int32, Hashable, Sendable, CaseIterable {
  case add = 0x00
  case or = 0x40
  case and = 0x50
  case xor = 0xa0
  case fetchAdd = 0x01
  case fetchOr = 0x41
  case fetchAnd = 0x51
  case fetchXor = 0xa1
  case exchange = 0xe1
  case compareExchange = 0xf1
}

/// Conditions of jumps; the raw value is its bits of the opcode.
package enum BPFCondition: UInt8, Hashable, Sendable, CaseIterable {
  case equal = 0x10
  case greater = 0x20
  case greaterOrEqual = 0x30
  /// `left & right` is not zero.
  case anyBitSet = 0x40
  case notEqual = 0x50
  case signedGreater = 0x60
  case signedGreaterOrEqual = 0x70
  case less = 0xa0
  case lessOrEqual = 0xb0
  case signedLess = 0xc0
  case signedLessOrEqual = 0xd0

  /// The condition that holds exactly when this one does not; `anyBitSet` has none.
  package var inverted: BPFCondition? {
    switch self {
    case .equal: .notEqual
    case .notEqual: .equal
    case .greater: .lessOrEqual
    case .lessOrEqual: .greater
    case .greaterOrEqual: .less
    case .less: .greaterOrEqual
    case .signedGreater: .signedLessOrEqual
    case .signedLessOrEqual: .signedGreater
    case .signedGreaterOrEqual: .signedLess
    case .signedLess: .signedGreaterOrEqual
    case .anyBitSet: nil
    }
  }
}
