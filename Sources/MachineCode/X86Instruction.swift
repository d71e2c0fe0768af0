/// One decoded x86-64 instruction: how long it is and what a tracer must know of it.
///
/// Source: Intel SDM, volume 2, chapter 2 (instruction format). Decoding allocates nothing: a wildcard decodes a
/// million of them.
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
    /// `lock or $0, (%rsp)` and its like, which order memory and change nothing.
    case barrier
    /// `int3`, `ud2`, `hlt`, `syscall`: ends or leaves the flow.
    case trap
    case other
  }

  /// Which table the opcode is from.
  enum OpcodeMap: Hashable, Sendable {
    case oneByte
    /// Behind `0f`, `0f 38`, `0f 3a`.
    case twoByte, threeByte38, threeByte3A
    /// VEX, EVEX and XOP.
    case vector
  }

  package let byteCount: Int
  package let kind: Kind
  /// Legacy prefixes in front.
  package let prefixes: X86Prefixes
  /// The displacement is relative to the instruction pointer, which differs when the code is copied.
  package let isRIPRelative: Bool
  let map: OpcodeMap
  /// The opcode's last byte.
  let opcode: UInt8
  let modRM: UInt8?
  /// The byte behind ModRM that names base and index, where there is one.
  let scaleIndexBase: UInt8?
  let rex: UInt8

  /// Whether its memory operand is `disp(%rsp)`.
  var isStackBased: Bool { scaleIndexBase == 0x24 && rex & 3 == 0 }

  /// Decodes the instruction at `offset` of `code`.
  ///
  /// Nil when the bytes end within it, it is longer than 15 bytes, or it is none.
  package init?(_ code: [UInt8], at offset: Int = 0) {
    var decoder = X86Decoder(code, offset)
    guard let decoded = decoder.decode() else { return nil }
    self = decoded
  }

  fileprivate init(
    byteCount: Int,
    kind: Kind,
    prefixes: X86Prefixes,
    isRIPRelative: Bool,
    map: OpcodeMap,
    opcode: UInt8,
    modRM: UInt8?,
    scaleIndexBase: UInt8?,
    rex: UInt8
  ) {
    self.byteCount = byteCount
    self.kind = kind
    self.prefixes = prefixes
    self.isRIPRelative = isRIPRelative
    self.map = map
    self.opcode = opcode
    self.modRM = modRM
    self.scaleIndexBase = scaleIndexBase
    self.rex = rex
  }

  /// The five-byte nop that newer kernels replace by a call (Linux 6.18, arch/x86/kernel/uprobes.c).
  package var isNop5: Bool { kind == .nop && byteCount == 5 && prefixes.isEmpty }
}

/// Legacy prefixes of an instruction.
package struct X86Prefixes: OptionSet, Hashable, Sendable {
  package let rawValue: UInt16

  /// The set with that raw value.
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  static let operandSize = X86Prefixes(rawValue: 1 << 0)
  static let addressSize = X86Prefixes(rawValue: 1 << 1)
  static let lock = X86Prefixes(rawValue: 1 << 2)
  static let repeatNotEqual = X86Prefixes(rawValue: 1 << 3)
  static let repeatEqual = X86Prefixes(rawValue: 1 << 4)
  /// `cs`, `ss`, `ds`, `es`: ignored in 64-bit mode.
  static let oldSegment = X86Prefixes(rawValue: 1 << 5)
  static let threadSegment = X86Prefixes(rawValue: 1 << 6)

  /// The prefix that `byte` is, if it is one.
  fileprivate init?(byte: UInt8) {
    switch byte {
    case 0x66: self = .operandSize
    case 0x67: self = .addressSize
    case 0xf0: self = .lock
    case 0xf2: self = .repeatNotEqual
    case 0xf3: self = .repeatEqual
    case 0x26, 0x2e, 0x36, 0x3e: self = .oldSegment
    case 0x64, 0x65: self = .threadSegment
    default: return nil
    }
  }
}

/// Reads one instruction front to back.
private struct X86Decoder {
  private let bytes: [UInt8]
  private let start: Int
  private let end: Int
  private var offset: Int
  private var prefixes: X86Prefixes = []
  private var rex: UInt8 = 0
  private var map = X86Instruction.OpcodeMap.oneByte
  private var opcode: UInt8 = 0
  private var modRM: UInt8?
  private var scaleIndexBase: UInt8?
  private var isRIPRelative = false

  init(_ bytes: [UInt8], _ start: Int) {
    self.bytes = bytes
    self.start = start
    offset = start
    end = min(bytes.count, start + 15)
  }

  mutating func decode() -> X86Instruction? {
    guard start >= 0, readPrefixes(), let shape = readOpcode() else { return nil }
    if shape.hasModRM { guard readModRM() else { return nil } }
    let immediateStart = offset
    guard skip(immediateByteCount(shape.immediate)) else { return nil }
    return X86Instruction(
      byteCount: offset - start,
      kind: kind(immediate: immediateStart),
      prefixes: prefixes,
      isRIPRelative: isRIPRelative,
      map: map,
      opcode: opcode,
      modRM: modRM,
      scaleIndexBase: scaleIndexBase,
      rex: rex
    )
  }

  private mutating func next() -> UInt8? {
    guard offset < end else { return nil }
    defer { offset += 1 }
    return bytes[offset]
  }

  private mutating func skip(_ count: Int) -> Bool {
    guard end - offset >= count else { return false }
    offset += count
    return true
  }

