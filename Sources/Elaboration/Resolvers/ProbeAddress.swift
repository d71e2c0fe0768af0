import MachineCode
import TargetModel

/// Where exactly a probe of a function stands.
enum ProbeAddress {
  /// The longest function whose branches are looked at before a probe moves.
  private static let longestFunction = 64 << 10

  /// The address, and why the kernel cannot probe it.
  ///
  /// A return probe needs the stack as it was on entry and stays. So does a probe whose parameters are in place
  /// only behind the prologue; all others may move past what changes nothing (`endbr64`, `nop`) to a cheaper
  /// instruction.
  static func choose(
    in function: ProgramFunction,
    _ isReturn: Bool,
    _ program: any Program
  ) -> (address: LinkAddress, refusal: String?) {
    let start = isReturn ? function.entry : function.probeAddress
    guard start == function.entry else { return (start, refusal(at: start, isFunctionStart: false, program)) }
    let slide = isReturn || function.isInlineInstance ? 0 : distance(in: function, program)
    let isStart = slide == 0 && !function.isInlineInstance
    let address = start.advanced(by: Int64(slide))
    return (address, refusal(at: address, isFunctionStart: isStart, program))
  }

  /// Why the kernel cannot probe an address; nil when it can, or when nobody knows.
  static func refusal(at address: LinkAddress, isFunctionStart: Bool, _ program: any Program) -> String? {
    let code = program.code(at: address, upTo: 16)
    guard !code.isEmpty,
      case .refused(let reason) = SiteVerdict(X86Instruction(code[...]), isFunctionStart: isFunctionStart)
    else { return nil }
    return reason
  }

  private static func distance(in function: ProgramFunction, _ program: any Program) -> Int {
    let first = X86Instruction(program.code(at: function.entry, upTo: 16)[...])
    // Only what surely changes nothing is worth reading the whole function for.
    guard first?.kind == .endbr64 || first?.kind == .nop, let end = function.end, end > function.entry else {
      return 0
    }
    let byteCount = end.raw - function.entry.raw
    guard byteCount <= longestFunction else { return 0 }
    let code = program.code(at: function.entry, upTo: Int(byteCount))
    guard code.count == Int(byteCount) else { return 0 }
    return EntrySlide.offset(in: code) { $0.kind == .other }
  }
}
