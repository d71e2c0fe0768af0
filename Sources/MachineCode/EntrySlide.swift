/// What begins where a jump leaves a function's bytes.
package enum CodeContinuation: Hashable, Sendable {
  /// Another function: it is left for good.
  case function
  /// Code that may be a part of the function.
  case code([UInt8])
  case unknown
}

/// The cheapest instruction near a function's entry at which a probe sees the same hits.
///
/// A single-stepped first instruction costs a hit thirteen times what an emulated one costs. Most functions have a
/// `push`, `nop` or direct branch within the first few instructions; a probe may move there when every call passes
/// it exactly once: nothing before it leaves the straight line, and no branch leads to or behind it and before its
/// old place. The caller must evaluate variables at the new address, and heed what was written before it.
package struct EntrySlide: Hashable, Sendable {
  /// How far behind the entry the probe should stand; 0 when it should stay.
  package let byteCount: Int
  /// The general registers that hold something else at the new place.
  package let writtenRegisters: X86Registers
  /// Whether memory outside of the function's own frame may hold something else.
  package let writesMemory: Bool
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
    writesMemory = false
    self.obstacle = obstacle
  }

  /// Most instructions that a probe moves past.
  private static let reach = 12

  /// Where the first emulated instruction is that all calls pass; `toNearest`: the first that can be probed at all.
  ///
  /// `code`: the function's bytes from its entry to its end, in full, so that its branches can be seen.
  /// `continuation`: what begins so far from the entry, outside of these bytes.
  package init(
    in code: [UInt8],
    toNearest: Bool = false,
    continuation: (Int64) -> CodeContinuation = { _ in .unknown }
  ) {
    self.init(stayingFor: .noneNear)
    var offset = 0
    var written: X86Registers = []
    var writesMemory = false
    for _ in 0...Self.reach {
      guard let instruction = X86Instruction(code, at: offset) else {
        self.init(stayingFor: .undecodable)
        return
      }
      let verdict = SiteVerdict(instruction, isFunctionStart: offset == 0)
      if verdict == .emulated || toNearest && verdict == .singleStepped {
        if offset > 0 {
          self.init(to: offset, instruction, writing: written, writesMemory, in: code, continuation)
        }
        return
      }
      guard Self.isStraight(instruction) else {
        self.init(stayingFor: .leaves)
        return
      }
      written.formUnion(instruction.writtenRegisters)
      writesMemory = writesMemory || instruction.mayWriteMemory
      offset += instruction.byteCount
    }
  }

  /// Moves to the instruction at `offset` unless something else than the entry leads there.
  private init(
    to offset: Int,
    _ instruction: X86Instruction,
    writing written: X86Registers,
    _ writesMemory: Bool,
    in code: [UInt8],
    _ continuation: (Int64) -> CodeContinuation
  ) {
    obstacle = Self.obstacle(before: offset, instruction, code, continuation)
    byteCount = obstacle == nil ? offset : 0
    writtenRegisters = obstacle == nil ? written : []
    self.writesMemory = obstacle == nil && writesMemory
  }

  private static func isStraight(_ instruction: X86Instruction) -> Bool {
    switch instruction.kind {
    case .endbr64, .other, .nop, .barrier: true
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
    _ code: [UInt8],
    _ continuation: (Int64) -> CodeContinuation
  ) -> Obstacle? {
    let isPrologue = instruction.kind == .push
    var outside: [Int64] = []
    let found = obstacle(before: offset, isPrologue: isPrologue, in: code, at: 0) { target in
      if !(0...Int64(code.count) ~= target), !outside.contains(target) { outside.append(target) }
    }
    guard found == nil, !isPrologue else { return found }
    for target in outside {
      switch continuation(target) {
      case .function: continue
      case .unknown: return .outOfSight
      case .code(let part):
        // Where it goes on from there, when not back, is a third function.
        let found = obstacle(before: offset, isPrologue: false, in: part, at: target) { _ in }
        if let found { return found }
      }
    }
    return nil
  }

  /// Whether code that begins `start` bytes from a function's entry jumps behind the entry, `offset` bytes at most.
  package static func leads(_ code: [UInt8], at start: Int64, behindEntryBy offset: Int) -> Bool {
    obstacle(before: offset, isPrologue: true, in: code, at: start) { _ in } == .branchedTo
  }

  /// What in one stretch of code, `start` bytes from the entry, leads to `offset` or the instructions above it; `note`
  /// gets the targets of all other jumps.
  private static func obstacle(
    before offset: Int,
    isPrologue: Bool,
    in code: [UInt8],
    at start: Int64,
    _ note: (Int64) -> Void
  ) -> Obstacle? {
    var position = 0
    while position < code.count {
      guard let instruction = X86Instruction(code, at: position) else { return .undecodable }
      position += instruction.byteCount
      switch instruction.kind {
      case .jump(let displacement), .conditionalJump(let displacement):
        let target = start &+ Int64(position) &+ displacement
        if target > 0, target <= Int64(offset) { return .branchedTo }
        note(target)
      case .indirectBranch where !isPrologue && !instruction.isIndirectCall && !instruction.isRIPRelative:
        return .outOfSight
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
