/// What probes must know of the code that Go's compiler writes for x86-64.
///
/// A goroutine's stack is small and moves: the function checks it first, and calls the runtime and starts again when
/// it is too small. A return probe would hide a return address from the runtime, which walks stacks and moves them:
/// the program would die. So entries are probed behind the check, and returns at each `ret`.
package enum GoCode {
  /// The bytes of the stack check: a compare and a branch to where the function starts again; 0 without one.
  package static func checkByteCount(in code: [UInt8]) -> Int {
    var offset = 0
    for _ in 0..<6 {
      guard let instruction = X86Instruction(code, at: offset) else { return 0 }
      offset += instruction.byteCount
      switch instruction.kind {
      case .conditionalJump(let displacement):
        let target = Int64(offset) &+ displacement
        guard target > Int64(offset), target < Int64(code.count) else { return 0 }
        return startsAgain(code, from: Int(target)) ? offset : 0
      case .other, .nop: continue
      case .barrier, .endbr64, .push, .jump, .call, .indirectBranch, .return, .trap: return 0
      }
    }
    return 0
  }

  /// Whether straight code from `start` on ends in a jump to the function's entry.
  private static func startsAgain(_ code: [UInt8], from start: Int) -> Bool {
    var offset = start
    // Registers with arguments are saved around the call: up to nine moves each way.
    for _ in 0..<48 {
      guard let instruction = X86Instruction(code, at: offset) else { return false }
      offset += instruction.byteCount
      switch instruction.kind {
      case .jump(let displacement): return Int64(offset) &+ displacement == 0
      case .other, .nop, .call: continue
      case .barrier, .endbr64, .push, .conditionalJump, .indirectBranch, .return, .trap: return false
      }
    }
    return false
  }

  /// Where the function returns; nil when its code cannot be decoded to the end.
  package static func returns(in code: [UInt8]) -> [Int]? {
    var offsets: [Int] = []
    var offset = 0
    while offset < code.count {
      guard let instruction = X86Instruction(code, at: offset) else { return nil }
      if instruction.kind == .return { offsets.append(offset) }
      offset += instruction.byteCount
    }
    return offsets
  }
}
