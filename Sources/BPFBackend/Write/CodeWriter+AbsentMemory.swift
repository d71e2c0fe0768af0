import BPFObject
import TargetModel

/// What a program does about user memory that is not resident: memory that nobody touched since it was mapped, or
/// that the kernel took back.
///
/// Every read is tried without waiting first, so a hit that finds its memory costs what it always did. Only then
/// does the program wait for the page, for which it must be loaded as one that may sleep. See
/// docs/decisions/0012-memory-that-is-not-resident.md.
struct AbsentMemory {
  /// Waits for numbers and blocks of bytes; else they fault.
  var waitsForBytes = false
  /// Waits for strings; else they fault.
  var waitsForText = false

  /// The deepest frame that a program which sleeps may have: from 64 bytes on (56, rounded up to 16) Linux 6.13 and
  /// later give a function a stack for each CPU, which the next run on that CPU overwrites (measured on 6.18).
  static let deepestFrameByteCount = 48

  /// Nothing is waited for.
  init() {}

  /// What a program of that kind may do on `target`.
  init(_ kind: ProgramKind, _ target: BPFTarget) {
    guard case .uprobeMulti = kind else { return }
    waitsForBytes = target.hasCopyFromUser
    waitsForText = target.hasCopyFromUserString
  }
}

extension CodeWriter {
  /// Whether nobody else has to do without something while the program waits: a slot of the pool, a lock.
  private var mayWait: Bool { (layout.scratchRegister == nil || usesTaskScratch) && !holdsLock }

  /// Reads a block of bytes; `r0` is 0 when that worked.
  ///
  /// `load` loads destination, number of bytes and address into `r1`–`r3`.
  mutating func readBytes(_ memory: PlanMemory, load: (inout CodeWriter) -> Void) {
    load(&self)
    code.call(memory == .user ? .probeReadUser : .probeReadKernel)
    guard memory == .user, absentMemory.waitsForBytes, mayWait else { return }
    waits = true
    let present = code.makeLabel()
    code.jump(if: .equal, .r0, 0, to: present)
    load(&self)
    code.call(.copyFromUser)
    code.place(present)
  }

  /// After a read of a string failed: waits for it and goes to `valid` with its length and NUL in `r0`, or goes on.
  ///
  /// `load` loads destination, number of bytes with the NUL and address into `r1`–`r3`. `clearing` leaves zeros behind
  /// the string, and nothing but zeros when it cannot be read: else a part of it may stay.
  mutating func waitForText(
    _ valid: Assembler.Label,
    clearing: Bool,
    load: (inout CodeWriter) -> Void
  ) {
    guard absentMemory.waitsForText, mayWait else { return }
    waits = true
    load(&self)
    // BPF_F_PAD_ZEROS
    code.emit(.move(.r4, clearing ? 1 : 0))
    code.call(kernelFunction: "bpf_copy_from_user_str")
    // An int: the upper half of r0 is anything.
    extend(.r0, offset: 0, count: 32, isSigned: true)
    code.jump(if: .signedGreater, .r0, 0, to: valid)
  }
}
