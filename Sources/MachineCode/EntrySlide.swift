/// Finds the cheapest instruction near a function's entry at which an entry probe sees the same hits.
///
/// A single-stepped first instruction costs a hit thirteen times what an emulated one costs. Most functions have a
/// `push`, `nop` or direct branch within the first few instructions; a probe may move there when every call passes
/// it exactly once: nothing before it leaves the straight line, and no branch of the function leads to or behind
/// it and before its old place. The caller must evaluate variables at the new address.
package enum EntrySlide {
  /// Most instructions that a probe moves past.
  private static let reach = 4

  /// How many bytes after the entry the probe should stand; 0 when it should stay.
  ///
  /// `code`: the function's bytes from its entry to its end, in full, so that its branches can be seen.
  /// `clobbers`: asked for each instruction moved past; true keeps the probe where it is (an argument would be lost).
  package static func offset(
    in code: [UInt8],
    clobbers: (X86Instruction) -> Bool = { _ in false }
  ) -> Int {
    var offset = 0
    for _ in 0...reach {
      guard offset < code.count, let instruction = X86Instruction(code[offset...]) else { return 0 }
      if SiteVerdict(instruction, isFunctionStart: offset == 0) == .emulated {
        return offset == 0 || isEnteredOnlyFromAbove(offset, code) ? offset : 0
      }
      guard isStraight(instruction), !clobbers(instruction) else { return 0 }
      offset += instruction.byteCount
    }
    return 0
  }

  private static func isStraight(_ instruction: X86Instruction) -> Bool {
    switch instruction.kind {
    case .endbr64, .other, .nop: true
    case .push, .jump, .conditionalJump, .call, .indirectBranch, .return, .trap: false
    }
  }

  /// Whether no direct branch of the function leads to an instruction after its first and up to `offset`.
  private static func isEnteredOnlyFromAbove(_ offset: Int, _ code: [UInt8]) -> Bool {
    var position = 0
    while position < code.count {
      guard let instruction = X86Instruction(code[position...]) else { return false }
      position += instruction.byteCount
      switch instruction.kind {
      case .jump(let displacement), .conditionalJump(let displacement):
        let target = Int64(position) + displacement
        if target > 0, target <= Int64(offset) { return false }
      default: break
      }
    }
    return true
  }
}
