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
  /// Why the probe stays; nil when it moves.
  package let obstacle: Obstacle?

  /// What keeps a probe at the entry, in the words of a listing.
  package enum Obstacle: String, Hashable, Sendable {
    case undecodable = "the code cannot be decoded to its end"
    case noneNear = "nothing the kernel emulates is near"
    case leaves = "the straight line ends before what the kernel emulates"
    case branchedTo = "a branch leads to what the kernel emulates"
    case outOfSight = "a jump out of sight may lead to what the kernel emulates"
    case unknownEnd = "where the function ends is unknown"
    case tooLong = "the function is too long to look at all of its branches"
  }

  /// The probe stays for that reason.
  package init(stayingFor obstacle: Obstacle) {
    byteCount = 0
    writtenRegisters = []
    self.obstacle = obstacle
  }

  /// Most instructions that a probe moves past.
  private static let reach = 4

  /// Where the first emulated instruction is that all calls pass.
  ///
  /// `code`: the function's bytes from its entry to its end, in full, so that its branches can be seen.
  package init(in code: [UInt8]) {
    self.init(stayingFor: .noneNear)
    var offset = 0
    var written: X86Registers = []
    for _ in 0...Self.reach {
      guard let instruction = X86Instruction(code, at: offset) else {
        self.init(stayingFor: .undecodable)
        return
      }
      if SiteVerdict(instruction, isFunctionStart: offset == 0) == .emulated {
        if offset > 0 { self.init(to: offset, instruction, writing: written, in: code) }
        return
      }
      guard Self.isStraight(instruction) else {
        self.init(stayingFor: .leaves)
        return
      }
      written.formUnion(instruction.writtenRegisters)
      offset += instruction.byteCount
    }
  }

  /// Moves to the instruction at `offset` unless something else than the entry leads there.
  private init(
    to offset: Int,
    _ instruction: X86Instruction,
    writing written: X86Registers,
    in code: [UInt8]
  ) {
    obstacle = Self.obstacle(before: offset, instruction, code)
    byteCount = obstacle == nil ? offset : 0
    writtenRegisters = obstacle == nil ? written : []
  }

  private static func isStraight(_ instruction: X86Instruction) -> Bool {
    switch instruction.kind {
    case .endbr64, .other, .nop: true
    case .push, .jump, .conditionalJump, .call, .indirectBranch, .return, .trap: false
    }
  }

  /// What else than falling down from the entry leads to `offset` or the instructions above it; nil: nothing.
  ///
  /// No compiler loops back to a `push` of its prologue by a jump table or from a cold part. For all else a
  /// function that may do so keeps its probe.
  private static func obstacle(
    before offset: Int,
    _ instruction: X86Instruction,
    _ code: [UInt8]
  ) -> Obstacle? {
    let isPrologue = instruction.kind == .push
    var position = 0
    while position < code.count {
      guard let instruction = X86Instruction(code, at: position) else { return .undecodable }
      position += instruction.byteCount
      switch instruction.kind {
      case .jump(let displacement), .conditionalJump(let displacement):
        let target = Int64(position) &+ displacement
        if target > 0, target <= Int64(offset) { return .branchedTo }
        if !isPrologue, target < 0 || target > Int64(code.count) { return .outOfSight }
      case .indirectBranch where !isPrologue && !instruction.isIndirectCall: return .outOfSight
      default: break
      }
    }
    return nil
  }
}

extension X86Instruction {
  /// `call` through a register or memory: it comes back to where it was.
  fileprivate var isIndirectCall: Bool { modRM.map { ($0 >> 3 & 7) <= 3 } ?? false }
}
