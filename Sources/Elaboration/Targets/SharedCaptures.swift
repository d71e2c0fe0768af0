import TargetModel

/// Rewrites what a text captures so that sites with other plans can share its program.
///
/// A value that is only shown need not be computed in the kernel: registers and memory are captured as they are,
/// more of them than one site needs, and each site's format says what to make of them. What is read of memory is a load
/// that the site describes.
///
///     a={rdi} b={rsi + 8} c={5}    and    a={rsi}      ⇒      captures rdi, rsi;  b={#1 + 8} c=5
///     a={u32[rsp + 24]}    and    a={u64[rbp - 8]}     ⇒      captures load 0;    4 bytes at rsp + 24, 8 at rbp - 8
struct SharedCaptures {
  private(set) var captures: [TargetCapture] = []
  /// Of all texts of the site.
  private var loads: [SiteLoad]
  private var registers: [Int: Int] = [:]
  private let file: RegisterFile

  /// The same text from shared captures; adds what they load to the site's `loads`.
  static func shared(_ answer: TargetAnswer, _ file: RegisterFile, _ loads: inout [SiteLoad]) -> TargetAnswer
  {
    guard case .text(let captures) = answer.meaning, let format = answer.format,
      let isEntry = captures.first?.isEntry, captures.allSatisfy({ $0.isEntry == isEntry })
    else { return answer }
    var shared = SharedCaptures(captures, isEntry: isEntry, file, loads)
    let pieces = format.pieces.map { shared.rewritten($0, captures) }
    loads = shared.loads
    var result = answer
    result.meaning = .text(shared.captures)
    result.format = SiteFormat(pieces)
    return result
  }

  /// Starts with the registers: the first few arguments when they suffice, else all there are.
  private init(_ captures: [TargetCapture], isEntry: Bool, _ file: RegisterFile, _ loads: [SiteLoad]) {
    self.file = file
    self.loads = loads
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
    if case .chosen(let index, let choices, let others) = piece, old.indices.contains(index) {
      // There would be a program for each function.
      if old[index].plan.dependsOnCaller { return .text("?") }
      let choices = choices.map { choice in
        SiteFormat.Piece.Choice(keys: choice.keys, pieces: choice.pieces.map { rewritten($0, old) })
      }
      return .chosen(slot(of: old[index]), choices, else: others.map { rewritten($0, old) })
    }
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
    case .load, .entryRegister, .threadPointer, .currentTask, .tracepointArgument, .input, .siteLoad,
      .selected:
      return captured(plan, isEntry)
    }
  }

  /// A load that the site describes where it has the form for that, else the plan itself.
  private mutating func captured(_ plan: LocationPlan, _ isEntry: Bool) -> LocationPlan {
    guard case .load(.user, let byteCount, let isSigned, let address) = plan,
      let index = load(byteCount, address)
    else { return .input(slot(of: TargetCapture(plan: plan, kind: .number, isEntry: isEntry))) }
    let capture = TargetCapture(plan: .siteLoad(index), kind: .number, isEntry: isEntry)
    let input = LocationPlan.input(slot(of: capture))
    return isSigned && byteCount < 8 ? .extend(input, byteCount: byteCount, isSigned: true) : input
  }

  /// The number of the site's load from `address`; nil when it has another form than a register or another load, and an
  /// offset.
  private mutating func load(_ byteCount: Int, _ address: LocationPlan) -> Int? {
    var (origin, offset) = (address, Int64(0))
    if case .binary(.add, let inner, .constant(let distance)) = address {
      (origin, offset) = (inner, distance)
    }
    guard let offset = Int32(exactly: offset), [1, 2, 4, 8].contains(byteCount) else { return nil }
    switch origin {
    case .register(let number):
      let load = SiteLoad(base: .register(number), offset: offset, byteCount: byteCount)
      if let known = loads.firstIndex(of: load) { return known }
      loads.append(load)
      return loads.count - 1
    case .load(.user, 8, _, let inner):
      guard let before = load(8, inner) else { return nil }
      // It counts from the one right before it.
      if before < loads.count - 1 {
        guard loads[before].base != .previous else { return nil }
        loads.append(loads[before])
      }
      loads.append(SiteLoad(base: .previous, offset: offset, byteCount: byteCount))
      return loads.count - 1
    default: return nil
    }
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
    case .constant, .entryRegister, .threadPointer, .currentTask, .tracepointArgument, .input, .load,
      .siteLoad, .selected:
      break
    }
  }
}
