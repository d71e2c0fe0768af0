/// One decoded x86-64 instruction: how long it is and what a tracer must know of it.
///
/// Source: Intel SDM, volume 2, chapter 2 (instruction format).
package struct X86Instruction: Hashable, Sendable {
  /// What it does, as far as probes care.
  package enum Kind: Hashable, Sendable {
    /// `90`, `66 90`, `0f 1f …`.
    case nop
    case endbr64
    /// `push` of a 64-bit register.
    case push
    case jump(displacement: Int64)
    case conditionalJump(displacement: Int64)
    case call(displacement: Int64)
    /// `jmp` or `call` through a register or memory.
    case indirectBranch
    case `return`
    /// `int3`, `ud2`, `hlt`, `syscall`: ends or leaves the flow.
    case trap
    case other
  }

  package let byteCount: Int
  package let kind: Kind
  /// Legacy prefixes in front: `66`, `f2`, `f3`, `f0`, segments.
  package let prefixes: [UInt8]
  /// The displacement is relative to the instruction pointer, which differs when the code is copied.
  package let isRIPRelative: Bool
  /// The bytes that it writes besides memory and flags: general registers by number, when they are known.
  package let opcode: [UInt8]
  package let modRM: UInt8?
  package let rex: UInt8

  /// Decodes the instruction that starts at the first of `bytes`.
  ///
  /// Nil when the bytes end within it, it is longer than 15 bytes, or it is none.
  package init?(_ bytes: some RandomAccessCollection<UInt8>) {
    var decoder = X86Decoder(Array(bytes.prefix(15)))
    guard let decoded = decoder.decode() else { return nil }
    self = decoded
  }

  fileprivate init(
    byteCount: Int,
    kind: Kind,
    prefixes: [UInt8],
    isRIPRelative: Bool,
    opcode: [UInt8],
    modRM: UInt8?,
    rex: UInt8
  ) {
    self.byteCount = byteCount
    self.kind = kind
    self.prefixes = prefixes
    self.isRIPRelative = isRIPRelative
    self.opcode = opcode
    self.modRM = modRM
    self.rex = rex
  }

  /// Whether it is encoded with a VEX, EVEX or XOP prefix.
  package var isVector: Bool { opcode.count == 2 && [0xc4, 0xc5, 0x62, 0x8f].contains(opcode[0]) }

  /// The five-byte nop that newer kernels replace by a call (Linux 6.18, arch/x86/kernel/uprobes.c).
  package var isNop5: Bool { kind == .nop && byteCount == 5 && prefixes.isEmpty }
}

/// Reads one instruction front to back.
private struct X86Decoder {
  private let bytes: [UInt8]
  private var offset = 0
  private var prefixes: [UInt8] = []
  private var rex: UInt8 = 0
  private var opcode: [UInt8] = []
  private var modRM: UInt8?
  private var isRIPRelative = false

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func decode() -> X86Instruction? {
    guard readPrefixes(), let shape = readOpcode() else { return nil }
    if shape.hasModRM { guard readModRM() else { return nil } }
    let immediateStart = offset
    guard skip(immediateByteCount(shape.immediate)) else { return nil }
    return X86Instruction(
      byteCount: offset,
      kind: kind(immediate: immediateStart),
      prefixes: prefixes,
      isRIPRelative: isRIPRelative,
      opcode: opcode,
      modRM: modRM,
      rex: rex
    )
  }

  private mutating func next() -> UInt8? {
    guard offset < bytes.count else { return nil }
    defer { offset += 1 }
    return bytes[offset]
  }

  private mutating func skip(_ count: Int) -> Bool {
    guard bytes.count - offset >= count else { return false }
    offset += count
    return true
  }

