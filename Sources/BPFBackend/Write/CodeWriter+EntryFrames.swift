import BPFObject
import TargetModel
import TraceIR

// What a return probe keeps from the function's entry: a stack of frames for each task, told apart by the
// stack pointer.
//
// A frame below the current stack pointer belongs to a function that was left without returning (longjmp, an
// exception, a thread that was killed). Frames with the same stack pointer are calls in tail position and come
// back in reverse order, except when it is the same site: then the older one never returned.
//
// A probe inside of a function leaves the frame where it is: more of them may come, and the next entry drops it. What is
// below the stack pointer of its call's entry belongs to calls that are over.
struct EntryFrameLayout {
  static let depthOffset = 0
  static let framesOffset = 8
  static let stackPointerOffset = 0
  static let siteOffset = 8
  /// Looked at and dropped at one hit; the next one goes on where this one stopped.
  static let maximumDrops = 16

  /// What a task's storage holds with all the tail (the kernel gives 64 KB less its own part).
  static let maximumByteCount = 60_000

  let slotOffsets: [Int]
  let frameByteCount: Int
  /// A power of two: deeper calls overwrite the outermost ones, which then count as missed.
  let depth: Int

  /// Whether one more frame, which stays zero, is for hits without an entry.
  private let hasSpare: Bool

  init(_ facts: ProbeFacts, module: ModuleLayout) {
    hasSpare = facts.isEntryOptional
    var offsets: [Int] = []
    var end = 16
    for slot in facts.entrySlots {
      offsets.append(end)
      end += slot == .long ? 8 : module.slotByteCount
    }
    slotOffsets = offsets
    frameByteCount = end
    var depth = 64
    while depth > 2 && depth * end > 24_000 { depth /= 2 }
    self.depth = depth
  }

  /// Bytes of a task's value.
  func byteCount(_ module: ModuleLayout) -> Int { scratchOffset + module.tailByteCount }

  /// Where scratch memory of the body begins in the value, when it has its place there.
  var scratchOffset: Int { spareOffset + (hasSpare ? frameByteCount : 0) }

  /// Where the frame that stays zero is in the value.
  var spareOffset: Int { Self.framesOffset + depth * frameByteCount }
}

extension CodeWriter {
  private typealias Frame = EntryFrameLayout

  private func stackPointerOffset() -> Int16 {
    let registers = shared.target.registers
    return Int16(registers.register(registers.stackPointer)?.contextOffset ?? 0)
  }

  /// `r5` = the stack pointer at the entry; always 0 for system calls, which do not nest.
  ///
  /// At the return the return address is gone from the stack. 32-bit functions may have taken a pointer away with it, to
  /// where their result is (`ret $4`; psABI for i386, section 2.2.4): `r3` = how much lower their frame may be.
  private mutating func loadStackPointer(_ context: BPFRegister, isReturn: Bool) {
    guard facts.context == .userRegisters else {
      if isReturn { code.emit(.move(.r3, 0)) }
      return code.emit(.move(.r5, 0))
    }
    code.emit(.load(.double, .r5, context, stackPointerOffset()))
    guard isReturn else { return }
    let known = code.makeLabel()
    code.emit(.load(.double, .r1, context, Int16(RegisterFile.codeSegmentContextOffset)))
    code.emit(.arithmetic(.subtract, .r5, 4))
    code.emit(.move(.r3, 4))
    code.jump(if: .equal, .r1, Self.codeSegmentOf32Bits, to: known)
    code.emit(.arithmetic(.subtract, .r5, 4))
    code.emit(.move(.r3, 0))
    code.place(known)
  }

  /// Linux, arch/x86/include/asm/segment.h: __USER32_CS.
  private static let codeSegmentOf32Bits: Int32 = 0x23

  /// `register` = address of the frame with the index in `register`, of the stack at `base`.
  private mutating func frameAddress(_ register: BPFRegister, base: BPFRegister) {
    code.emit(.arithmetic(.and, register, Int32(frames.depth - 1)))
    code.emit(.arithmetic(.multiply, register, Int32(frames.frameByteCount)))
    code.emit(.arithmetic(.add, register, base))
    code.emit(.arithmetic(.add, register, Int32(Frame.framesOffset)))
  }

