import TargetModel
package import TraceIR

/// Runs the code of a program on the user side: `begin`, `end`, `error` and timer probes, and the handlers of
/// records from the kernel.
///
/// In: a program, a store for its globals, a context for each hit. Out: ``output``, ``requests``, faults. It can
/// run kernel-side probes too (with a context that knows registers and memory): `emit` runs the record's
/// handler at once. Backends are compared with it.
package final class Interpreter {
  private var machine: Machine
  private let probes: [CodeUnit]
  private let entries: [CodeUnit?]
  /// What decides whether a probe is attached.
  private let conditions: [CodeUnit?]
  private let records: [RecordLayout]
  private let idle: any HitContext

  /// Compiles every body of `program`.
  /// - Throws: ``RegexError`` for a pattern that Lowering should have refused.
  package init(
    _ program: TraceProgram,
    store: any GlobalStore,
    context: any HitContext
  ) throws(RegexError) {
    var functions: [CodeUnit] = []
    let fallbacks = Set(program.functions.compactMap(\.fallback))
    for (index, function) in program.functions.enumerated() {
      functions.append(
        CodeUnit(
          try CodeBuilder(function.body),
          parameterCount: function.parameters.count,
          result: function.result,
          fallback: function.fallback,
          isOverload: function.fallback != nil || fallbacks.contains(FunctionID(index))
        )
      )
    }
    var handlers: [CodeUnit] = []
    for record in program.records { handlers.append(try Self.unit(record.handler, record.fields.count)) }
    var probes: [CodeUnit] = []
    var entries: [CodeUnit?] = []
    var conditions: [CodeUnit?] = []
    for probe in program.probes {
      probes.append(try Self.unit(probe.body, 0))
      entries.append(nil)
      if let entry = probe.entryBody { entries[entries.count - 1] = try Self.unit(entry, 0) }
      conditions.append(nil)
      if let arming = probe.arming { conditions[conditions.count - 1] = try Self.unit(arming, 0) }
    }
    self.probes = probes
    self.entries = entries
    self.conditions = conditions
    records = program.records
    idle = context
    machine = Machine(program, functions: functions, handlers: handlers, store: store, context: context)
  }

  private static func unit(_ body: Body, _ parameterCount: Int) throws(RegexError) -> CodeUnit {
    CodeUnit(
      try CodeBuilder(body),
      parameterCount: parameterCount,
      result: nil,
      fallback: nil,
      isOverload: false
    )
  }

  /// What has been printed and not yet been taken.
  package var output: ByteBuffer { machine.output }

  /// How long it is.
  var outputByteCount: Int { machine.output.count }

  /// Forgets the output; its memory is used again.
  package func clearOutput() { machine.output.clear() }

  /// What probes have asked for since the last call.
  package func takeRequests() -> [SessionRequest] {
    if machine.requests.isEmpty { return [] }
    defer { machine.requests.removeAll() }
    return machine.requests
  }

  /// Runs the body of the probe with that index.
  /// - Throws: ``ScriptFault`` that the script did not catch.
  package func run(probe index: Int, in context: any HitContext) throws(ScriptFault) {
    try run(probes[index], in: context)
  }

  /// Runs what a return probe does at the function's entry.
  /// - Throws: ``ScriptFault`` that the script did not catch.
  package func runEntry(probe index: Int, in context: any HitContext) throws(ScriptFault) {
    if let entry = entries[index] { try run(entry, in: context) }
  }

  /// Whether the condition of the probe with that index holds; one that fails does, so that a hit tells of it.
  func holds(conditionOf index: Int) -> Bool {
    guard let condition = conditions[index] else { return true }
    do throws(ScriptFault) { try run(condition, in: idle) } catch { return true }
    return machine.longResult != 0
  }

  private func run(_ unit: CodeUnit, in context: any HitContext) throws(ScriptFault) {
    machine.begin(in: context)
    machine.enter(unit, 0, 0, 0)
    _ = try machine.run(unit, Frame())
    machine.context = idle
  }

  /// Shows a record: runs its handler on the fields of `item` from `fields` on, which moves behind them.
  ///
  /// They are laid out as ``RecordWire`` says; what is cut short reads as 0 and "".
  /// - Throws: ``ScriptFault`` that the handler did not catch.
  package func handle(
    record: RecordID,
    in item: RawSpan,
    _ fields: inout RecordFields,
    context: any HitContext
  ) throws(ScriptFault) {
    try machine.handle(record.index, records[record.index].fields, in: item, &fields, context)
  }
}

extension Machine {
  /// Runs a record's handler on its fields; one call, so that exclusive access to the machine is taken once.
  fileprivate mutating func handle(
    _ record: Int,
    _ types: [ValueType],
    in item: RawSpan,
    _ fields: inout RecordFields,
    _ context: any HitContext
  ) throws(ScriptFault) {
    let unit = handlers[record]
    begin(in: context)
    enter(unit, 0, 0, 0)
    for index in types.indices {
      let slot = Int(unit.locals[index].number)
      switch types[index] {
      case .long: longs[slot] = fields.readLong(item)
      case .string: strings[slot] = fields.readString(item)
      }
    }
    _ = try run(unit, Frame())
  }
}
