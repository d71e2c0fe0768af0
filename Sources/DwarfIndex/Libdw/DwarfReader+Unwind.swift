internal import CLibdw
import Glibc

/// What call frame information says at one address, as DWARF expressions.
struct CallFrame {
  /// Where a register of the caller is.
  enum Rule {
    /// Nobody kept it.
    case undefined
    case unchanged
    case expression([DwarfOperation])
  }

  var canonicalFrameAddress: [DwarfOperation]
  /// By DWARF number, those of interest only.
  var registers: [Int: Rule]
  /// The column of the return address.
  var returnAddress: Int
  /// A frame that the kernel made for a signal handler: the address in its caller is no return address.
  var isSignalFrame: Bool
}

extension DwarfReader {
  /// The rules at `address` for the registers with these DWARF numbers: `.eh_frame` of the binary first, then
  /// `.debug_frame`.
  func callFrame(at address: UInt64, registers: Range<Int>) -> CallFrame? {
    if let table = unsafe binary?.callFrames, let found = unsafe frame(table, address, registers) {
      return found
    }
    guard let table = unsafe debugCallFrames else { return nil }
    return unsafe frame(table, address, registers)
  }

  @unsafe private func frame(
    _ table: OpaquePointer,
    _ address: UInt64,
    _ registers: Range<Int>
  ) -> CallFrame? {
    var raw: OpaquePointer?
    guard unsafe dwarf_cfi_addrframe(table, address, &raw) == 0, let frame = unsafe raw else { return nil }
    defer { unsafe free(UnsafeMutableRawPointer(frame)) }
    var (start, end): (Dwarf_Addr, Dwarf_Addr) = (0, 0)
    var isSignalFrame = false
    let returnAddress = unsafe dwarf_frame_info(frame, &start, &end, &isSignalFrame)
    var operations: UnsafeMutablePointer<Dwarf_Op>?
    var count = 0
    guard returnAddress >= 0, unsafe dwarf_frame_cfa(frame, &operations, &count) == 0,
      let first = unsafe operations, count > 0
    else { return nil }
    let base = unsafe DwarfOperation.convert(UnsafeBufferPointer(start: first, count: count), of: nil, nil)
    var rules: [Int: CallFrame.Rule] = [:]
    for register in registers { rules[register] = unsafe rule(of: register, in: frame) }
    return CallFrame(
      canonicalFrameAddress: base,
      registers: rules,
      returnAddress: Int(returnAddress),
      isSignalFrame: isSignalFrame
    )
  }

  /// libdw tells “undefined” from “unchanged” by whether it pointed to our memory or to nothing.
  @unsafe private func rule(of register: Int, in frame: OpaquePointer) -> CallFrame.Rule {
    let memory = UnsafeMutablePointer<Dwarf_Op>.allocate(capacity: 3)
    defer { unsafe memory.deallocate() }
    var operations: UnsafeMutablePointer<Dwarf_Op>?
    var count = 0
    guard unsafe dwarf_frame_register(frame, CInt(register), memory, &operations, &count) == 0 else {
      return .undefined
    }
    guard let first = unsafe operations else { return .unchanged }
    guard count > 0 else { return .undefined }
    return .expression(
      unsafe DwarfOperation.convert(UnsafeBufferPointer(start: first, count: count), of: nil, nil)
    )
  }
}
