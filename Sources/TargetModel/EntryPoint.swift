/// Where what a function was called with is kept for probes inside of it.
package struct EntryPoint: Hashable, Sendable {
  /// Where the functions begin, or where their parameters are in place.
  package var sites: [ProbeSite]
  /// The stack pointer as it was there, told at the probed instruction: it tells calls under way apart.
  package var stackPointer: FrameOffset
  /// The same, told at `sites`; nil where they are the functions' entries, at which it is just that.
  package var stackPointerAtSites: FrameOffset?
  /// Whether a hit counts whose entry was not seen: its function was called before the session began.
  package var isOptional = false

  package init(sites: [ProbeSite], stackPointer: FrameOffset) {
    self.sites = sites
    self.stackPointer = stackPointer
  }
}

/// A register, by DWARF number, and a distance from what it holds.
package struct FrameOffset: Hashable, Sendable {
  package var register: Int
  package var byteCount: Int32

  package init(register: Int, byteCount: Int32) {
    self.register = register
    self.byteCount = byteCount
  }

  /// Nil for a plan of another form.
  package init?(_ plan: LocationPlan) {
    switch plan {
    case .register(let number): self.init(register: number, byteCount: 0)
    case .binary(.add, .register(let number), .constant(let offset)):
      guard let offset = Int32(exactly: offset) else { return nil }
      self.init(register: number, byteCount: offset)
    default: return nil
    }
  }
}
