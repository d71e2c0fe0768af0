package import BPFObject
import TraceIR

/// The programs that know which processes the target has started: `--children`.
///
/// A map holds the IDs of the target and its descendants. The kernel runs the first program in the parent when its child
/// is complete and has not run yet (`trace_sched_process_fork` in `kernel_clone`, kernel/fork.c), so that not even the
/// child's first instruction is missed; exec(2) keeps the ID. The second one forgets a process when its last thread goes.
struct FamilyKeeper {
  /// Processes that one session follows at the same time; the map takes 2 MB.
  static let mostProcesses = 32768

  /// Where a process that finds no room is counted.
  let lossIndex: Int
  private var code: Assembler
  private let end: Assembler.Label

  private init(_ name: String, lossIndex: Int) {
    self.lossIndex = lossIndex
    code = Assembler(program: name)
    end = code.makeLabel()
  }

  /// Both programs; the count of what is lost goes to `lossIndex` of ``ModuleMaps/losses``.
  static func programs(lossIndex: Int) throws(BPFBackendError) -> [ProgramSpec] {
    var fork = FamilyKeeper(FamilyPrograms.fork, lossIndex: lossIndex)
    fork.writeFork()
    var exit = FamilyKeeper(FamilyPrograms.exit, lossIndex: lossIndex)
    exit.writeExit()
    return [
      ProgramSpec(
        name: FamilyPrograms.fork,
        kind: .rawTracepoint("sched_process_fork"),
        code: try fork.finish()
      ),
      ProgramSpec(
        name: FamilyPrograms.exit,
        kind: .rawTracepoint("sched_process_exit"),
        code: try exit.finish()
      ),
    ]
  }

  static var map: MapSpec {
    MapSpec(
      name: ModuleMaps.family.name,
      kind: .hash,
      keyByteCount: 4,
      valueByteCount: 4,
      maxEntries: mostProcesses
    )
  }

  /// The arguments are the forking task and the new one.
  private mutating func writeFork() {
    let full = code.makeLabel()
    code.emit(.move(.r6, .r1))
    code.storeProcess(at: -8)
    code.findInFamily(keyAt: -8, otherwise: end)
    code.emit(.load(.double, .r3, .r6, 8))
    readMember(0, byteCount: 4, to: -16)
    // A thread's process is there already.
    code.emit(.load(.word, .r1, .r10, -8))
    code.emit(.load(.word, .r2, .r10, -16))
    code.jump(if: .equal, .r1, .r2, to: end)
    code.loadMap(.r1, ModuleMaps.family)
    code.stackAddress(.r2, -16)
    code.stackAddress(.r3, -8)
    code.emit(.move(.r4, 0))
    code.call(.mapUpdateElement)
    code.jump(if: .notEqual, .r0, 0, to: full)
    code.jump(to: end)
    code.place(full)
    code.emit(.store(.word, .r10, -8, immediate: Int32(lossIndex)))
    code.loadMap(.r1, ModuleMaps.losses)
    code.stackAddress(.r2, -8)
    code.call(.mapLookupElement)
    code.jump(if: .equal, .r0, 0, to: end)
    code.emit(.move(.r1, 1))
    code.emit(.atomic(.add, .double, .r0, 0, .r1))
  }

  /// Runs in every thread that ends; the count of live ones is down already.
  private mutating func writeExit() {
    code.call(.getCurrentTask)
    code.emit(.move(.r3, .r0))
    readMember(1, byteCount: 8, to: -8)
    code.emit(.load(.double, .r3, .r10, -8))
    readMember(2, byteCount: 4, to: -8)
    code.emit(.load(.word, .r1, .r10, -8))
    code.jump(if: .notEqual, .r1, 0, to: end)
    code.storeProcess(at: -8)
    code.loadMap(.r1, ModuleMaps.family)
    code.stackAddress(.r2, -8)
    code.call(.mapDeleteElement)
  }

  /// Reads the member that is step `index` of ``KernelPath/family`` from the structure at `r3`.
  private mutating func readMember(_ index: Int, byteCount: Int32, to offset: Int32) {
    code.loadMapValue(.r1, KernelPath.family.map, offset: Int32(8 * index))
    code.emit(.load(.double, .r1, .r1))
    code.emit(.arithmetic(.add, .r3, .r1))
    code.stackAddress(.r1, offset)
    code.emit(.move(.r2, byteCount))
    code.call(.probeReadKernel)
    code.jump(if: .notEqual, .r0, 0, to: end)
  }

  private mutating func finish() throws(BPFBackendError) -> ProgramCode {
    code.place(end)
    code.emit(.move(.r0, 0))
    code.emit(.exit)
    do { return try code.finish() } catch { throw .assembly(error) }
  }
}

extension Assembler {
  /// Stores the current process's ID, 32 bits, in the stack.
  mutating func storeProcess(at offset: Int16) {
    call(.getCurrentPidTgid)
    emit(.arithmetic(.shiftRight, .r0, 32))
    emit(.store(.word, .r10, offset, .r0))
  }

  /// Goes to `label` unless the process whose ID is in the stack is one of the family.
  mutating func findInFamily(keyAt offset: Int32, otherwise label: Label) {
    loadMap(.r1, ModuleMaps.family)
    stackAddress(.r2, offset)
    call(.mapLookupElement)
    jump(if: .equal, .r0, 0, to: label)
  }

  /// `register` = the address of a place in the stack.
  mutating func stackAddress(_ register: BPFRegister, _ offset: Int32) {
    emit(.move(register, .r10))
    emit(.arithmetic(.add, register, offset))
  }
}

/// What ``FamilyKeeper`` puts into a module, by name.
package enum FamilyPrograms {
  /// To be attached before any probe.
  package static let fork = "family_fork"
  /// To be attached behind every probe: a process belongs to the family as long as it has anything to run.
  package static let exit = "family_exit"
}

extension BPFModule {
  /// The map whose keys are the IDs, 32 bits, of the target and its descendants; nil when no probe asks for them.
  package var family: MapReference? { present(ModuleMaps.family) }
}
