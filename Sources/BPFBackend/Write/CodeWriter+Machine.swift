import BPFObject
import TargetModel
import TraceIR

// Questions to the context and to the kernel.
extension CodeWriter {
  mutating func write(_ operation: MachineOperation, _ result: ValueID) throws(BPFBackendError) {
    if isUnused(result) && !operation.mayFault { return }
    switch operation {
    case .register(let offset): readContext(offset, result)
    case .tracepointArgument(let index): readContext(8 * index, result)
    case .currentTask: ask(.getCurrentTask, result)
    case .processAndThread: ask(.getCurrentPidTgid, result)
    case .userAndGroup: ask(.getCurrentUidGid, result)
    case .processor: ask(.getSMPProcessorID, result)
    case .monotonicTime: ask(.ktimeGetNanoseconds, result)
    case .jiffies: ask(.jiffies64, result)
    case .site:
      loadSite(.r0)
      store(.r0, result)
    case .realTime:
      code.call(.ktimeGetNanoseconds)
      code.loadMapValue(.r1, ModuleMaps.scalars, offset: Int32(ScalarLayout.realtimeBiasOffset))
      code.emit(.load(.double, .r1, .r1))
      code.emit(.arithmetic(.add, .r0, .r1))
      store(.r0, result)
    case .target:
      code.loadMapValue(.r1, ModuleMaps.scalars, offset: Int32(ScalarLayout.targetOffset))
      code.emit(.load(.double, .r0, .r1))
      store(.r0, result)
    case .timeZoneOffset:
      code.loadMapValue(.r1, ModuleMaps.scalars, offset: Int32(ScalarLayout.timeZoneOffset))
      code.emit(.load(.double, .r0, .r1))
      store(.r0, result)
    case .timeZoneName:
      code.loadMapValue(.r3, ModuleMaps.scalars, offset: Int32(ScalarLayout.timeZoneNameOffset))
      copyForeignText(toSlotOf: result)
    case .unary(let kind, let operand): writePlanUnary(result, kind, operand)
    case .binary(let kind, let left, let right): writePlanBinary(result, kind, left, right)
    case .load(let memory, let byteCount, let isSigned, let address):
      writeLoad(result, memory, byteCount: byteCount, isSigned: isSigned, address)
    case .extend(let operand, let byteCount, let isSigned):
      writeExtend(result, operand, byteCount: byteCount, isSigned: isSigned)
    case .bits(let operand, let offset, let count, let isSigned):
      writeBits(result, operand, offset: offset, count: count, isSigned: isSigned)
    case .commandName: writeCommandName(result)
    case .kernelText(let address): writeKernelText(result, address)
    case .siteText(let column, let site): writeSiteText(result, column: column, site)
    case .siteLoad(let index, let site, let previous): writeSiteLoad(result, index, site, previous)
    }
  }

  func unsupported(_ what: String) -> BPFBackendError {
    .unsupported(what, location: shared.program.text(of: location))
  }

  mutating func loadContext(_ register: BPFRegister) {
    guard let context = layout.contextRegister else {
      preconditionFailure("FrameDemand keeps the context for all that asks for it")
    }
    code.emit(.move(register, context))
  }

  private mutating func readContext(_ offset: Int, _ result: ValueID) {
    guard let context = layout.contextRegister else {
      preconditionFailure("FrameDemand keeps the context for all that asks for it")
    }
    var target = BPFRegister.r0
    if case .register(let home) = layout.home(result) { target = home }
    code.emit(.load(.double, target, context, Int16(offset)))
    store(target, result)
  }

  private mutating func ask(_ helper: BPFHelper, _ result: ValueID) {
    code.call(helper)
    store(.r0, result)
  }

  /// Reads memory of the traced program or the kernel by way of the stack.
  private mutating func writeLoad(
    _ result: ValueID,
    _ memory: PlanMemory,
    byteCount: Int,
    isSigned: Bool,
    _ address: Operand
  ) {
    read(memory, byteCount: byteCount, address)
    let valid = code.makeLabel()
    code.jump(if: .equal, .r0, 0, to: valid)
    load(address, into: .r2)
    raise(memory == .user ? .userRead : .kernelRead)
    code.place(valid)
    loadRead(result, byteCount: byteCount, isSigned: isSigned)
  }

  /// Fills the top of the stack; `r0` is 0 when that worked.
  mutating func read(_ memory: PlanMemory, byteCount: Int, _ address: Operand) {
    readBytes(memory) { writer in
      writer.load(address, into: .r3)
      writer.code.emit(.move(.r2, Int32(byteCount)))
      writer.stackAddress(.r1, -8)
    }
  }

  /// Takes what `read` put on the stack.
  mutating func loadRead(_ result: ValueID, byteCount: Int, isSigned: Bool) {
    if isUnused(result) { return }
    code.emit(.load(BPFSize(byteCount: byteCount) ?? .double, .r0, .r10, -8))
    if isSigned { extend(.r0, offset: 0, count: byteCount * 8, isSigned: true) }
    store(.r0, result)
  }
}
