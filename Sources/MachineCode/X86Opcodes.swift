// Which x86-64 opcodes have a ModRM byte and how large their immediates are.
// Source: Intel SDM, volume 2, appendix A (tables ); AMD64 APM, volume 3, appendix A.

/// What follows an opcode.
struct X86OpcodeShape {
  /// Bytes of immediate operand, by operand size.
  enum Immediate {
    case none
    case byte
    case word
    /// 2 bytes with operand size 16, else 4 (`Iz`).
    case wordOrDouble
    /// 2, 4 or 8 bytes by operand size (`Iv`, only `mov reg, imm`).
    case full
    /// 8 bytes, 4 with an address-size prefix (`moffs`).
    case address
    /// `enter`: 2 and 1.
    case wordAndByte
    /// Group 3: byte for `test`, else none; decided by ModRM.
    case testByte
    case testWordOrDouble
  }

  var hasModRM: Bool
  var immediate: Immediate

  init(_ hasModRM: Bool, _ immediate: Immediate = .none) {
    self.hasModRM = hasModRM
    self.immediate = immediate
  }

  /// One-byte opcodes; nil is invalid in 64-bit mode or not an opcode of its own.
  static func oneByte(_ opcode: UInt8) -> X86OpcodeShape? {
    switch opcode {
    case 0x00...0x3f: arithmetic(opcode)
    case 0x50...0x5f, 0x90...0x99, 0x9b...0x9f, 0xa4...0xa7, 0xaa...0xaf, 0x6c...0x6f: X86OpcodeShape(false)
    case 0xc3, 0xc9, 0xcb, 0xcc, 0xcf, 0xd7, 0xec...0xef, 0xf1, 0xf4, 0xf5, 0xf8...0xfd: X86OpcodeShape(false)
    case 0x63, 0x84...0x8f, 0xd0...0xd3, 0xd8...0xdf, 0xfe, 0xff: X86OpcodeShape(true)
    case 0x68, 0xa9, 0xe8, 0xe9: X86OpcodeShape(false, .wordOrDouble)
    case 0x69, 0x81, 0xc7: X86OpcodeShape(true, .wordOrDouble)
    case 0x6a, 0x70...0x7f, 0xa8, 0xb0...0xb7, 0xcd, 0xe0...0xe7, 0xeb: X86OpcodeShape(false, .byte)
    case 0x6b, 0x80, 0x83, 0xc0, 0xc1, 0xc6: X86OpcodeShape(true, .byte)
    case 0xa0...0xa3: X86OpcodeShape(false, .address)
    case 0xb8...0xbf: X86OpcodeShape(false, .full)
    case 0xc2, 0xca: X86OpcodeShape(false, .word)
    case 0xc8: X86OpcodeShape(false, .wordAndByte)
    case 0xf6: X86OpcodeShape(true, .testByte)
    case 0xf7: X86OpcodeShape(true, .testWordOrDouble)
    default: nil
    }
  }

  /// `add` to `cmp`: six forms each; the last two columns were BCD and segment pushes.
  private static func arithmetic(_ opcode: UInt8) -> X86OpcodeShape? {
    switch opcode & 7 {
    case 0...3: X86OpcodeShape(true)
    case 4: X86OpcodeShape(false, .byte)
    case 5: X86OpcodeShape(false, .wordOrDouble)
    default: nil
    }
  }

  /// Opcodes after `0f`.
  static func twoByte(_ opcode: UInt8) -> X86OpcodeShape? {
    switch opcode {
    case 0x04, 0x0a, 0x0c, 0x0f, 0x24...0x27, 0x36, 0x39, 0x3b...0x3f: nil
    case 0x05...0x09, 0x0b, 0x0e, 0x30...0x35, 0x37, 0x77, 0xa0...0xa2, 0xa8...0xaa, 0xc8...0xcf:
      X86OpcodeShape(false)
    case 0x80...0x8f: X86OpcodeShape(false, .wordOrDouble)
    case 0x70...0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4...0xc6: X86OpcodeShape(true, .byte)
    case 0x7a, 0x7b, 0xa6, 0xa7: nil
    default: X86OpcodeShape(true)
    }
  }
}
