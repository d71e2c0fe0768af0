/// General registers of x86-64, by the number that instructions carry.
package struct X86Registers: OptionSet, Hashable, Sendable {
  package let rawValue: UInt16

  /// The set with that raw value.
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  /// The register with that DWARF number (System V psABI, figure 3.36); none for what is no general register.
  package init(dwarf number: Int) {
    let first: [UInt8] = [0, 2, 1, 3, 6, 7, 5, 4]
    switch number {
    case 0..<8: self.init(number: first[number])
    case 8..<16: self.init(number: UInt8(number))
    default: self = []
    }
  }

  init(number: UInt8) { rawValue = 1 << UInt16(number & 15) }

  package static let rax = X86Registers(number: 0)
  package static let rcx = X86Registers(number: 1)
  package static let rdx = X86Registers(number: 2)
  package static let rsp = X86Registers(number: 4)
  package static let rsi = X86Registers(number: 6)
  package static let rdi = X86Registers(number: 7)
  package static let r8 = X86Registers(number: 8)
  package static let r9 = X86Registers(number: 9)
  package static let all = X86Registers(rawValue: .max)
  /// Where the System V ABI passes integers, the stack's place included.
  package static let arguments: X86Registers = [.rdi, .rsi, .rdx, .rcx, .r8, .r9, .rsp]
}

extension X86Instruction {
  /// The general registers that it may write; all of them when that is not known here.
  ///
  /// What writes near the stack pointer counts as writing it: a stack argument may be lost.
  package var writtenRegisters: X86Registers {
    switch kind {
    case .nop, .endbr64, .jump, .barrier: return []
    case .conditionalJump: return map == .oneByte && opcode >= 0xe0 ? .rcx : []
    case .push, .return: return .rsp
    case .call, .indirectBranch, .trap: return .all
    case .other: break
    }
    switch map {
    case .oneByte: return writtenByPlain
    case .twoByte: return writtenByEscaped
    case .threeByte38, .threeByte3A, .vector: return .all
    }
  }

  /// Source: Intel SDM, volume 2, table A-2.
  private var writtenByPlain: X86Registers {
    switch opcode {
    case 0x38...0x3d, 0x84, 0x85, 0xa8, 0xa9: []  // cmp, test
    case 0x00...0x37: writtenByArithmetic
    case 0x58...0x5f: [encoded, .rsp]
    case 0x63, 0x69, 0x6b, 0x8b, 0x8d: register()
    case 0x68, 0x6a: .rsp
    case 0x80, 0x81, 0x83: operation == 7 ? [] : operand(isByte: opcode == 0x80)
    case 0x86, 0x87: [register(isByte: opcode == 0x86), operand(isByte: opcode == 0x86)]
    case 0x88, 0x89, 0xc6, 0xc7: operand(isByte: opcode & 1 == 0)
    case 0x8a: register(isByte: true)
    case 0x98: .rax
    case 0x99: .rdx
    case 0xb0...0xb7: rex == 0 && opcode >= 0xb4 ? X86Registers(number: opcode & 3) : encoded
    case 0xb8...0xbf: encoded
    case 0xc0, 0xc1, 0xd0...0xd3, 0xfe: operand(isByte: opcode & 1 == 0)
    case 0xf6, 0xf7:
      operation <= 1 ? [] : operation <= 3 ? operand(isByte: opcode == 0xf6) : [.rax, .rdx]
    case 0xff: operation <= 1 ? operand() : .rsp
    default: .all
    }
  }

  /// `add` to `xor`: six forms each.
  private var writtenByArithmetic: X86Registers {
    switch opcode & 7 {
    case 0, 1: operand(isByte: opcode & 1 == 0)
    case 2, 3: register(isByte: opcode & 1 == 0)
    default: .rax
    }
  }

  /// Source: Intel SDM, volume 2, table A-3; instructions on vector registers write no general one.
  private var writtenByEscaped: X86Registers {
    switch opcode {
    case 0x10...0x1f, 0x28...0x2b, 0x2e, 0x2f, 0x51...0x6f, 0x7f, 0xa3, 0xc6: vectorStore
    case 0x2c, 0x2d, 0x40...0x50, 0xaf, 0xb6...0xb8, 0xbc...0xbf, 0xd7: register()
    case 0x7e: prefixes.contains(.repeatEqual) ? [] : operand()
    case 0x90...0x9f: operand(isByte: true)
    case 0xa4, 0xa5, 0xab, 0xac, 0xad, 0xb3, 0xbb: operand()
    case 0xba: operation == 4 ? [] : operand()
    case 0xc8...0xcf: encoded
    default: .all
    }
  }

  /// The three bits that extend some opcodes.
  private var operation: UInt8 { (modRM ?? 0) >> 3 & 7 }

  /// The register in the opcode itself.
  private var encoded: X86Registers { X86Registers(number: opcode & 7 | (rex & 1) << 3) }

  /// The register operand of ModRM.
  private func register(isByte: Bool = false) -> X86Registers {
    named((modRM ?? 0) >> 3 & 7, extended: rex & 4 != 0, isByte: isByte)
  }

  /// The register-or-memory operand of ModRM.
  private func operand(isByte: Bool = false) -> X86Registers {
    guard (modRM ?? 0) >> 6 == 3 else { return vectorStore }
    return named((modRM ?? 0) & 7, extended: rex & 1 != 0, isByte: isByte)
  }

  /// What a store to memory may hit: only those through `rsp` can reach stack arguments this early.
  private var vectorStore: X86Registers {
    guard let modRM, modRM >> 6 != 3, modRM & 7 == 4 else { return [] }
    return .rsp
  }

  /// `ah` to `bh` are parts of the first four.
  private func named(_ number: UInt8, extended: Bool, isByte: Bool) -> X86Registers {
    if isByte, rex == 0, number >= 4 { return X86Registers(number: number - 4) }
    return X86Registers(number: number | (extended ? 8 : 0))
  }
}
