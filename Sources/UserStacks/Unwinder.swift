import DwarfIndex
import Platform
import TargetModel

/// Walks from a thread's registers up its callers, by the tables that compilers write for exceptions.
struct Unwinder {
  private let space: AddressSpace
  private let images: ImageCache
  private let pid: Int32
  private let memory: StackMemory
  /// By DWARF number; nil: nobody kept it.
  private var registers: [UInt64?]

  init(_ stack: CapturedStack, _ space: AddressSpace, _ images: ImageCache) {
    self.space = space
    self.images = images
    pid = stack.pid
    registers = (0..<17).map { stack.registers.indices.contains($0) ? stack.registers[$0] : nil }
    memory = StackMemory(
      start: registers[Self.stackPointer] ?? 0,
      bytes: stack.bytes,
      replaced: stack.replaced
    )
  }

  private static let framePointer = RegisterFile.x86_64.framePointer
  private static let stackPointer = RegisterFile.x86_64.stackPointer
  private static let instructionPointer = RegisterFile.x86_64.instructionPointer

  /// The frames, innermost first, and whether there are more than the copied piece of stack can tell.
  mutating func chain(atMost mostFrames: Int) -> (frames: [Frame], isCutShort: Bool) {
    guard let address = registers[Self.instructionPointer] else { return ([], false) }
    var frames = [Frame(address: address, isReturnAddress: false)]
    while frames.count < mostFrames, let last = frames.last {
      do {
        guard let next = try caller(of: last) else { return (frames, false) }
        // Nobody called the code that a signal handler returns to: its address is where it begins.
        if !next.isReturnAddress { frames[frames.count - 1].isReturnAddress = false }
        frames.append(next)
      } catch {
        return (frames, error == .outside)
      }
    }
    return (frames, true)
  }

  /// Nil at the outermost function.
  private mutating func caller(of frame: Frame) throws(StackMemory.Failure) -> Frame? {
    let rules = rules(at: frame.codeAddress)
    guard let rules else { return try callerByFramePointer(frame) }
    let base = try evaluate(rules.canonicalFrameAddress)
    var next = registers
    for (number, rule) in rules.registers.enumerated() {
      switch rule {
      case .unchanged: break
      case .undefined: next[number] = nil
      case .value(let plan): next[number] = try? evaluate(plan)
      case .saved(let address):
        if number == rules.returnAddress {
          next[number] = try memory.word(at: evaluate(address))
        } else {
          next[number] = try? memory.word(at: evaluate(address))
        }
      }
    }
    if case .unchanged? = rules.registers[checked: Self.stackPointer] { next[Self.stackPointer] = base }
    return accept(next, rules.returnAddress, isSignalFrame: rules.isSignalFrame)
  }

  private func rules(at address: UInt64) -> UnwindRules? {
    guard let region = space.region(containing: address), let mapped = images.image(of: region, pid: pid),
      let link = mapped.image.linkAddress(of: region.fileOffset(of: address))
    else { return nil }
    return mapped.unwindRules(at: link)
  }

  /// Code without tables, made at run time or by hand: taken to keep a frame pointer.
  private mutating func callerByFramePointer(_ frame: Frame) throws(StackMemory.Failure) -> Frame? {
    guard let base = registers[Self.framePointer], let stack = registers[Self.stackPointer], base >= stack,
      base % 8 == 0
    else { return nil }
    var next = registers
    next[Self.framePointer] = try memory.word(at: base)
    next[Self.instructionPointer] = try memory.word(at: base &+ 8)
    next[Self.stackPointer] = base &+ 16
    return accept(next, Self.instructionPointer, isSignalFrame: false)
  }

  /// Callers lie further up, except across the stack of a signal handler.
  private mutating func accept(_ next: [UInt64?], _ returnAddress: Int, isSignalFrame: Bool) -> Frame? {
    guard let address = next[checked: returnAddress] ?? nil, address != 0 else { return nil }
    guard let before = registers[Self.stackPointer], let after = next[Self.stackPointer],
      after > before || isSignalFrame
    else { return nil }
    // A call into nowhere is what follows from a wrong step, not a frame.
    guard space.regions.isEmpty || space.region(containing: address) != nil else { return nil }
    registers = next
    registers[Self.instructionPointer] = address
    return Frame(address: address, isReturnAddress: !isSignalFrame)
  }

  // MARK: Plans

  private func evaluate(_ plan: LocationPlan) throws(StackMemory.Failure) -> UInt64 {
    UInt64(bitPattern: try number(plan))
  }

  private func number(_ plan: LocationPlan) throws(StackMemory.Failure) -> Int64 {
    switch plan {
    case .constant(let value): return value
    case .register(let index):
      guard let value = registers[checked: index] ?? nil else { throw .unknown }
      return Int64(bitPattern: value)
    case .unary(let operation, let operand):
      let value = try number(operand)
      return operation == .negate ? 0 &- value : ~value
    case .binary(let operation, let left, let right):
      return operation.apply(try number(left), try number(right))
    case .load(_, let byteCount, let isSigned, let address):
      return try memory.word(at: evaluate(address)).extended(bitCount: 8 * byteCount, isSigned: isSigned)
    case .bits(let value, let offset, let count, let isSigned):
      return (try evaluate(value) >> UInt64(offset & 63)).extended(bitCount: count, isSigned: isSigned)
    case .extend(let value, let byteCount, let isSigned):
      return try evaluate(value).extended(bitCount: 8 * byteCount, isSigned: isSigned)
    case .entryRegister, .threadPointer, .currentTask, .tracepointArgument, .input, .siteLoad, .selected:
      throw .unknown
    }
  }
}

/// The piece of stack that was copied.
struct StackMemory {
  /// Why a frame cannot be told.
  enum Failure: Error {
    /// It lies behind the copied piece.
    case outside
    /// It needs something that nobody kept.
    case unknown
  }

  let start: UInt64
  let bytes: [UInt8]
  let replaced: [UInt64: UInt64]

  func word(at address: UInt64) throws(Failure) -> UInt64 {
    if let known = replaced[address] { return known }
    guard address >= start else { throw .unknown }
    let offset = address - start
    guard offset <= UInt64(bytes.count), let word = bytes.rawSpan.load(at: Int(offset), as: UInt64.self)
    else {
      throw .outside
    }
    return word
  }
}

extension Array {
  fileprivate subscript(checked index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
