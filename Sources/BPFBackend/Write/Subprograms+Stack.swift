import BPFObject
import TargetModel
import TraceIR

/// The steps of ``KernelPath/replacedReturns``.
private enum ReturnStep: Int { case task, firstReturn, place, address, next }

// A thread's registers and a piece of its stack for the user side, as ``StackWire`` says.
extension CodeWriter {
  /// Sends them; the result is their number, 0 when there was no room for them.
  mutating func writeCaptureStack(_ result: ValueID) {
    if isUnused(result) { return }
    let sent = code.makeLabel()
    loadContext(.r1)
    code.call(subprogram(.captureStack))
    code.jump(if: .notEqual, .r0, 0, to: sent)
    lose(.ringFull)
    code.emit(.move(.r0, 0))
    code.place(sent)
    store(.r0, result)
  }

  private var stackByteCount: Int { StackWire.stackByteCount(module.limits) }

  /// `r6` = context, then bytes read; `r7` = item, `r8` = number, `r9` = stack pointer.
  mutating func writeCaptureStackBody() {
    let (reserved, whole, submit) = (code.makeLabel(), code.makeLabel(), code.makeLabel())
    code.emit(.move(.r6, .r1))
    code.loadMap(.r1, ModuleMaps.dataRing)
    code.emit(.move(.r2, Int32(StackWire.stackOffset + stackByteCount)))
    code.emit(.move(.r3, 0))
    code.call(.ringbufReserve)
    code.jump(if: .notEqual, .r0, 0, to: reserved)
    finish(0)
    code.place(reserved)
    code.emit(.move(.r7, .r0))
    writeStackHeader()
    copyRegisters()
    copyReturns()
    let stackPointer =
      shared.target.registers.register(shared.target.registers.stackPointer)?.contextOffset ?? 0
    code.emit(.load(.double, .r9, .r7, Int16(StackWire.registersOffset + stackPointer)))
    copyStack(whole)
    code.jump(to: submit)
    code.place(whole)
    let count = Int32(stackByteCount)
    code.emit(.store(.double, .r7, Int16(StackWire.stackByteCountOffset), immediate: count))
    code.place(submit)
    code.emit(.move(.r1, .r7))
    loadWakeUp(.r2)
    code.call(.ringbufSubmit)
    code.emit(.move(.r0, .r8))
    code.emit(.exit)
  }

  private mutating func writeStackHeader() {
    code.emit(.store(.word, .r7, 0, immediate: headerWord(StackWire.kind)))
    code.emit(.store(.word, .r7, 4, immediate: 0))
    code.call(.ktimeGetNanoseconds)
    code.emit(.move(.r8, .r0))
    code.emit(.store(.double, .r7, Int16(StackWire.timeOffset), .r0))
    code.call(.getSMPProcessorID)
    code.emit(.arithmetic(.shiftLeft, .r0, 56))
    code.emit(.arithmetic(.or, .r8, .r0))
    code.emit(.store(.double, .r7, Int16(StackWire.numberOffset), .r8))
    code.call(.getCurrentPidTgid)
    code.emit(.store(.double, .r7, Int16(StackWire.processOffset), .r0))
  }

  /// A tracepoint's context is not the registers of user space: those lie where the kernel was entered.
  private mutating func copyRegisters() {
    code.emit(.move(.r3, .r6))
    if facts.context != .userRegisters {
      code.call(.getCurrentTaskBTF)
      code.emit(.move(.r1, .r0))
      code.call(.taskPtRegs)
      code.emit(.move(.r3, .r0))
    }
    code.emit(.move(.r1, .r7))
    code.emit(.arithmetic(.add, .r1, Int32(StackWire.registersOffset)))
    code.emit(.move(.r2, Int32(StackWire.registersByteCount)))
    code.call(.probeReadKernel)
  }

  /// The return addresses that the kernel replaced to see functions return, by way of ``KernelPath/replacedReturns``.
  private mutating func copyReturns() {
    let done = code.makeLabel()
    code.emit(.store(.double, .r7, Int16(StackWire.returnCountOffset), immediate: 0))
    code.call(.getCurrentTask)
    code.emit(.move(.r9, .r0))
    for step in [ReturnStep.task, .firstReturn] { follow(step, done) }
    for index in 0..<StackWire.mostReturns {
      let place = StackWire.returnsOffset + 16 * index
      for (step, offset) in [(ReturnStep.place, place), (.address, place + 8)] {
        addOffset(step)
        code.emit(.move(.r1, .r7))
        code.emit(.arithmetic(.add, .r1, Int32(offset)))
        code.emit(.move(.r2, 8))
        code.call(.probeReadKernel)
      }
      let count = Int32(index + 1)
      code.emit(.store(.double, .r7, Int16(StackWire.returnCountOffset), immediate: count))
      if index + 1 < StackWire.mostReturns { follow(.next, done) }
    }
    code.place(done)
  }

  /// `r9` = the pointer at that offset behind `r9`; goes to `done` when it is null.
  private mutating func follow(_ step: ReturnStep, _ done: Assembler.Label) {
    addOffset(step)
    stackAddress(.r1, -8)
    code.emit(.move(.r2, 8))
    code.call(.probeReadKernel)
    code.emit(.load(.double, .r9, .r10, -8))
    code.jump(if: .equal, .r9, 0, to: done)
  }

  /// `r3 = r9` and the offset of `step`.
  private mutating func addOffset(_ step: ReturnStep) {
    code.loadMapValue(.r1, ModuleMaps.returnPath, offset: Int32(8 * step.rawValue))
    code.emit(.load(.double, .r3, .r1))
    code.emit(.arithmetic(.add, .r3, .r9))
  }

  /// All at once, or page by page; goes to `whole`, or on with the end of the last page that was read in the item.
  ///
  /// Pages in between may not be resident: large arrays that nobody has used. They become zeros.
  private mutating func copyStack(_ whole: Assembler.Label) {
    readStack(at: nil, Int32(stackByteCount))
    code.jump(if: .equal, .r0, 0, to: whole)
    code.emit(.store(.double, .r7, Int16(StackWire.stackByteCountOffset), immediate: 0))
    code.emit(.move(.r6, 4096))
    code.emit(.move(.r1, .r9))
    code.emit(.arithmetic(.and, .r1, 4095))
    code.emit(.arithmetic(.subtract, .r6, .r1))
    readStack(at: nil, nil)
    noteEnd()
    for _ in 1..<max(stackByteCount / 4096, 1) {
      readStack(at: .r6, 4096)
      code.emit(.arithmetic(.add, .r6, 4096))
      noteEnd()
    }
  }

  /// Notes that the stack is known up to `r6` bytes, if the last read worked.
  private mutating func noteEnd() {
    let failed = code.makeLabel()
    code.jump(if: .notEqual, .r0, 0, to: failed)
    code.emit(.store(.double, .r7, Int16(StackWire.stackByteCountOffset), .r6))
    code.place(failed)
  }

  /// Reads as many bytes as `byteCount` or `r6` says, from the stack pointer or as far behind it as `offset` says.
  private mutating func readStack(at offset: BPFRegister?, _ byteCount: Int32?) {
    code.emit(.move(.r1, .r7))
    code.emit(.arithmetic(.add, .r1, Int32(StackWire.stackOffset)))
    code.emit(.move(.r3, .r9))
    if let offset {
      code.emit(.arithmetic(.add, .r1, offset))
      code.emit(.arithmetic(.add, .r3, offset))
    }
    if let byteCount { code.emit(.move(.r2, byteCount)) } else { code.emit(.move(.r2, .r6)) }
    code.call(.probeReadUser)
  }
}
