import Platform
import TargetModel
import TraceIR

/// Shows records from the data ring.
final class RecordPrinter {
  private let program: TraceProgram
  private let interpreter: Interpreter
  private let context: RecordContext
  private let sink: OutputSink
  /// The sites of each kernel-side probe.
  private let sites: [[SiteDescription]]

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
    context = RecordContext(target: target, userCode: userCode)
    sites = program.probes.map { probe in
      switch probe.trigger {
      case .userSites(let sites, _, _): sites.map(\.description)
      case .tracepoint(_, _, let description, _): [description]
      default: []
      }
    }
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
      context.site = description(probe: Int(probe), site: Int(site))
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

  private func description(probe: Int, site: Int) -> SiteDescription? {
    guard sites.indices.contains(probe), sites[probe].indices.contains(site) else { return nil }
    return sites[probe][site]
  }

  /// Text is handed over in large pieces, JSON record by record.
  private func flush(probe: Int) {
    switch sink.format {
    case .text:
      guard interpreter.output.count >= 1 << 15 else { return }
      finish()
    case .json:
      guard !interpreter.output.isEmpty else { return }
      let name = program.probes.indices.contains(probe) ? program.probes[probe].name : ""
      let text = ByteString(interpreter.output.bytes)
      sink.write(.print(probe: name, site: context.site?.probePoint, text: text))
      interpreter.clearOutput()
    }
  }

  /// Hands over the text that is left.
  func finish() {
    guard !interpreter.output.isEmpty else { return }
    sink.print(interpreter.output.bytes)
    interpreter.clearOutput()
  }
}
