import ELF
package import TargetModel

/// How to get from a function's registers to its caller's, at one address.
package struct UnwindRules: Hashable, Sendable {
  /// Where a register of the caller is found.
  package enum Rule: Hashable, Sendable {
    case undefined
    case unchanged
    /// In memory, at this address.
    case saved(LocationPlan)
    case value(LocationPlan)
  }

  /// The caller's stack pointer.
  package var canonicalFrameAddress: LocationPlan
  /// By DWARF number: the general registers and the instruction pointer.
  package var registers: [Rule]
  /// Whose place tells where the caller goes on.
  package var returnAddress: Int
  /// The kernel made this frame, for a signal handler: its caller was interrupted anywhere.
  package var isSignalFrame: Bool
}

/// A function that an address belongs to, and what it is executing there.
package struct SourceFrame: Hashable, Sendable {
  package var name: String
  package var linkageName: String?
  /// As the compiler wrote it.
  package var file: String?
  package var line: Int?
  /// Its code is part of the next frame's function.
  package var isInlined: Bool
}

extension ProgramImage {
  /// How to unwind from `address`, by `.eh_frame` or `.debug_frame`; nil where neither covers it.
  package func unwindRules(at address: LinkAddress) -> UnwindRules? { core.unwindRules(at: address) }

  /// The functions that `address` belongs to, innermost inlined one first; empty without DWARF.
  package func sourceFrames(at address: LinkAddress) -> [SourceFrame] {
    guard hasDebugInfo else { return [] }
    let frames = core.session.read { $0.sourceFrames(at: address.raw, hint: nil) }
    guard frames.isEmpty, let die = function(containing: address)?.die else { return frames }
    return core.session.read { $0.sourceFrames(at: address.raw, hint: DIEReference(raw: die)) }
  }

  /// The symbol that covers `address`, of the binary or, where that was stripped, of its debug file.
  package func symbol(
    containing address: LinkAddress
  ) -> (name: String, start: LinkAddress, byteCount: UInt64)? {
    core.symbol(containing: address)
  }

  /// The link address of the byte at `offset` of the file; nil outside of every segment.
  package func linkAddress(of offset: FileOffset) -> LinkAddress? { core.binary.linkAddress(of: offset) }
}

extension UnwindRules {
  /// rax to r15, and the instruction pointer (System V psABI, figure 3.36).
  private static let covered = 0..<17

  /// What the call frame tables say at the context's address.
  init?(_ reader: DwarfReader, _ context: LocationPlanner.Context) {
    var context = context
    guard let frame = reader.callFrame(at: context.address, registers: Self.covered) else { return nil }
    var planner = LocationPlanner(context)
    guard case .memory(_, let base)? = try? planner.plan(frame.canonicalFrameAddress) else { return nil }
    context.canonicalFrameAddress = base
    self.init(
      canonicalFrameAddress: base,
      registers: Self.covered.map { register in
        UnwindRules.Rule(context.abi.number(of: register).flatMap { frame.registers[$0] }, context)
      },
      returnAddress: context.abi.register(frame.returnAddress) ?? frame.returnAddress,
      isSignalFrame: frame.isSignalFrame
    )
  }
}

extension ImageCore {
  fileprivate func unwindRules(at address: LinkAddress) -> UnwindRules? {
    let context = context(at: address, entry: nil)
    return session.read { UnwindRules($0, context) }
  }

  fileprivate func symbol(
    containing address: LinkAddress
  ) -> (name: String, start: LinkAddress, byteCount: UInt64)? {
    if !binary.symbols.hasSymtab, let main = info.main, main.path != binary.path,
      let found = Self.plainest(main.symbols, address)
    {
      return found
    }
    if let found = Self.plainest(binary.symbols, address) { return found }
    guard !binary.symbols.hasSymtab else { return nil }
    return binary.goFunctions?.function(containing: address).map { ($0.name, $0.address, $0.byteCount) }
  }

  /// Of several names of one function, as binding as the best, the one with the fewest underscores in front:
  /// `clone3` and not `__GI___clone3`.
  private static func plainest(
    _ symbols: ELFSymbolTable,
    _ address: LinkAddress
  ) -> (name: String, start: LinkAddress, byteCount: UInt64)? {
    guard let best = symbols.symbol(containing: address) else { return nil }
    let names = symbols.symbols(at: best.address)
      .filter { $0.binding == best.binding && $0.kind == best.kind && $0.byteCount == best.byteCount }
      .map(\.name)
    let plainest = names.min { left, right in
      left.prefix { $0 == "_" }.count < right.prefix { $0 == "_" }.count
    }
    return (plainest ?? best.name, best.address, best.byteCount)
  }
}

extension UnwindRules.Rule {
  fileprivate init(_ rule: CallFrame.Rule?, _ context: LocationPlanner.Context) {
    switch rule {
    case .expression(let operations):
      var planner = LocationPlanner(context)
      switch try? planner.plan(operations) {
      case .memory(_, let address) where context.abi.addressByteCount < 8:
        let byteCount = context.abi.addressByteCount
        self = .value(.load(.user, byteCount: byteCount, isSigned: false, address: address))
      case .memory(_, let address): self = .saved(address)
      case .value(let plan): self = .value(plan)
      case .pieces, .pointer, nil: self = .undefined
      }
    case .unchanged: self = .unchanged
    case .undefined, nil: self = .undefined
    }
  }
}
