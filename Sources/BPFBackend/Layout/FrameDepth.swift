import BPFObject

extension ProgramCode {
  /// Bytes of stack that `may_goto` takes in each function that has one (Linux 6.15, timed loops).
  private static let mayGotoByteCount = 16

  /// Bytes of the deepest frame of any function, as the kernel rounds them.
  var deepestFrameByteCount: Int {
    let ends = functions.dropFirst().map(\.start) + [instructions.count]
    return zip(functions, ends).map { frameByteCount($0.start..<$1) }.max() ?? 0
  }

  private func frameByteCount(_ range: Range<Int>) -> Int {
    var depth = 0
    var hasMayGoto = false
    for index in range {
      depth = max(depth, -Int(instructions[index].stackOffset), -addressOffset(index, in: range))
      if instructions[index].opcode == 0xe5 { hasMayGoto = true }
    }
    if hasMayGoto { depth += Self.mayGotoByteCount }
    return (depth + 15) & ~15
  }

  /// The offset of an address on the stack, which is taken by two instructions: `rX = r10`, `rX += offset`.
  private func addressOffset(_ index: Int, in range: Range<Int>) -> Int {
    let copy = instructions[index]
    guard index + 1 < range.upperBound, copy.opcode == BPFInstruction.move(.r0, .r10).opcode,
      copy.source == BPFRegister.r10.rawValue
    else { return 0 }
    let next = instructions[index + 1]
    guard next == .arithmetic(.add, copy.destination, next.immediate) else { return 0 }
    return Int(next.immediate)
  }
}

extension BPFInstruction {
  /// The offset from the frame pointer of a load or store there; else 0.
  fileprivate var stackOffset: Int16 {
    switch instructionClass {
    case .loadRegister: source == BPFRegister.r10.rawValue ? offset : 0
    case .store, .storeRegister: destination == .r10 ? offset : 0
    default: 0
    }
  }
}
