import BPFObject
import TargetModel
import TraceIR

/// Collects the programs and maps of one module.
struct ModuleBuilder {
  let program: TraceProgram
  let target: BPFTarget
  let module: ModuleLayout
  private let survey: ProgramSurvey
  private let sources: [SourceFile]
  private(set) var shared: CodeWriter.Shared
  private(set) var programs: [ProgramSpec] = []
  private var probes: [BPFModule.ProbePrograms] = []
  private var probeMaps: [MapSpec] = []

  init(_ program: TraceProgram, _ target: BPFTarget) {
    self.program = program
    self.target = target
    survey = ProgramSurvey(program)
    sources = program.files.map { SourceFile(name: $0, text: "") }
    module = ModuleLayout(program)
    shared = CodeWriter.Shared(
      program: program,
      target: target,
      module: module,
      conditionGlobals: program.conditionGlobals,
      positions: program.locations.map { SourcePosition(file: $0.file, line: $0.line, column: $0.column) },
      literals: LiteralPool(capacity: module.field.capacity)
    )
  }

  mutating func add(_ probe: Probe, _ facts: ProbeFacts) throws(BPFBackendError) {
    var columns: [SiteText] = []
    var entry: Int?
    if let entryBody = probe.entryBody {
      guard target.hasTaskStorage else {
        throw .unsupported("a value from a function's entry on a kernel without task storage", location: nil)
      }
      let frames = EntryFrameLayout(facts, module: module)
      guard frames.byteCount(module) <= EntryFrameLayout.maximumByteCount else {
        throw .tooLarge(
          "the strings kept from a function's entry are too long: use -D MAXSTRINGLEN",
          location: nil
        )
      }
      entry = try write(entryBody, probe, facts.atEntry, .entry, &columns)
    }
    let body = try write(probe.body, probe, facts, .body, &columns)
    if entry != nil { probeMaps.append(entryFrames(facts)) }
    probes.append(.init(probe: facts.index, body: body, entry: entry))
    if !columns.isEmpty { probeMaps.append(siteTable(facts, columns)) }
    if facts.mostLoads > 0 { probeMaps.append(try SiteLoadTable.map(facts, target.registers)) }
    if facts.context == .userRegisters, facts.siteCount > 1, target.userAttachment == .siblings {
      probeMaps.append(.siteIndex(facts.index, count: facts.siteCount))
    }
  }

  /// The map of entry frames, behind which the body may have its scratch memory.
  private func entryFrames(_ facts: ProbeFacts) -> MapSpec {
    let frames = EntryFrameLayout(facts, module: module)
    let scratch = shared.scratchBehindFrames[facts.index].map { frames.scratchOffset + $0 }
    return .taskStorage(
      ModuleMaps.entryFrames(facts.index).name,
      byteCount: max(frames.byteCount(module), scratch ?? 0)
    )
  }

  /// Adds the program that tells when the command of `-c` begins.
  mutating func noticeCommandStart() throws(BPFBackendError) { programs.append(try CommandStart.spec()) }

  /// Adds the programs that know the target's family; what they lose counts as a loss of `probe`.
  mutating func keepFamily(for probe: Int) throws(BPFBackendError) {
    let index = probe * LossReason.allCases.count + LossReason.familyFull.rawValue
    programs += try FamilyKeeper.programs(lossIndex: index)
  }

  /// Adds the programs that find a probe by the number that it is for.
  mutating func dispatch(_ plan: DispatchPlan) throws(BPFBackendError) {
    let bodies = Dictionary(uniqueKeysWithValues: probes.map { ($0.probe, programs[$0.body].name) })
    for (index, group) in plan.groups.enumerated() {
      programs.append(try Dispatcher.program(index, group))
      probeMaps.append(Dispatcher.map(index, programs: group.probes.compactMapValues { bodies[$0] }))
    }
  }

  private mutating func write(
    _ source: Body,
    _ probe: Probe,
    _ facts: ProbeFacts,
    _ role: CodeWriter.Role,
    _ columns: inout [SiteText]
  ) throws(BPFBackendError) -> Int {
    var expander = Expander(program, survey, target: target, facts: facts, siteColumns: columns)
    let expanded = try expander.expandProbe(source)
    columns = expander.siteColumns
    let (body, layout) = layOut(expanded, probe, facts)
    let name = role == .entry ? "probe\(facts.index)_entry" : "probe\(facts.index)"
    let kind = kind(probe, isReturn: facts.isReturn && role == .body, role)
    var writer = CodeWriter(name: name, shared: shared, facts: facts, layout: layout)
    let plain = writer
    writer.absentMemory = AbsentMemory(kind, target)
    var code = try code(of: &writer, body.steps, role, probe)
    if writer.waits, code.deepestFrameByteCount > AbsentMemory.deepestFrameByteCount {
      writer = plain
      code = try self.code(of: &writer, body.steps, role, probe)
    }
    shared = writer.shared
    programs.append(ProgramSpec(name: name, kind: kind, isSleepable: writer.waits, code: code))
    return programs.count - 1
  }

