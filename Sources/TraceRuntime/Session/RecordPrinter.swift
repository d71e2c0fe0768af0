import Platform
import TargetModel
import TraceIR

/// Shows records from the data ring.
final class RecordPrinter {
  private let program: TraceProgram
  private let interpreter: Interpreter
  private let context: RecordContext
  private let sink: OutputSink

  init(
    _ program: TraceProgram,
    _ interpreter: Interpreter,
    target: Int32?,
    userCode: UserCode?,
    sink: OutputSink
  ) {
    self.program = program
    self.interpreter = interpreter
    self.sink = sink
    context = RecordContext(program, target: target, userCode: userCode)
  }

  /// Shows the records of one ring item, which lie one behind the other; gives faults of their handlers.
  func show(_ item: RawSpan) -> [ScriptFault] {
    var faults: [ScriptFault] = []
    var offset = 0
    if item.load(at: 0, as: UInt16.self) == StackWire.kind {
      context.userCode?.keep(item)
      return []
    }
    while let kind = item.load(at: offset, as: UInt16.self),
      let probe = item.load(at: offset + 2, as: UInt16.self),
      let site = item.load(at: offset + 4, as: UInt32.self),
      program.records.indices.contains(Int(kind))
    {
      context.origin = (Int(probe), Int(site))
      var fields = RecordFields(offset: offset + RecordWire.headerByteCount)
      do {
        try interpreter.handle(record: RecordID(Int(kind)), in: item, &fields, context: context)
      } catch {
        faults.append(error)
      }
      offset = fields.offset
      flush(probe: Int(probe))
    }
    return faults
  }

  /// Text is handed over in large pieces, JSON record by record.
  private func flush(probe: Int) {
    switch sink.format {
    case .text:
      guard interpreter.outputByteCount >= 1 << 15 else { return }
      finish()
    case .json:
      guard interpreter.outputByteCount > 0 else { return }
      let name = program.probes.indices.contains(probe) ? program.probes[probe].name : ""
      let text = ByteString(interpreter.output.bytes)
      sink.write(.print(probe: name, site: context.site?.probePoint, text: text))
      interpreter.clearOutput()
    }
  }

  /// Hands over the text that is left.
  func finish() {
    guard interpreter.outputByteCount > 0 else { return }
    sink.print(interpreter.output.bytes)
    interpreter.clearOutput()
  }
}
