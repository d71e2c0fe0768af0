import MachineCode
import TargetModel

/// Where exactly a probe of a function stands.
enum ProbeAddress {
  /// The longest function whose branches are looked at before a probe moves.
  private static let longestFunction = 64 << 10

  /// An instruction, and what a probe gives up by standing there and not at the function's entry.
  struct Choice: Sendable {
    var address: LinkAddress
    /// Why the kernel cannot probe it.
    var refusal: String?
    /// Registers that no longer hold what they held on entry.
    var writtenRegisters: X86Registers = []
  }

  /// The places to stand at, best first: the cheapest instruction that all calls pass, then the entry.
  ///
  /// A return probe moves only while the stack pointer still points to the return address. A probe whose parameters
  /// are in place only behind the prologue stays there. Those that give up registers are no place for a body
  /// that reads them.
  static func choices(in function: ProgramFunction, _ isReturn: Bool, _ program: any Program) -> [Choice] {
    let start = isReturn ? function.entry : function.probeAddress
    guard start == function.entry, !function.isInlineInstance else {
      return [Choice(address: start, refusal: refusal(at: start, isFunctionStart: false, program))]
    }
    let obstacle = isReturn ? program.returnObstacle(at: start) : nil
    let stay = Choice(address: start, refusal: obstacle ?? refusal(at: start, isFunctionStart: true, program))
    if obstacle != nil { return [stay] }
    let slide = slide(in: function, program)
    guard slide.byteCount > 0, !isReturn || !slide.writtenRegisters.contains(.rsp) else { return [stay] }
    let moved = Choice(
      address: start.advanced(by: Int64(slide.byteCount)),
      writtenRegisters: slide.writtenRegisters
    )
    return [moved, stay]
  }

  /// Why the kernel cannot probe an address; nil when it can, or when nobody knows.
  static func refusal(at address: LinkAddress, isFunctionStart: Bool, _ program: any Program) -> String? {
    let code = program.code(at: address, upTo: 16)
    guard !code.isEmpty,
      case .refused(let reason) = SiteVerdict(X86Instruction(code), isFunctionStart: isFunctionStart)
    else { return nil }
    return reason
  }

  private static func slide(in function: ProgramFunction, _ program: any Program) -> EntrySlide {
    let start = program.code(at: function.entry, upTo: 16)
    // Most functions begin with what is emulated: no need to read on.
    guard SiteVerdict(X86Instruction(start), isFunctionStart: true) == .singleStepped,
      let end = function.end, end > function.entry
    else { return .none }
    let byteCount = end.raw - function.entry.raw
    guard byteCount <= longestFunction else { return .none }
    let code = program.code(at: function.entry, upTo: Int(byteCount))
    return code.count == Int(byteCount) ? EntrySlide(in: code) : .none
  }
}
