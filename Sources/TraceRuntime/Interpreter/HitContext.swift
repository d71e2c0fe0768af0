package import TargetModel
package import TraceIR

/// What can be asked about the event that made a probe run.
package protocol HitContext: AnyObject {
  /// A number; 0 when it has no answer.
  func long(_ field: ContextField) -> Int64
  /// A text; empty when it has no answer.
  func text(_ field: ContextField) -> ByteString
  /// The site that was hit.
  var site: SiteDescription? { get }
  /// A register by DWARF number.
  func register(_ number: Int) -> UInt64?
  /// The word of a tracepoint's arguments.
  func tracepointArgument(_ index: Int) -> UInt64?
  /// `fs` base.
  var threadPointer: UInt64 { get }
  /// Bytes at an address of the traced process or the kernel; nil on a fault.
  func read(_ memory: PlanMemory, at address: UInt64, byteCount: Int) -> [UInt8]?
  /// A NUL-terminated string, at most `limit` bytes; nil on a fault.
  func readString(_ memory: PlanMemory, at address: UInt64, limit: Int) -> ByteString?
  /// Slots between a function's entry and its return.
  var entrySlots: [Datum] { get set }
  /// `cmdline_str`'s pieces.
  var commandLine: [ByteString] { get }
  /// `env_var`.
  func environmentVariable(_ name: ByteString) -> ByteString?
  /// `$value` of a ``SessionEvent``; stays empty where there is none.
  var eventText: ByteString { get set }
  /// Call chains and names of user-space code; nil when the script does not ask for any.
  var userCode: UserCode? { get }
}

extension HitContext {
  package func register(_: Int) -> UInt64? { nil }

  package func tracepointArgument(_: Int) -> UInt64? { nil }

  package var threadPointer: UInt64 { 0 }

  package func read(_: PlanMemory, at _: UInt64, byteCount _: Int) -> [UInt8]? { nil }

  /// Reads up to the end of a page at a time.
  package func readString(_ memory: PlanMemory, at address: UInt64, limit: Int) -> ByteString? {
    var text: [UInt8] = []
    var position = address
    while text.count < limit {
      let untilPageEnd = 4096 - Int(position & 4095)
      guard let chunk = read(memory, at: position, byteCount: min(untilPageEnd, limit - text.count)) else {
        return nil
      }
      if let end = chunk.firstIndex(of: 0) { return ByteString(text + chunk[..<end]) }
      text += chunk
      position &+= UInt64(chunk.count)
    }
    return ByteString(text)
  }

  package var commandLine: [ByteString] { [] }

  package var eventText: ByteString {
    get { ByteString() }
    set {}
  }

  package func environmentVariable(_: ByteString) -> ByteString? { nil }

  package var userCode: UserCode? { nil }
}

extension HitContext {
  /// Computes a plan.
  /// - Throws: ``ScriptFault`` with the address of the load that failed.
  package func evaluate(_ plan: LocationPlan, inputs: [Int64]) throws(ScriptFault) -> Int64 {
    switch plan {
    case .constant(let value): return value
    case .register(let number): return Int64(bitPattern: register(number) ?? 0)
    case .threadPointer: return Int64(bitPattern: threadPointer)
    case .currentTask: return long(.currentTask)
    case .tracepointArgument(let index): return Int64(bitPattern: tracepointArgument(index) ?? 0)
    case .input(let index): return inputs.indices.contains(index) ? inputs[index] : 0
    // Only kernel-side probes have sites, and kept values are inputs.
    case .siteLoad, .entryRegister: return 0
    case .unary(let operation, let operand):
      let value = try evaluate(operand, inputs: inputs)
      return operation == .negate ? 0 &- value : ~value
    case .binary(let operation, let left, let right):
      return operation.apply(try evaluate(left, inputs: inputs), try evaluate(right, inputs: inputs))
    case .load(let memory, let byteCount, let isSigned, let address):
      return try load(memory, try evaluate(address, inputs: inputs), byteCount, isSigned)
    case .bits(let value, let offset, let count, let isSigned):
      let word = UInt64(bitPattern: try evaluate(value, inputs: inputs)) >> UInt64(offset & 63)
      return word.extended(bitCount: count, isSigned: isSigned)
    case .extend(let value, let byteCount, let isSigned):
      let word = UInt64(bitPattern: try evaluate(value, inputs: inputs))
      return word.extended(bitCount: 8 * byteCount, isSigned: isSigned)
    case .selected(let key, let choices, let other):
      let number = try evaluate(key, inputs: inputs)
      let choice = choices.first { $0.keys.contains(number) }
      return try evaluate(choice?.plan ?? other, inputs: inputs)
    }
  }

  /// Reads an integer.
  func load(
    _ memory: PlanMemory,
    _ address: Int64,
    _ byteCount: Int,
    _ isSigned: Bool
  ) throws(ScriptFault) -> Int64 {
    guard let bytes = read(memory, at: UInt64(bitPattern: address), byteCount: byteCount),
      bytes.count == byteCount
    else { throw ScriptFault(memory == .user ? .userRead : .kernelRead, subject: address) }
    let word = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return word.extended(bitCount: 8 * byteCount, isSigned: isSigned)
  }
}

extension LocationPlan {
  /// What it gives where inputs are all that it reads; registers and memory are 0.
  func value(from inputs: [Int64]) -> Int64 {
    (try? NoHit().evaluate(self, inputs: inputs)) ?? 0
  }
}

/// Nothing was hit.
private final class NoHit: HitContext {
  var entrySlots: [Datum] = []

  var site: SiteDescription? { nil }

  func long(_: ContextField) -> Int64 { 0 }

  func text(_: ContextField) -> ByteString { ByteString() }
}
