import MachineCode
import TargetModel

/// Where exactly a probe of a function stands.
enum ProbeAddress {
  /// The longest function whose branches are looked at before a probe moves.
  private static let longestFunction = 64 << 10

  /// An instruction, and what a probe gives up by standing there and not at the function's entry.
  struct Choice: Sendable {
    var address: LinkAddress
    var standing: SiteStanding
    /// Registers that no longer hold what they held on entry.
    var writtenRegisters: X86Registers = []
    /// Pointers may lead to something else than on entry.
    var writesMemory = false
  }

  /// The places to stand at, best first: the cheapest instruction that all calls pass, then the entry.
  ///
  /// What the kernel cannot probe is left for a place at which all arguments are as they came in, or stays refused.
  /// A return probe moves only while the stack pointer still points to the return address. A probe whose parameters
  /// are in place only behind the prologue stays there. Those that give up registers are no place for a body
  /// that reads them.
  static func choices(in function: ProgramFunction, _ isReturn: Bool, _ program: any Program) -> [Choice] {
    if program.isGo(function) { return [goChoice(in: function, program)] }
    let start = isReturn ? function.entry : function.probeAddress
    guard start == function.entry, !function.isInlineInstance else {
      return [Choice(address: start, standing: standing(at: start, isFunctionStart: false, program))]
    }
    var stay = Choice(address: start, standing: standing(at: start, isFunctionStart: true, program))
    if isReturn, let reason = ReturnHazard.reason(in: function, program) ?? program.returnObstacle(at: start)
    {
      stay.standing.verdict = .refused(reason)
      return [stay]
    }
    guard stay.standing.verdict != .emulated else { return [stay] }
    var slide = slide(in: function, program)
    stay.standing.obstacle = slide.obstacle?.rawValue
    if stay.standing.refusal != nil, slide.byteCount == 0 || !slide.leavesArguments {
      slide = Self.slide(in: function, program, toNearest: true)
      guard slide.leavesArguments else { return [stay] }
    }
    guard slide.byteCount > 0 else { return [stay] }
    guard !isReturn || !slide.writtenRegisters.contains(.rsp) else {
      stay.standing.obstacle = "the stack pointer no longer points to the return address behind it"
      return [stay]
    }
    let address = start.advanced(by: Int64(slide.byteCount))
    var standing = standing(at: address, isFunctionStart: false, program)
    standing.slidByteCount = slide.byteCount
    let moved = Choice(
      address: address,
      standing: standing,
      writtenRegisters: slide.writtenRegisters,
      writesMemory: slide.writesMemory
    )
    return [moved, stay]
  }

  /// Behind the stack check: a function whose stack is too small starts again, and would be counted twice.
  private static func goChoice(in function: ProgramFunction, _ program: any Program) -> Choice {
    let byteCount = GoCode.checkByteCount(in: program.code(of: function, atMost: longestFunction))
    let address = function.entry.advanced(by: Int64(byteCount))
    var standing = standing(at: address, isFunctionStart: byteCount == 0, program)
    standing.slidByteCount = byteCount
    return Choice(address: address, standing: standing)
  }

  /// What the kernel makes of a probe at an address; "unknown" when the file has no code there.
  static func standing(
    at address: LinkAddress,
    isFunctionStart: Bool,
    _ program: any Program
  ) -> SiteStanding {
    guard program.abi == .x86_64 else {
      return SiteStanding(verdict: nil, obstacle: "32-bit code is not looked at")
    }
    let code = program.code(at: address, upTo: 16)
    guard !code.isEmpty else { return SiteStanding(verdict: nil) }
    return SiteStanding(verdict: SiteVerdict(X86Instruction(code), isFunctionStart: isFunctionStart))
  }

  private static func slide(
    in function: ProgramFunction,
    _ program: any Program,
    toNearest: Bool = false
  ) -> EntrySlide {
    guard let end = function.end, end > function.entry else { return EntrySlide(stayingFor: .unknownEnd) }
    let byteCount = end.raw - function.entry.raw
    guard byteCount <= longestFunction else { return EntrySlide(stayingFor: .tooLong) }
    let code = program.code(at: function.entry, upTo: Int(byteCount))
    guard code.count == Int(byteCount) else { return EntrySlide(stayingFor: .unknownEnd) }
    let slide = EntrySlide(in: code, toNearest: toNearest) {
      program.continuation(at: function.entry.advanced(by: $0))
    }
    // A compiler leads no other function into this one; assembly does: glibc's mempcpy goes on in its memmove.
    guard slide.byteCount > 0, function.variables == nil,
      program.isEntered(behind: function.entry, by: slide.byteCount),
      function.details?()?.variables == nil
    else { return slide }
    return EntrySlide(stayingFor: .branchedTo)
  }
}

extension EntrySlide {
  /// Whether registers and memory hold what the function was called with.
  fileprivate var leavesArguments: Bool { writtenRegisters.isDisjoint(with: .arguments) && !writesMemory }
}

extension ProgramFunction {
  /// Whether a symbol names the part of a function that is rarely run (gcc's `f.cold`, clang's `f.__part.1`), which
  /// jumps back to where it came from.
  static func isRarePart(_ symbol: String) -> Bool {
    symbol.split(separator: ".").dropFirst().contains { $0 == "cold" || $0 == "__part" }
  }
}

/// What the kernel does at the instruction of one site, and whether the probe moved there.
package struct SiteStanding: Hashable, Sendable {
  /// Nil when the file holds no code there.
  var verdict: SiteVerdict?
  /// How far behind the function's entry the probe stands.
  var slidByteCount = 0
  /// Why a probe that is single-stepped did not move.
  var obstacle: String?

  /// Why the kernel cannot probe it; nil when it can, or when nobody knows.
  var refusal: String? {
    guard case .refused(let reason) = verdict else { return nil }
    return reason
  }

  /// As `-l -v` shows it: `emulated`, `emulated, slid by 4`, `single-stepped: …`, `refused: …`.
  package var text: String {
    guard let text = verdict?.text else { return "unknown: \(obstacle ?? "the file has no code there")" }
    if slidByteCount > 0 { return "\(text), slid by \(slidByteCount)" }
    return obstacle.map { "\(text): \($0)" } ?? text
  }
}