  // MARK: Entry

  /// Drops dead frames and makes one; the entry register points to it.
  mutating func pushEntryFrame() {
    guard let frame = layout.entryRegister, let context = layout.contextRegister else { return }
    keepSite()
    taskStorage(ModuleMaps.entryFrames(facts.index), create: true)
    let present = code.makeLabel()
    code.jump(if: .notEqual, .r0, 0, to: present)
    lose(.scratchBusy)
    code.jump(to: quit)
    code.place(present)
    if let pointer = facts.entryStackPointerAtSites {
      loadEntryStackPointer(context, pointer)
    } else {
      loadStackPointer(context, isReturn: false)
    }
    let clean = code.makeLabel()
    for _ in 0..<Frame.maximumDrops { dropDeadFrame(clean) }
    code.place(clean)
    code.emit(.load(.double, .r1, .r0, Int16(Frame.depthOffset)))
    code.emit(.move(.r2, .r1))
    code.emit(.arithmetic(.add, .r2, 1))
    code.emit(.store(.double, .r0, Int16(Frame.depthOffset), .r2))
    frameAddress(.r1, base: .r0)
    code.emit(.move(frame, .r1))
    code.emit(.store(.double, frame, Int16(Frame.stackPointerOffset), .r5))
    loadKeptSite(.r2)
    code.emit(.store(.double, frame, Int16(Frame.siteOffset), .r2))
    for offset in frames.slotOffsets { code.emit(.store(.double, frame, Int16(offset), immediate: 0)) }
  }

  /// With the stack at `r0` and the stack pointer in `r5`: drops the top frame, or goes to `clean` when it lives.
  private mutating func dropDeadFrame(_ clean: Assembler.Label) {
    let drop = code.makeLabel()
    code.emit(.load(.double, .r1, .r0, Int16(Frame.depthOffset)))
    code.jump(if: .equal, .r1, 0, to: clean)
    code.emit(.arithmetic(.subtract, .r1, 1))
    code.emit(.move(.r4, .r1))
    frameAddress(.r1, base: .r0)
    code.emit(.load(.double, .r2, .r1, Int16(Frame.stackPointerOffset)))
    code.jump(if: .less, .r2, .r5, to: drop)
    code.jump(if: .notEqual, .r2, .r5, to: clean)
    code.emit(.load(.double, .r3, .r1, Int16(Frame.siteOffset)))
    loadKeptSite(.r2)
    code.jump(if: .notEqual, .r2, .r3, to: clean)
    code.place(drop)
    code.emit(.store(.double, .r0, Int16(Frame.depthOffset), .r4))
  }

  /// The site goes on the stack while the frame is looked for.
  private mutating func keepSite() {
    guard facts.siteCount > 1 else { return }
    loadSite(.r0)
    code.emit(.store(.double, .r10, -8, .r0))
  }

  private mutating func loadKeptSite(_ register: BPFRegister) {
    if facts.siteCount > 1 {
      code.emit(.load(.double, register, .r10, -8))
    } else {
      code.emit(.move(register, 0))
    }
  }

  mutating func writeStoreEntry(_ slot: Int, _ operand: Operand) {
    guard let frame = layout.entryRegister else { return }
    let offset = frames.slotOffsets[slot]
    if facts.entrySlots[slot] == .long { return store(operand, at: frame, offset, .r0) }
    let source = text(operand)
    loadLength(.r2, source)
    roundToField(.r2)
    textAddress(.r3, source, 0)
    code.emit(.move(.r1, frame))
    code.emit(.arithmetic(.add, .r1, Int32(offset)))
    code.call(.probeReadKernel)
  }

  // MARK: Return

