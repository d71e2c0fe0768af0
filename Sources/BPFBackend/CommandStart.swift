import BPFObject
import TraceIR

/// The program that tells when the command of `-c` begins.
///
/// Until then its process waits in a shell, whose system calls are nobody's business. A control word of the scalars is
/// set while it waits; the process's first exec clears it.
package enum CommandStart {
  /// To be attached before any probe, so that `process.begin` finds the command begun.
  package static let program = "command_start"

  static func spec() throws(BPFBackendError) -> ProgramSpec {
    var code = Assembler(program: program)
    let end = code.makeLabel()
    code.loadProcess()
    code.loadMapValue(.r1, ModuleMaps.scalars)
    code.emit(.load(.double, .r2, .r1, Int16(ScalarLayout.targetOffset)))
    code.jump(if: .notEqual, .r0, .r2, to: end)
    code.emit(.store(.word, .r1, Int16(ScalarLayout.commandWaitsOffset), immediate: 0))
    code.place(end)
    code.emit(.move(.r0, 0))
    code.emit(.exit)
    do {
      return ProgramSpec(name: program, kind: .rawTracepoint("sched_process_exec"), code: try code.finish())
    } catch { throw .assembly(error) }
  }
}

extension BPFModule {
  /// Whether it has ``CommandStart/program``.
  package var noticesCommandStart: Bool { blueprint.programs.contains { $0.name == CommandStart.program } }
}
