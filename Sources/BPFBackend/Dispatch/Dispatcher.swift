import BPFObject

/// A program that jumps to another one by a number of its tracepoint, and the array of those programs.
///
/// A number that is nobody's ends there. The program that is reached looks at the number, too: only its low 32 bits have told
/// which one it is.
enum Dispatcher {
  /// The array; like the program it has the name ``ModuleMaps/dispatcher(_:)``.
  static func map(_ index: Int, programs: [UInt32: String]) -> MapSpec {
    MapSpec(
      name: ModuleMaps.dispatcher(index).name,
      kind: .programArray,
      keyByteCount: 4,
      valueByteCount: 4,
      maxEntries: Int(programs.keys.max() ?? 0) + 1,
      programs: programs
    )
  }

  static func program(_ index: Int, _ group: DispatchPlan.Group) throws(BPFBackendError) -> ProgramSpec {
    let array = ModuleMaps.dispatcher(index)
    var code = Assembler(program: array.name)
    let end = code.makeLabel()
    code.emit(.move(.r6, .r1))
    switch group.number {
    case .argument(let index): code.emit(.load(.double, .r3, .r6, Int16(8 * index)))
    case .member(let index, let offset):
      code.emit(.load(.double, .r3, .r6, Int16(8 * index)))
      code.emit(.arithmetic(.add, .r3, offset))
      code.stackAddress(.r1, -8)
      code.emit(.move(.r2, 8))
      code.call(.probeReadKernel)
      code.jump(if: .notEqual, .r0, 0, to: end)
      code.emit(.load(.double, .r3, .r10, -8))
    }
    code.emit(.move(.r1, .r6))
    code.loadMap(.r2, array)
    code.call(.tailCall)
    code.place(end)
    code.emit(.move(.r0, 0))
    code.emit(.exit)
    do {
      return ProgramSpec(
        name: array.name,
        kind: .rawTracepoint(group.tracepoint),
        code: try code.finish()
      )
    } catch { throw .assembly(error) }
  }
}

extension BPFModule {
  /// The dispatcher's name by that of each program that it jumps to, which is not attached itself.
  package var dispatchers: [String: String] {
    var found: [String: String] = [:]
    for map in blueprint.maps where ModuleMaps.isDispatcher(map) {
      for program in map.programs.values { found[program] = map.name }
    }
    return found
  }
}
