import TargetModel
import TraceIR

/// What a probe of a tracepoint looks at before anything else: it leaves unless a number is its own.
///
/// Aliases of system calls begin so: `syscall.read` is a probe of all calls that leaves when the number is not that of
/// read(2).
struct NumberGuard: Hashable {
  /// Where the number is.
  enum Number: Hashable {
    /// In the n-th argument.
    case argument(Int)
    /// Eight bytes of the kernel's memory, so far behind the address in the n-th argument.
    case member(ofArgument: Int, offset: Int32)
  }

  let tracepoint: String
  let number: Number
  /// What it has to be.
  let wanted: UInt32

  /// Numbers from here on are nobody's: the largest array that a dispatcher has.
  static let limit: Int64 = 4096

  /// Nil when the probe does something else first, or is armed only now and then.
  init?(_ probe: Probe) {
    guard case .tracepoint(.tracepoint(let name), _, _, _) = probe.trigger, probe.arming == nil else {
      return nil
    }
    let first = probe.body.block.instructions.prefix(3).map(\.operation)
    guard first.count == 3, case .read(let read, let plan, _) = first[0],
      case .binary(let isOther, .notEqual, .value(read), .long(let wanted)) = first[1],
      case .if(.value(isOther), let leaving, let staying) = first[2],
      leaving.isOnlyNext, staying.instructions.isEmpty, let number = Number(plan),
      let index = UInt32(exactly: wanted), wanted < Self.limit
    else { return nil }
    (tracepoint, self.number, self.wanted) = (name, number, index)
  }
}

extension NumberGuard.Number {
  fileprivate init?(_ plan: LocationPlan) {
    switch plan {
    case .tracepointArgument(let index): self = .argument(index)
    case .load(.kernel, byteCount: 8, isSigned: _, address: let address):
      switch address {
      case .tracepointArgument(let index): self = .member(ofArgument: index, offset: 0)
      case .binary(.add, .tracepointArgument(let index), .constant(let distance)):
        guard let offset = Int32(exactly: distance) else { return nil }
        self = .member(ofArgument: index, offset: offset)
      default: return nil
      }
    default: return nil
    }
  }
}

extension Block {
  fileprivate var isOnlyNext: Bool {
    guard instructions.count == 1, case .next = instructions[0].operation else { return false }
    return true
  }
}
