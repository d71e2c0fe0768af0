import MachineCode
import TargetModel

extension FunctionScope {
  /// The entry of the function whose frame the site is in, and how the two are paired.
  ///
  /// A call is told by the stack pointer at its entry. The call frame tables say at the site how far away that is.
  func entryPoint(keeping registers: X86Registers) -> EntryPoint? {
    guard !isReturn, let owner = frameOwner, owner.variables != nil,
      let frame = place.program.canonicalFrameAddress(at: address),
      let pointer = FrameOffset(frame.offset(by: Int64(-abi.addressByteCount)))
    else { return nil }
    let point = SitePoint(place: place)
    let sites = ProbeAddress.choices(in: owner, true, place.program).lazy
      .filter { $0.standing.refusal == nil && $0.writtenRegisters.isDisjoint(with: registers) }
      .compactMap { choice -> ProbeSite? in
        let text = "process(\"\(place.program.path)\").function(\"\(owner.sourceText)\")"
        let found = point.candidate(
          owner,
          at: choice.address,
          choice.standing,
          text: text,
          source: owner.declaration
        )
        guard case .instruction(let site, _)? = found?.trigger else { return nil }
        return site
      }
    return sites.first.map { EntryPoint(sites: [$0], stackPointer: pointer) }
  }

  /// The function with code of its own that an inlined instance is in, or the function itself.
  private var frameOwner: ProgramFunction? {
    function.isInlineInstance ? place.program.function(containing: function.entry) : function
  }
}

extension X86Registers {
  /// All of these DWARF numbers.
  init(dwarf numbers: Set<Int>) {
    self = numbers.reduce([]) { $0.union(X86Registers(dwarf: $1)) }
  }
}
