import BPFObject
import TargetModel
import TraceIR

/// Collects the programs and maps of one module.
struct ModuleBuilder {
  let shared: SharedFacts
  private(set) var needs: ModuleNeeds
  private(set) var programs: [ProgramSpec] = []
  private var probes: [BPFModule.ProbePrograms] = []
  private var probeMaps: [MapSpec] = []

  init(_ shared: SharedFacts) {
    self.shared = shared
    needs = ModuleNeeds(shared.module)
  }

  var program: TraceProgram { shared.program }
  var target: BPFTarget { shared.target }
  var module: ModuleLayout { shared.module }

  /// Adds what was written for one probe, whose literals find their places among those of the others.
  mutating func add(_ written: WrittenProbe) throws(BPFBackendError) {
    let facts = written.facts
    let place = needs.take(written.needs)
    for program in written.programs {
      var program = program
      program.code.moveLiterals(to: place)
      programs.append(program)
    }
    let body = programs.count - 1
    let entry = written.hasEntry ? body - 1 : nil
    if entry != nil { probeMaps.append(entryFrames(written)) }
    probes.append(.init(probe: facts.index, body: body, entry: entry))
    if !written.columns.isEmpty { probeMaps.append(siteTable(facts, written.columns)) }
    if facts.mostLoads > 0 { probeMaps.append(try SiteLoadTable.map(facts, target.registers)) }
    if facts.context == .userRegisters, facts.siteCount > 1, target.userAttachment == .siblings {
      probeMaps.append(.siteIndex(facts.index, count: facts.siteCount))
    }
  }

  /// The map of entry frames, behind which the body may have its scratch memory.
  private func entryFrames(_ written: WrittenProbe) -> MapSpec {
    let frames = EntryFrameLayout(written.facts, module: module)
    let scratch = written.needs.scratchBehindFrames.map { frames.scratchOffset + $0 }
    return .taskStorage(
      ModuleMaps.entryFrames(written.facts.index).name,
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

  private func siteTable(_ facts: ProbeFacts, _ columns: [SiteText]) -> MapSpec {
    let width = facts.siteFieldByteCount(module.field.capacity)
    var contents: [UInt8] = []
    for description in facts.descriptions {
      for column in columns {
        var field: [UInt8] = []
        field.append(field: needs.literals.bytes(description[column]))
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
    let sources = program.files.map { SourceFile(name: $0, text: "") }
    return BPFModule(
      blueprint: ModuleBlueprint(maps: maps, programs: programs, sources: sources),
      probes: probes,
      globals: module.tables.map { table in
        table.map { .init($0.map, shorts: $0.shorts.map(\.map), ages: $0.wrapping?.map) }
      },
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

extension ProgramCode {
  /// Points to literals at other places of their map.
  fileprivate mutating func moveLiterals(to place: (Int32) -> Int32) {
    for index in relocations.indices {
      guard case .mapValue(ModuleMaps.literals, let offset) = relocations[index].target else { continue }
      let moved = place(offset)
      relocations[index].target = .mapValue(ModuleMaps.literals, offset: moved)
      instructions[relocations[index].instruction + 1].immediate = moved
    }
  }
}
