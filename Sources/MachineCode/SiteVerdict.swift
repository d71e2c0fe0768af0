/// What happens when a uprobe is put on an instruction, and what it costs.
///
/// Source: Linux, arch/x86/kernel/uprobes.c (`good_insns_64`, `branch_setup_xol_ops`, `push_setup_xol_ops`),
/// and measurements in docs/decisions/0004-probe-sites.md.
package enum SiteVerdict: Hashable, Sendable {
  /// The kernel emulates the instruction: about 0.7 µs a hit.
  case emulated
  /// The kernel copies it and steps it: about 9 µs a hit.
  case singleStepped
  /// A probe here would never run, or break the program; the text says why.
  case refused(String)
}

extension SiteVerdict {
  /// As a listing says it.
  package var text: String {
    switch self {
    case .emulated: "emulated"
    case .singleStepped: "single-stepped"
    case .refused(let reason): "refused: \(reason)"
    }
  }

  /// Judges the instruction at a site.
  ///
  /// `isFunctionStart`: whether the site is where a function begins. A five-byte nop elsewhere is replaced by a
  /// call on Linux 6.18 and later, which overwrites a live red zone.
  package init(_ instruction: X86Instruction?, isFunctionStart: Bool) {
    guard let instruction else {
      self = .refused("the bytes there are no instruction")
      return
    }
    if !instruction.prefixes.isDisjoint(with: refusedPrefixes) {
      let prefix = instruction.prefixes.contains(.lock) ? "a 'lock'" : "an old segment"
      self = .refused("the kernel cannot step an instruction with \(prefix) prefix")
      return
    }
    if instruction.isPrivileged || instruction.isShortenedBranch {
      self = .refused("the kernel cannot step the instruction there")
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
      // `loop` and `jrcxz` count and test registers.
      let isLoop = instruction.map == .oneByte && instruction.opcode >= 0xe0
      self = isLoop ? .singleStepped : .emulated
    case .endbr64, .indirectBranch, .return, .barrier, .trap, .other: self = .singleStepped
    }
  }
}

/// `is_prefix_bad` in the kernel: segment overrides of 32-bit code and `lock`; of nops and branches too.
private let refusedPrefixes: X86Prefixes = [.oldSegment, .lock]

extension X86Instruction {
  /// Interrupts, `hlt`, `in`, `out` and their kin: not in the kernel's `good_insns_64`.
  fileprivate var isPrivileged: Bool {
    guard map == .oneByte else { return false }
    switch opcode {
    case 0x6c...0x6f, 0xcc...0xcf, 0xe4...0xe7, 0xec...0xef, 0xf1, 0xf4, 0xfa, 0xfb: return true
    default: return false
    }
  }

  /// `jmp` and `call` with an operand-size prefix, on whose length processors disagree.
  fileprivate var isShortenedBranch: Bool {
    guard prefixes.contains(.operandSize) else { return false }
    switch kind {
    case .jump, .call, .conditionalJump: return true
    default: return false
    }
  }

  /// Whether it is a vector instruction whose opcode is that of a branch among ordinary instructions.
  ///
  /// Linux up to 6.18 at least looks at the opcode byte alone (`branch_setup_xol_ops`): it emulates `vpcmpeqb` (74)
  /// as `je +0` and `kmovw` (90) as `nop`. On the development machine that left the result register as it was, for
  /// every such opcode tried; glibc's `__strchrnul_evex` starts with one (`vpbroadcastb`, 7a) and crashed its caller.
  fileprivate var isMistakenForBranch: Bool {
    guard map == .vector else { return false }
    return (0x70...0x7f).contains(opcode) || [0x90, 0xe8, 0xe9, 0xeb].contains(opcode)
  }
}