  private mutating func readPrefixes() -> Bool {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65:
        prefixes.append(bytes[offset])
        offset += 1
      case 0x40...0x4f:
        rex = bytes[offset]
        offset += 1
        return offset < bytes.count
      default: return true
      }
    }
    return false
  }

  private mutating func readOpcode() -> X86OpcodeShape? {
    guard let first = next() else { return nil }
    opcode = [first]
    switch first {
    case 0x0f: return readEscapedOpcode()
    case 0xc5: return readVectorOpcode(payload: 1) { _ in 1 }
    case 0xc4: return readVectorOpcode(payload: 2) { $0 & 0x1f }
    case 0x62: return readVectorOpcode(payload: 3) { $0 & 0x07 }
    case 0x8f where offset < bytes.count && bytes[offset] & 0x1f >= 8:
      return readVectorOpcode(payload: 2) { $0 & 0x1f }
    default: return X86OpcodeShape.oneByte(first)
    }
  }

  private mutating func readEscapedOpcode() -> X86OpcodeShape? {
    guard let second = next() else { return nil }
    opcode.append(second)
    switch second {
    case 0x38, 0x3a:
      guard let third = next() else { return nil }
      opcode.append(third)
      return X86OpcodeShape(true, second == 0x3a ? .byte : .none)
    default: return X86OpcodeShape.twoByte(second)
    }
  }

  /// VEX, EVEX and XOP: a payload that names the opcode map, then the opcode.
  private mutating func readVectorOpcode(
    payload byteCount: Int,
    map: (UInt8) -> UInt8
  ) -> X86OpcodeShape? {
    guard let first = next(), skip(byteCount - 1), let last = next() else { return nil }
    let isXOP = opcode == [0x8f]
    opcode.append(last)
    switch map(first) {
    case 1: return last == 0x77 ? X86OpcodeShape(false) : vectorShape(last)
    case 2, 5, 6, 9: return X86OpcodeShape(true)
    case 3, 8: return X86OpcodeShape(true, .byte)
    case 10: return isXOP ? X86OpcodeShape(true, .wordOrDouble) : nil
    default: return nil
    }
  }

  private func vectorShape(_ opcode: UInt8) -> X86OpcodeShape {
    switch opcode {
    case 0x70...0x73, 0xc2, 0xc4...0xc6: X86OpcodeShape(true, .byte)
    default: X86OpcodeShape(true)
    }
  }

  private mutating func readModRM() -> Bool {
    guard let byte = next() else { return false }
    modRM = byte
    let mode = byte >> 6
    let base = byte & 7
    guard mode != 3 else { return true }
    var displacement = mode == 1 ? 1 : mode == 2 ? 4 : 0
    if base == 4 {
      guard let index = next() else { return false }
      if mode == 0, index & 7 == 5 { displacement = 4 }
    } else if mode == 0, base == 5 {
      displacement = 4
      isRIPRelative = true
    }
    return skip(displacement)
  }

  private func immediateByteCount(_ immediate: X86OpcodeShape.Immediate) -> Int {
    let isWord = prefixes.contains(0x66) && rex & 8 == 0
    // Near branches ignore the operand-size prefix on Intel processors.
    let isBranch =
      opcode == [0xe8] || opcode == [0xe9] || (opcode.first == 0x0f && opcode.last.map { $0 & 0xf0 } == 0x80)
    let isTest = modRM.map { $0 & 0x38 <= 8 } ?? false
    switch immediate {
    case .none: return 0
    case .byte: return 1
    case .word: return 2
    case .wordOrDouble: return isWord && !isBranch ? 2 : 4
    case .full: return rex & 8 != 0 ? 8 : isWord ? 2 : 4
    case .address: return prefixes.contains(0x67) ? 4 : 8
    case .wordAndByte: return 3
    case .testByte: return isTest ? 1 : 0
    case .testWordOrDouble: return isTest ? (isWord ? 2 : 4) : 0
    }
  }

  private func kind(immediate start: Int) -> X86Instruction.Kind {
    switch (opcode.first ?? 0, opcode.count) {
    case (0x90, 1) where rex & 1 == 0 && !prefixes.contains(0xf3): return .nop
    case (0x0f, 2): return escapedKind(immediate: start)
    case (0x50...0x57, 1): return .push
    case (0xeb, 1), (0xe9, 1): return .jump(displacement: displacement(from: start))
    case (0x70...0x7f, 1), (0xe0...0xe3, 1): return .conditionalJump(displacement: displacement(from: start))
    case (0xe8, 1): return .call(displacement: displacement(from: start))
    case (0xc2, 1), (0xc3, 1), (0xca, 1), (0xcb, 1), (0xcf, 1): return .return
    case (0xcc, 1), (0xcd, 1), (0xf1, 1), (0xf4, 1): return .trap
    case (0xff, 1) where modRM.map { (2...5).contains(($0 >> 3) & 7) } ?? false: return .indirectBranch
    default: return .other
    }
  }

  private func escapedKind(immediate start: Int) -> X86Instruction.Kind {
    switch opcode[1] {
    case 0x1f: .nop
    case 0x1e where prefixes.contains(0xf3) && modRM == 0xfa: .endbr64
    case 0x80...0x8f: .conditionalJump(displacement: displacement(from: start))
    case 0x05, 0x0b, 0x34: .trap
    default: .other
    }
  }

  private func displacement(from start: Int) -> Int64 {
    var value: UInt64 = 0
    for (position, byte) in bytes[start..<offset].enumerated() {
      value |= UInt64(byte) << (8 * UInt64(position))
    }
    let shift = UInt64(64 - 8 * (offset - start))
    return Int64(bitPattern: value << shift) >> Int64(shift)
  }
}
