extension BPFInstruction {
  /// Whether the right operand is a register.
  var usesSource: Bool { opcode & 0x08 != 0 }

  private var is32Bit: Bool { instructionClass == .arithmetic32 || instructionClass == .jump32 }

  /// `r3`, or `w3` when only the low half counts.
  var destinationName: String { (is32Bit ? "w" : "r") + String(destination.rawValue) }

  var sourceName: String { (is32Bit ? "w" : "r") + String(source) }

  /// Slot that a jump at `slot` goes to; nil for everything else.
  func jumpTarget(from slot: Int) -> Int? {
    guard instructionClass == .jump || instructionClass == .jump32 else { return nil }
    switch opcode {
    case 0x85, 0x95: return nil
    case 0x06: return slot + 1 + Int(immediate)
    default: return slot + 1 + Int(offset)
    }
  }

  /// The fields of an instruction that no table knows.
  var unknownText: String {
    ".insn 0x\(String(opcode, radix: 16)), \(destination), \(source), \(offset), \(immediate)"
  }
}

// MARK: Arithmetic

extension BPFInstruction {
  /// `r1 += r2`.
  var arithmeticText: String {
    let left = destinationName
    let right = usesSource ? sourceName : String(immediate)
    switch opcode & 0xf0 {
    case 0x80: return "\(left) = -\(left)"
    case 0xb0 where offset != 0: return "\(left) = (s\(offset))\(right)"
    case 0xb0: return "\(left) = \(right)"
    case 0xd0: return "\(left) = \(usesSource ? "be" : "le")\(immediate) \(left)"
    default: break
    }
    guard let symbol = arithmeticSymbols[opcode & 0xf0] else { return unknownText }
    return "\(left) \(offset == 1 ? "s" : "")\(symbol)= \(right)"
  }
}

/// Bits of the opcode → operator (kernel/bpf/disasm.c, `bpf_alu_string`).
private let arithmeticSymbols: [UInt8: String] = [
  0x00: "+", 0x10: "-", 0x20: "*", 0x30: "/", 0x40: "|", 0x50: "&", 0x60: "<<", 0x70: ">>",
  0x90: "%", 0xa0: "^", 0xc0: "s>>",
]

// MARK: Memory

extension BPFInstruction {
  /// `r1 = *(u64 *)(r1 + 112)`.
  var memoryText: String {
    guard let size = BPFSize(rawValue: opcode & 0x18) else { return unknownText }
    let bits = size.byteCount * 8
    switch (instructionClass, opcode & 0xe0) {
    case (.loadRegister, 0x60): return "\(destination) = *(u\(bits) *)\(address(source))"
    case (.loadRegister, 0x80): return "\(destination) = *(s\(bits) *)\(address(source))"
    case (.store, 0x60): return "*(u\(bits) *)\(address(destination.rawValue)) = \(immediate)"
    case (.storeRegister, 0x60): return "*(u\(bits) *)\(address(destination.rawValue)) = r\(source)"
    case (.storeRegister, 0xc0): return atomicText(bits: bits)
    default: return unknownText
    }
  }

  private func address(_ base: UInt8) -> String {
    "(r\(base) \(offset < 0 ? "-" : "+") \(offset.magnitude))"
  }

  private func atomicText(bits: Int) -> String {
    let place = address(destination.rawValue)
    let pointer = "(u\(bits) *)\(place)"
    guard let operation = BPFAtomic(rawValue: immediate) else { return unknownText }
    switch operation {
    case .add: return "lock *\(pointer) += r\(source)"
    case .or: return "lock *\(pointer) |= r\(source)"
    case .and: return "lock *\(pointer) &= r\(source)"
    case .xor: return "lock *\(pointer) ^= r\(source)"
    case .fetchAdd: return "r\(source) = atomic\(bits)_fetch_add(\(pointer), r\(source))"
    case .fetchOr: return "r\(source) = atomic\(bits)_fetch_or(\(pointer), r\(source))"
    case .fetchAnd: return "r\(source) = atomic\(bits)_fetch_and(\(pointer), r\(source))"
    case .fetchXor: return "r\(source) = atomic\(bits)_fetch_xor(\(pointer), r\(source))"
    case .exchange: return "r\(source) = atomic\(bits)_xchg(\(pointer), r\(source))"
    case .compareExchange: return "r0 = atomic\(bits)_cmpxchg(\(pointer), r0, r\(source))"
    }
  }
}
