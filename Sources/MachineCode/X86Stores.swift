extension X86Instruction {
  /// Whether it may write memory other than that of its function's own frame; true where that is not known here.
  ///
  /// Source: Intel SDM, volume 2, tables: which operand is the destination.
  var mayWriteMemory: Bool {
    if kind == .barrier { return false }
    if map == .oneByte, (0xa2...0xa5).contains(opcode) || (0xaa...0xab).contains(opcode) { return true }
    guard let modRM, modRM >> 6 != 3 else { return false }
    // The frame, or the red zone below it.
    if isStackBased { return false }
    switch map {
    case .oneByte: return !readsOnlyPlain
    case .twoByte: return !readsOnlyEscaped
    case .threeByte38: return opcode >= 0xf0
    case .threeByte3A: return (0x14...0x17).contains(opcode)
    case .vector: return ![0x10, 0x28, 0x6e, 0x6f].contains(opcode)
    }
  }

  private var readsOnlyPlain: Bool {
    let operation = (modRM ?? 0) >> 3 & 7
    switch opcode {
    case 0x38...0x3b: return true  // cmp
    case 0x00...0x37: return opcode & 7 == 2 || opcode & 7 == 3
    case 0x63, 0x69, 0x6b, 0x84, 0x85, 0x8a, 0x8b, 0x8d: return true
    case 0x80...0x83: return operation == 7
    case 0xf6, 0xf7: return operation != 2 && operation != 3
    default: return false
    }
  }

  private var readsOnlyEscaped: Bool {
    switch opcode {
    case 0x10, 0x12, 0x14...0x16, 0x18...0x1f, 0x28, 0x2a, 0x2c...0x2f, 0x40...0x6f, 0xa3, 0xaf, 0xb6...0xb8,
      0xbc...0xbf:
      return true
    case 0x7e: return prefixes.contains(.repeatEqual)
    case 0xba: return (modRM ?? 0) >> 3 & 7 == 4
    case 0xd0...0xd5, 0xd8...0xe6, 0xe8...0xf6, 0xf8...0xfe: return true
    default: return false
    }
  }
}
