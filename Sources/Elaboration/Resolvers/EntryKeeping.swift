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

  /// Where the parameters of a return probe are read: at the entry, or behind the prologue that puts them into the frame.
  var parameterAddress: LinkAddress { entryBehindPrologue == nil ? address : function.probeAddress }

  /// Behind the prologue of code that was not optimised, where some parameter is in place there and nowhere before, by a
  /// calling convention that nobody wrote down (Rust's), or comes in a register that probes cannot read.
  ///
  /// A call is told by the stack pointer at its entry there, too.
  var entryBehindPrologue: EntryPoint? {
    guard isReturn, !function.isInlineInstance, function.probeAddress > function.entry, abi == .x86_64,
      let variables = function.variables, isMissingParameter(variables),
      let frame = place.program.canonicalFrameAddress(at: function.probeAddress),
      let pointer = FrameOffset(frame.offset(by: Int64(-abi.addressByteCount)))
    else { return nil }
    // What is kept must be from the entry, and not from a later round of a loop.
    let prologue = Int(clamping: function.probeAddress.raw - function.entry.raw)
    let code = place.program.code(of: function, atMost: 1 << 20)
    guard !code.isEmpty, !EntrySlide.leads(code, at: 0, behindEntryBy: prologue) else { return nil }
    let standing = ProbeAddress.standing(at: function.probeAddress, isFunctionStart: false, place.program)
    guard standing.refusal == nil else { return nil }
    let text = "process(\"\(place.program.path)\").function(\"\(function.sourceText)\")"
    let found = SitePoint(place: place).candidate(
      function,
      at: function.probeAddress,
      standing,
      text: text,
      source: function.declaration
    )
    guard case .instruction(let site, _)? = found?.trigger else { return nil }
    let returned = FrameOffset(
      register: place.environment.registers.stackPointer,
      byteCount: Int32(-abi.addressByteCount)
    )
    var point = EntryPoint(sites: [site], stackPointer: returned)
    point.stackPointerAtSites = pointer
    return point
  }

  /// Whether a parameter is known behind the prologue, and not at the entry.
  private func isMissingParameter(_ variables: any FunctionVariables) -> Bool {
    let atEntry = variables.variables(at: function.entry)
    return variables.variables(at: function.probeAddress).contains { behind in
      guard behind.isParameter, let early = atEntry.first(where: { $0.name == behind.name }) else {
        return false
      }
      guard case .failure = early.location(), case .success = behind.location() else { return false }
      return true
    }
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