  /// Finds the frame of the call that returns and takes it off; a return without one is counted and left.
  mutating func findEntryFrame() {
    guard let frame = layout.entryRegister, let context = layout.contextRegister else { return }
    let (missed, lost, found) = (code.makeLabel(), code.makeLabel(), code.makeLabel())
    if hasScratchBehindFrames, let scratch = layout.scratchRegister {
      code.emit(.move(.r0, scratch))
      code.emit(.arithmetic(.subtract, .r0, Int32(frames.scratchOffset)))
    } else {
      taskStorage(ModuleMaps.entryFrames(facts.index), create: facts.isEntryOptional)
      code.jump(if: .equal, .r0, 0, to: lost)
    }
    if let pointer = facts.entryStackPointer, facts.isWithinEntered {
      loadEntryStackPointer(context, pointer)
    } else {
      loadStackPointer(context, isReturn: true)
    }
    for _ in 0..<Frame.maximumDrops { takeFrame(found, missed) }
    code.place(missed)
    if facts.isEntryOptional {
      code.emit(.move(.r1, .r0))
      code.emit(.arithmetic(.add, .r1, Int32(frames.spareOffset)))
      code.jump(to: found)
    }
    code.place(lost)
    writeMissedEntry(to: ends.end)
    code.place(found)
    code.emit(.move(frame, .r1))
  }

  /// `r5` = the stack pointer as it was at the entry of the function around.
  private mutating func loadEntryStackPointer(_ context: BPFRegister, _ pointer: FrameOffset) {
    let register = shared.target.registers.register(pointer.register)
    code.emit(.load(.double, .r5, context, Int16(register?.contextOffset ?? 0)))
    code.emit(.arithmetic(.add, .r5, pointer.byteCount))
  }

  private mutating func writeMissedEntry(to exit: Assembler.Label) {
    // A system call that began before the session is none of its hits, nor is where a new process begins.
    if facts.context == .userRegisters { lose(.missedEntry) }
    code.jump(to: exit)
  }

  /// Scratch memory and the frames in one look at the task's storage; a task without frames has missed the entry.
  mutating func claimScratchBehindFrames(_ scratch: BPFRegister) {
    let claimed = code.makeLabel()
    taskStorage(ModuleMaps.entryFrames(facts.index), create: facts.isEntryOptional)
    code.jump(if: .notEqual, .r0, 0, to: claimed)
    writeMissedEntry(to: quit)
    code.place(claimed)
    code.emit(.move(scratch, .r0))
    code.emit(.arithmetic(.add, scratch, Int32(frames.scratchOffset)))
  }

  private mutating func takeFrame(_ found: Assembler.Label, _ missed: Assembler.Label) {
    code.emit(.load(.double, .r1, .r0, Int16(Frame.depthOffset)))
    code.jump(if: .equal, .r1, 0, to: missed)
    code.emit(.arithmetic(.subtract, .r1, 1))
    code.emit(.move(.r4, .r1))
    frameAddress(.r1, base: .r0)
    code.emit(.load(.double, .r2, .r1, Int16(Frame.stackPointerOffset)))
    code.jump(if: .greater, .r2, .r5, to: missed)
    if facts.isWithinEntered {
      code.jump(if: .equal, .r2, .r5, to: found)
      return code.emit(.store(.double, .r0, Int16(Frame.depthOffset), .r4))
    }
    code.emit(.store(.double, .r0, Int16(Frame.depthOffset), .r4))
    code.jump(if: .equal, .r2, .r5, to: found)
    code.emit(.arithmetic(.add, .r2, .r3))
    code.jump(if: .equal, .r2, .r5, to: found)
  }

  mutating func writeLoadEntry(_ result: ValueID, _ slot: Int) {
    guard let frame = layout.entryRegister, !isUnused(result) else { return }
    let offset = frames.slotOffsets[slot]
    if facts.entrySlots[slot] == .long {
      code.emit(.load(.double, .r0, frame, Int16(offset)))
      return store(.r0, result)
    }
    code.emit(.move(.r3, frame))
    code.emit(.arithmetic(.add, .r3, Int32(offset)))
    copyForeignText(toSlotOf: result)
  }
}
