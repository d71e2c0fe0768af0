/// What happens when a uprobe is put on an instruction, and what it costs.
///
/// Source: Linux, arch/x86/kernel/uprobes.c (`good_insns_64`, `branch_setup_xol_ops`, `push_setup_xol_ops`),
/// and measurements in docs/decisions/probe-sites.md.
package enum SiteVerdict: Hashable, Sendable {
  /// The kernel emulates the instruction: about 0.7 µs a hit.
  case emulated
  /// The kernel copies it and steps it: about 9 µs a hit.
  case singleStepped
  /// A probe here would never run, or break the program; the text says why.
  case refused(String)
}

extension SiteVerdict {
  /// Judges the instruction at a site.
  ///
  /// `isFunctionStart`: whether the site is where a function begins. A five-byte nop elsewhere is replaced by a
  /// call on Linux 6.18 and later, which overwrites a live red zone.
  package init(_ instruction: X86Instruction?, isFunctionStart: Bool) {
    guard let instruction else {
      self = .refused("the bytes there are no instruction")
      return
    }
    if let prefix = instruction.prefixes.first(where: { refusedPrefixes.contains($0) }),
      !(instruction.kind == .nop)
    {
      self = .refused("the kernel cannot step an instruction with prefix 0x\(String(prefix, radix: 16))")
      return
    }
    if instruction.isMistakenForBranch {
      self = .refused("the kernel takes the vector instruction there for a branch and would skip it")
      return
    }
    if instruction.isNop5, !isFunctionStart {
      self = .refused("a probe on a five-byte nop inside a function can overwrite its local variables")
      return
    }
    switch instruction.kind {
    case .nop, .push, .jump, .call: self = .emulated
    case .conditionalJump:
      self =
        instruction.opcode.first.map { (0xe0...0xe3).contains($0) } ?? false
        ? .singleStepped : .emulated
    case .trap: self = .refused("the instruction there is a trap")
    case .endbr64, .indirectBranch, .return, .other: self = .singleStepped
    }
  }
}

extension X86Instruction {
  /// Whether it is a vector instruction whose opcode is that of a branch among ordinary instructions.
  ///
  /// Linux up to 6.18 at least looks at the opcode byte alone (`branch_setup_xol_ops`): it emulates `vpcmpeqb` (74)
  /// as `je +0` and `kmovw` (90) as `nop`. On the development machine that left the result register as it was, for every such opcode tried;
  /// glibc's `__strchrnul_evex` starts with one (`vpbroadcastb`, 7a) and crashed its caller.
  fileprivate var isMistakenForBranch: Bool {
    guard isVector, let last = opcode.last else { return false }
    return (0x70...0x7f).contains(last) || [0x90, 0xe8, 0xe9, 0xeb].contains(last)
  }
}

/// `is_prefix_bad` in the kernel: segment overrides of 32-bit code and `lock`.
private let refusedPrefixes: Set<UInt8> = [0x26, 0x2e, 0x36, 0x3e, 0xf0]