  /// Joins reads unless that makes the program need scratch memory, which costs as much as a read.
  private func layOut(
    _ body: ExpandedBody,
    _ probe: Probe,
    _ facts: ProbeFacts
  ) -> (body: ExpandedBody, layout: FrameLayout) {
    let apart = (body: body, layout: layout(of: body, probe, facts))
    // What was read before a write is not what is there after it.
    if survey.writesUserMemory { return apart }
    guard let joined = body.joiningReads() else { return apart }
    let layout = layout(of: joined, probe, facts)
    let isCheap = layout.scratchRegister == nil || apart.layout.scratchRegister != nil
    return isCheap ? (joined, layout) : apart
  }

  private func layout(of body: ExpandedBody, _ probe: Probe, _ facts: ProbeFacts) -> FrameLayout {
    let demand = FrameDemand(
      body,
      facts: facts,
      program: program,
      module: module,
      hasEntrySlots: probe.entryBody != nil,
      hasMayGoto: target.hasMayGoto
    )
    return FrameLayout(body, demand, module)
  }

  /// The kernel refuses longer programs (BPF_COMPLEXITY_LIMIT_INSNS).
  private static let mostInstructions = 1_000_000

  /// Code that does not get too long for this kernel.
  private func code(
    of writer: inout CodeWriter,
    _ steps: [Step],
    _ role: CodeWriter.Role,
    _ probe: Probe
  ) throws(BPFBackendError) -> ProgramCode {
    let code: ProgramCode
    do throws(BPFBackendError) { code = try writer.writeProgram(steps, role: role) } catch {
      guard case .assembly(.jumpTooFar) = error else { throw error }
      throw tooLong(probe, steps, "its jumps are too far for a kernel before 6.9")
    }
    guard code.instructions.count > Self.mostInstructions else { return code }
    let count = code.instructions.count
    throw tooLong(probe, steps, "it would be \(count) instructions, the kernel takes a million")
  }

  private func tooLong(_ probe: Probe, _ steps: [Step], _ why: String) -> BPFBackendError {
    let location = steps.lazy.compactMap(\.location).first
    let message = "probe \(probe.name) is too large: \(why); divide it into several of the same point"
    return .tooLarge(message, location: program.text(of: location))
  }

  private func kind(_ probe: Probe, isReturn: Bool, _ role: CodeWriter.Role) -> ProgramKind {
    switch (probe.trigger, target.userAttachment) {
    case (.tracepoint("sys_exit", _, _, _), _) where role == .entry: .rawTracepoint("sys_enter")
    case (.tracepoint(let name, _, _, _), _): .rawTracepoint(name)
    case (.userSites(_, .data, _), _), (.sample, _): .perfEvent
    case (_, .multi): .uprobeMulti(isReturn: isReturn)
    case (_, .siblings): .uprobe(isReturn: isReturn)
    }
  }

  private func siteTable(_ facts: ProbeFacts, _ columns: [SiteText]) -> MapSpec {
    let width = facts.siteFieldByteCount(module.field.capacity)
    var contents: [UInt8] = []
    for description in facts.descriptions {
      for column in columns {
        var field: [UInt8] = []
        field.append(field: shared.literals.bytes(description[column]))
        contents += field + [UInt8](repeating: 0, count: width - field.count)
      }
    }
    return .array(
      ModuleMaps.sites(facts.index).name,
      valueByteCount: width * columns.count,
      count: facts.siteCount,
      flags: .readOnlyProgram,
      contents: contents
    )
  }

  func finish() throws(BPFBackendError) -> BPFModule {
    let maps = commonMaps() + tableMaps() + probeMaps
    try checkMemory(maps)
    return BPFModule(
      blueprint: ModuleBlueprint(maps: maps, programs: programs, sources: sources),
      probes: probes,
      globals: module.tables.map { $0.map { .init($0.map, short: $0.short?.map) } },
      scalars: ModuleMaps.scalars,
      dataRing: ModuleMaps.dataRing,
      controlRing: ModuleMaps.controlRing,
      losses: ModuleMaps.losses
    )
  }
}

extension ModuleBuilder {
  /// As much memory as STP_MAXMEMORY allows.
  private func checkMemory(_ maps: [MapSpec]) throws(BPFBackendError) {
    let sizes = maps.map { $0.byteCount(cpuCount: target.possibleCPUCount) / 1024 }
    let total = sizes.reduce(0, +)
    guard total > program.limits.maxMemory, let largest = zip(maps, sizes).max(by: { $0.1 < $1.1 }) else {
      return
    }
    let text =
      "the script takes \(total) kB of memory (\(largest.1) kB for '\(largest.0.name)'), STP_MAXMEMORY allows"
    throw .tooLarge("\(text) \(program.limits.maxMemory)", location: nil)
  }
}

/// What is true of a whole program, found out once.
struct ProgramSurvey {
  /// The script changes memory of the program: what was read before may not be true any more.
  let writesUserMemory: Bool
  let recursiveFunctions: Set<Int>

  init(_ program: TraceProgram) {
    writesUserMemory = program.writesUserMemory
    recursiveFunctions = program.recursiveFunctions
  }
}
