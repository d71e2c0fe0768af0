import TargetModel

/// Rewrites what a text captures so that sites with other plans can share its program.
///
/// A value that is only shown need not be computed in the kernel: registers and memory are captured as they are,
/// more of them than one site needs, and each site's format says what to make of them.
///
///     a={rdi} b={rsi + 8} c={5}    and    a={rsi}      ⇒      captures rdi, rsi;  b={#1 + 8} c=5
struct SharedCaptures {
  private(set) var captures: [TargetCapture] = []
  private var registers: [Int: Int] = [:]
  private let file: RegisterFile

  /// The same text from shared captures.
  static func shared(_ answer: TargetAnswer, _ file: RegisterFile) -> TargetAnswer {
    guard case .text(let captures) = answer.meaning, let format = answer.format,
      let isEntry = captures.first?.isEntry, captures.allSatisfy({ $0.isEntry == isEntry })
    else { return answer }
    var shared = SharedCaptures(captures, isEntry: isEntry, file)
    let pieces = format.pieces.map { shared.rewritten($0, captures) }
    var result = answer
    result.meaning = .text(shared.captures)
    result.format = SiteFormat(pieces)
    return result
  }

  /// Starts with the registers: the first few arguments when they suffice, else all there are.
  private init(_ captures: [TargetCapture], isEntry: Bool, _ file: RegisterFile) {
    self.file = file
    var used: Set<Int> = []
    for capture in captures where capture.kind == .number { capture.plan.insertOpenRegisters(into: &used) }
    for number in Self.registers(covering: used, file) {
      registers[number] = self.captures.count
      let plan = LocationPlan.register(number)
      self.captures.append(TargetCapture(plan: plan, kind: .number, isEntry: isEntry))
    }
  }

  private static func registers(covering used: Set<Int>, _ file: RegisterFile) -> [Int] {
    if used.isEmpty { return [] }
    guard used.isSubset(of: file.arguments) else { return file.registers.map(\.dwarf) }
    let count = file.arguments.lastIndex { used.contains($0) } ?? 0
    return Array(file.arguments[...count])
  }

  private mutating func rewritten(_ piece: SiteFormat.Piece, _ old: [TargetCapture]) -> SiteFormat.Piece {
    guard case .value(let index, let presentation) = piece, old.indices.contains(index) else { return piece }
    let capture = old[index]
    guard capture.kind == .number else { return .value(slot(of: capture), presentation) }
    switch opened(capture.plan, capture.isEntry) {
    case .input(let slot): return .value(slot, presentation)
    case let plan: return .computed(plan, presentation)
    }
  }

  /// The plan with captured values in the place of registers and memory.
  private mutating func opened(_ plan: LocationPlan, _ isEntry: Bool) -> LocationPlan {
    switch plan {
    case .constant: return plan
    case .register(let number):
      return .input(registers[number] ?? slot(of: TargetCapture(plan: plan, kind: .number, isEntry: isEntry)))
    case .unary(let operation, let operand): return .unary(operation, opened(operand, isEntry))
    case .binary(let operation, let left, let right):
      return .binary(operation, opened(left, isEntry), opened(right, isEntry))
    case .bits(let value, let offset, let count, let isSigned):
      return .bits(opened(value, isEntry), offset: offset, count: count, isSigned: isSigned)
    case .extend(let value, let byteCount, let isSigned):
      return .extend(opened(value, isEntry), byteCount: byteCount, isSigned: isSigned)
    case .load, .threadPointer, .currentTask, .tracepointArgument, .input:
      return openedMemory(plan, isEntry)
    }
  }

  /// A part of a word of the stack is read with the whole word, which the stack always has.
  private mutating func openedMemory(_ plan: LocationPlan, _ isEntry: Bool) -> LocationPlan {
    guard
      case .load(.user, let byteCount, let isSigned, .binary(.add, let base, .constant(let offset))) = plan,
      base == .register(file.stackPointer), byteCount < 8
    else { return .input(slot(of: TargetCapture(plan: plan, kind: .number, isEntry: isEntry))) }
    let inside = offset & 7
    guard inside + Int64(byteCount) <= 8 else {
      return .input(slot(of: TargetCapture(plan: plan, kind: .number, isEntry: isEntry)))
    }
    let word = LocationPlan.load(
      .user,
      byteCount: 8,
      isSigned: false,
      address: base.offset(by: offset - inside)
    )
    let input = LocationPlan.input(slot(of: TargetCapture(plan: word, kind: .number, isEntry: isEntry)))
    return .bits(input, offset: Int(inside * 8), count: byteCount * 8, isSigned: isSigned)
  }

  private mutating func slot(of capture: TargetCapture) -> Int {
    if let known = captures.firstIndex(of: capture) { return known }
    captures.append(capture)
    return captures.count - 1
  }
}

extension LocationPlan {
  /// Adds the registers outside of loads.
  fileprivate func insertOpenRegisters(into set: inout Set<Int>) {
    switch self {
    case .register(let number): set.insert(number)
    case .unary(_, let operand), .bits(let operand, _, _, _), .extend(let operand, _, _):
      operand.insertOpenRegisters(into: &set)
    case .binary(_, let left, let right):
      left.insertOpenRegisters(into: &set)
      right.insertOpenRegisters(into: &set)
    case .constant, .threadPointer, .currentTask, .tracepointArgument, .input, .load: break
    }
  }
}
