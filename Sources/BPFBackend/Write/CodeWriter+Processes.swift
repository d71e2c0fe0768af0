import BPFObject
import TargetModel
import TraceIR

// Whether a probe is meant for the process that hit it.
extension CodeWriter {
  /// Leaves at once in other processes.
  ///
  /// To keep `uprobe_multi` to one process is the kernel's business: it does not even run the program elsewhere. Perf
  /// events keep to its memory, which a child has too between vfork(2) and exec(2).
  mutating func checkProcess() {
    guard let filter = facts.filter else { return }
    let isKernelsBusiness =
      facts.context == .userRegisters && filter.scope != .family && shared.target.userAttachment == .multi
    if isKernelsBusiness { return }
    if facts.waitsForCommand {
      code.loadMapValue(.r1, ModuleMaps.scalars, offset: Int32(ScalarLayout.commandWaitsOffset))
      code.emit(.load(.word, .r1, .r1))
      code.jump(if: .notEqual, .r1, 0, to: quit)
    }
    switch filter.scope {
    case .target: checkTarget()
    case .process(let pid):
      code.loadProcess()
      code.jump(if: .notEqual, .r0, pid, to: quit)
    case .family:
      code.storeProcess(at: -8)
      code.findInFamily(keyAt: -8, otherwise: quit)
    }
    if let executable = facts.executable { checkExecutable(executable) }
  }

  /// Every process passes when there is no target.
  private mutating func checkTarget() {
    let inside = code.makeLabel()
    code.loadMapValue(.r1, ModuleMaps.scalars, offset: Int32(ScalarLayout.targetOffset))
    code.emit(.load(.double, .r1, .r1))
    code.jump(if: .equal, .r1, 0, to: inside)
    code.emit(.store(.double, .r10, -8, .r1))
    code.loadProcess()
    code.emit(.load(.double, .r1, .r10, -8))
    code.jump(if: .notEqual, .r0, .r1, to: quit)
    code.place(inside)
  }

  /// Walks to the file that the current process runs, and compares it with entry `index` of the map of executables.
  private mutating func checkExecutable(_ index: Int) {
    code.call(.getCurrentTask)
    code.emit(.move(.r3, .r0))
    for step in 0..<3 {
      readExecutableMember(step, byteCount: 8)
      code.emit(.load(.double, .r3, .r10, -8))
    }
    code.emit(.store(.double, .r10, -16, .r3))
    readExecutableMember(3, byteCount: 8)
    compare(.double, with: index, offset: ExecutableTable.inodeOffset)
    code.emit(.load(.double, .r3, .r10, -16))
    readExecutableMember(4, byteCount: 8)
    code.emit(.load(.double, .r3, .r10, -8))
    readExecutableMember(5, byteCount: 4)
    compare(.word, with: index, offset: ExecutableTable.deviceOffset)
  }

  /// Reads a member of the structure at `r3`, to the top of the stack; a thread of the kernel fails and leaves.
  private mutating func readExecutableMember(_ step: Int, byteCount: Int32) {
    code.addMemberOffset(KernelPath.executable, step, to: .r3)
    code.stackAddress(.r1, -8)
    code.emit(.move(.r2, byteCount))
    code.call(.probeReadKernel)
    code.jump(if: .notEqual, .r0, 0, to: quit)
  }

  private mutating func compare(_ size: BPFSize, with index: Int, offset: Int) {
    code.emit(.load(size, .r1, .r10, -8))
    code.loadMapValue(
      .r2,
      ModuleMaps.executables,
      offset: Int32(index * ExecutableTable.entryByteCount + offset)
    )
    code.emit(.load(size, .r2, .r2))
    code.jump(if: .notEqual, .r1, .r2, to: quit)
  }
}

extension Assembler {
  /// `r0` = the current process's ID.
  mutating func loadProcess() {
    call(.getCurrentPidTgid)
    emit(.arithmetic(.shiftRight, .r0, 32))
  }

  /// Stores the current process's ID, 32 bits, in the stack.
  mutating func storeProcess(at offset: Int16) {
    loadProcess()
    emit(.store(.word, .r10, offset, .r0))
  }

  /// Goes to `label` unless the process whose ID is in the stack is one of the family.
  mutating func findInFamily(keyAt offset: Int32, otherwise label: Label) {
    loadMap(.r1, ModuleMaps.family)
    stackAddress(.r2, offset)
    call(.mapLookupElement)
    jump(if: .equal, .r0, 0, to: label)
  }

  /// Adds the offset of a member to `register`.
  ///
  /// Uses `r1`.
  mutating func addMemberOffset(_ path: KernelPath, _ step: Int, to register: BPFRegister) {
    loadMapValue(.r1, path.map, offset: Int32(8 * step))
    emit(.load(.double, .r1, .r1))
    emit(.arithmetic(.add, register, .r1))
  }

  /// `register` = the address of a place in the stack.
  mutating func stackAddress(_ register: BPFRegister, _ offset: Int32) {
    emit(.move(register, .r10))
    emit(.arithmetic(.add, register, offset))
  }
}
