import TargetModel

/// A stack on the data ring, an item of its own that comes before the records that name it.
///
///     offset   0  u16  kind: ``kind``
///              2  u16  probe
///              4  u32  0
///              8  i64  its number: nanoseconds of CLOCK_MONOTONIC, the CPU's number in the upper byte
///             16  u64  nanoseconds of CLOCK_MONOTONIC
///             24  u32  thread
///             28  u32  thread group
///             32  u64  bytes of the stack up to the last page that could be read
///             40       `struct pt_regs` of x86-64
///            208  u64  calls under way whose return is probed, at most ``mostReturns``
///            216       of each: where its return address lies (u64), and what that was before the kernel put its
///                      own there (u64)
///            472       the stack, from the stack pointer on
package enum StackWire {
  /// No record has this kind.
  package static let kind: UInt16 = 0xffff
  package static let numberOffset = 8
  package static let timeOffset = 16
  package static let processOffset = 24
  package static let stackByteCountOffset = 32
  package static let registersOffset = 40
  package static let registersByteCount = 168
  package static let returnCountOffset = registersOffset + registersByteCount
  package static let returnsOffset = returnCountOffset + 8
  package static let mostReturns = 16
  package static let stackOffset = returnsOffset + 16 * mostReturns

  /// Bytes of stack that are copied at most: whole pages.
  package static func stackByteCount(_ limits: Limits) -> Int { max(4096, limits.stackByteCount & ~4095) }
}

extension TraceProgram {
  /// Whether anything in it asks for call chains or names of user-space code.
  package var usesUserStacks: Bool {
    bodies.contains { body in
      var found = false
      body.block.forEach { instruction in
        if case .intrinsic(_, let intrinsic, _) = instruction.operation, intrinsic.isAboutUserCode {
          found = true
        }
      }
      return found
    }
  }
}

extension Intrinsic {
  /// Whether the user side must know what processes have mapped.
  fileprivate var isAboutUserCode: Bool {
    switch self {
    case .userStack: true
    case .kernelAddressDetail: false
    default: needsUserSide
    }
  }
}
