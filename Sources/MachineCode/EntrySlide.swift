/// The cheapest instruction near a function's entry at which a probe sees the same hits.
///
/// A single-stepped first instruction costs a hit thirteen times what an emulated one costs. Most functions have a
/// `push`, `nop` or direct branch within the first few instructions; a probe may move there when every call passes
/// it exactly once: nothing before it leaves the straight line, and no branch leads to or behind it and before its
/// old place. The caller must evaluate variables at the new address.
package struct EntrySlide: Hashable, Sendable {
  /// How far behind the entry the probe should stand; 0 when it should stay.
  package let byteCount: Int
  /// The general registers that hold something else at the new place.
  package let writtenRegisters: X86Registers

  package static let none = EntrySlide(byteCount: 0, writtenRegisters: [])

  /// Most instructions that a probe moves past.
  private static let reach = 4

  /// Where the first emulated instruction is that all calls pass.
  ///
  /// `code`: the function's bytes from its entry to its end, in full, so that its branches can be seen.
  package init(in code: [UInt8]) {
    self = .none
    var offset = 0
    var written: X86Registers = []
    for _ in 0...Self.reach {
      guard let instruction = X86Instruction(code, at: offset) else { return }
      if SiteVerdict(instruction, isFunctionStart: offset == 0) == .emulated {
        guard offset > 0, Self.isPassedOnce(offset, instruction, code) else { return }
        self.init(byteCount: offset, writtenRegisters: written)
        return
      }
      guard Self.isStraight(instruction) else { return }
      written.formUnion(instruction.writtenRegisters)
      offset += instruction.byteCount
    }
  }

  private init(byteCount: Int, writtenRegisters: X86Registers) {
    self.byteCount = byteCount
    self.writtenRegisters = writtenRegisters
  }

  private static func isStraight(_ instruction: X86Instruction) -> Bool {
    switch instruction.kind {
    case .endbr64, .other, .nop: true
    case .push, .jump, .conditionalJump, .call, .indirectBranch, .return, .trap: false
    }
  }

  /// Whether nothing but falling down from the entry leads to `offset` or the instructions above it.
  ///
  /// No compiler loops back to a `push` of its prologue by a jump table or from a cold part. For all else a
  /// function that may do so keeps its probe.
  private static func isPassedOnce(_ offset: Int, _ instruction: X86Instruction, _ code: [UInt8]) -> Bool {
    let isPrologue = instruction.kind == .push
    var position = 0
    while position < code.count {
      guard let instruction = X86Instruction(code, at: position) else { return false }
      position += instruction.byteCount
      switch instruction.kind {
      case .jump(let displacement), .conditionalJump(let displacement):
        let target = Int64(position) &+ displacement
        if target > 0, target <= Int64(offset) { return false }
        if !isPrologue, target < 0 || target > Int64(code.count) { return false }
      case .indirectBranch where !isPrologue && !instruction.isIndirectCall: return false
      default: break
      }
    }
    return true
  }
}

extension X86Instruction {
  /// `call` through a register or memory: it comes back to where it was.
  fileprivate var isIndirectCall: Bool { modRM.map { ($0 >> 3 & 7) <= 3 } ?? false }
}