  private mutating func readPrefixes() -> Bool {
    while offset < end {
      let byte = bytes[offset]
      if byte & 0xf0 == 0x40 {
        rex = byte
        offset += 1
        return offset < end
      }
      guard let prefix = X86Prefixes(byte: byte) else { return true }
      prefixes.insert(prefix)
      offset += 1
    }
    return false
  }

  private mutating func readOpcode() -> X86OpcodeShape? {
    guard let first = next() else { return nil }
    opcode = first
    switch first {
    case 0x0f: return readEscapedOpcode()
    case 0xc5: return readVectorOpcode(payload: 1) { _ in 1 }
    case 0xc4: return readVectorOpcode(payload: 2) { $0 & 0x1f }
    case 0x62: return readVectorOpcode(payload: 3) { $0 & 0x07 }
    case 0x8f where offset < end && bytes[offset] & 0x1f >= 8:
      return readVectorOpcode(payload: 2) { $0 & 0x1f }
    default: return X86OpcodeShape.oneByte(first)
    }
  }

  private mutating func readEscapedOpcode() -> X86OpcodeShape? {
    guard let second = next() else { return nil }
    map = .twoByte
    opcode = second
    switch second {
    case 0x38, 0x3a:
      guard let third = next() else { return nil }
      map = second == 0x3a ? .threeByte3A : .threeByte38
      opcode = third
      return X86OpcodeShape(true, second == 0x3a ? .byte : .none)
    default: return X86OpcodeShape.twoByte(second)
    }
  }

  /// VEX, EVEX and XOP: a payload that names the opcode map, then the opcode.
  private mutating func readVectorOpcode(
    payload byteCount: Int,
    map field: (UInt8) -> UInt8
  ) -> X86OpcodeShape? {
    guard let first = next(), skip(byteCount - 1), let last = next() else { return nil }
    let isXOP = opcode == 0x8f
    map = .vector
    opcode = last
    switch field(first) {
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
      scaleIndexBase = index
      if mode == 0, index & 7 == 5 { displacement = 4 }
    } else if mode == 0, base == 5 {
      displacement = 4
      isRIPRelative = true
    }
    return skip(displacement)
  }

  private func immediateByteCount(_ immediate: X86OpcodeShape.Immediate) -> Int {
    let isWord = prefixes.contains(.operandSize) && rex & 8 == 0
    let isTest = modRM.map { $0 & 0x38 <= 8 } ?? false
    switch immediate {
    case .none: return 0
    case .byte: return 1
    case .word: return 2
    case .wordOrDouble: return isWord && !isNearBranch ? 2 : 4
    case .full: return rex & 8 != 0 ? 8 : isWord ? 2 : 4
    case .address: return prefixes.contains(.addressSize) ? 4 : 8
    case .wordAndByte: return 3
    case .testByte: return isTest ? 1 : 0
    case .testWordOrDouble: return isTest ? (isWord ? 2 : 4) : 0
    }
  }

  /// Near branches ignore the operand-size prefix on Intel processors.
  private var isNearBranch: Bool {
    map == .oneByte ? opcode == 0xe8 || opcode == 0xe9 : map == .twoByte && opcode & 0xf0 == 0x80
  }

  private func kind(immediate start: Int) -> X86Instruction.Kind {
    switch map {
    case .oneByte: plainKind(immediate: start)
    case .twoByte: escapedKind(immediate: start)
    case .threeByte38, .threeByte3A, .vector: .other
    }
  }

  private func plainKind(immediate start: Int) -> X86Instruction.Kind {
    switch opcode {
    case 0x90 where rex & 1 == 0 && !prefixes.contains(.repeatEqual): .nop
    case 0x50...0x57: .push
    case 0xeb, 0xe9: .jump(displacement: displacement(from: start))
    case 0x70...0x7f, 0xe0...0xe3: .conditionalJump(displacement: displacement(from: start))
    case 0xe8: .call(displacement: displacement(from: start))
    case 0xc2, 0xc3, 0xca, 0xcb, 0xcf: .return
    case 0xcc, 0xcd, 0xf1, 0xf4: .trap
    case 0x80, 0x81, 0x83: isBarrier(immediate: start) ? .barrier : .other
    case 0xff where modRM.map { (2...5).contains(($0 >> 3) & 7) } ?? false: .indirectBranch
    default: .other
    }
  }

  /// With `lock`: an addition, subtraction, disjunction or exclusive disjunction of 0.
  private func isBarrier(immediate start: Int) -> Bool {
    guard prefixes.contains(.lock), let modRM, modRM >> 6 != 3 else { return false }
    return [0, 1, 5, 6].contains(modRM >> 3 & 7) && displacement(from: start) == 0
  }

  private func escapedKind(immediate start: Int) -> X86Instruction.Kind {
    switch opcode {
    case 0x1f: .nop
    case 0x1e where prefixes.contains(.repeatEqual) && modRM == 0xfa: .endbr64
    case 0x80...0x8f: .conditionalJump(displacement: displacement(from: start))
    case 0x05, 0x0b, 0x34: .trap
    default: .other
    }
  }

  private func displacement(from start: Int) -> Int64 {
    var value: UInt64 = 0
    for position in start..<offset { value |= UInt64(bytes[position]) << (8 * UInt64(position - start)) }
    let shift = UInt64(64 - 8 * (offset - start))
    return Int64(bitPattern: value << shift) >> Int64(shift)
  }
}
