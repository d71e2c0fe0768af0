import BPFObject
import TraceIR

// The maps that programs refer to.
extension ModuleBuilder {
  /// Bytes of the control ring: a page on every machine with pages up to 64 KB.
  private static let controlRingByteCount = 1 << 16
  /// Hash maps above this size get their elements as they come.
  private static let preallocationLimit = 24 << 20
  /// And those whose elements fill a cache line above so many.
  private static let mostLines = 1 << 20
  /// The same where each CPU has a share, and where that is large: the kernel makes shares as they come only out of a few
  /// pages that it has ready, which some dozen new elements with a histogram use up within milliseconds; what is updated
  /// then is lost.
  private static let sharesPreallocationLimit = 8 << 20
  private static let largeSharesPreallocationLimit = 32 << 20
  /// Shares up to this size are made as fast as they come.
  private static let smallShareByteCount = 128

  func commonMaps() -> [MapSpec] {
    let lossCount = max(1, program.probes.count * LossReason.allCases.count)
    var maps: [MapSpec] = [
      .array(
        ModuleMaps.scalars.name,
        valueByteCount: module.scalars.byteCount + (hasTextScalar ? module.tailByteCount : 0),
        count: 1,
        flags: .mappable,
        contents: initialScalars()
      ),
      .ringBuffer(ModuleMaps.dataRing.name, byteCount: program.limits.ringByteCount),
      .ringBuffer(ModuleMaps.controlRing.name, byteCount: Self.controlRingByteCount),
      MapSpec(
        name: ModuleMaps.losses.name,
        kind: .perCPUArray,
        keyByteCount: 4,
        valueByteCount: 8,
        maxEntries: lossCount
      ),
    ]
    let names = names
    maps += constantMaps(names)
    maps += KernelPath.all.filter { names.contains($0.map) }.map(\.mapSpec)
    if names.contains(ModuleMaps.family) { maps.append(FamilyKeeper.map) }
    if names.contains(ModuleMaps.executables) {
      maps.append(ExecutableTable.map(count: program.executables.count))
    }
    if needs.taskScratchByteCount > 0 {
      maps.append(.taskStorage(ModuleMaps.taskScratch.name, byteCount: needs.taskScratchByteCount))
    }
    if needs.poolScratchByteCount > 0 {
      let count = target.poolSlotCount
      maps.append(
        .array(ModuleMaps.poolScratch.name, valueByteCount: needs.poolScratchByteCount, count: count)
      )
    }
    return maps + (names.contains(ModuleMaps.walkSlots) ? walkMaps() : [])
  }

  /// The maps that programs refer to.
  private var names: Set<MapReference> {
    var names: Set<MapReference> = []
    for program in programs {
      for relocation in program.code.relocations {
        if let map = relocation.target.map { names.insert(map) }
      }
    }
    return names
  }

  /// Rows of `foreach` get this much memory for more than one hit at a time.
  private static let walkByteCount = 32 << 20

  /// Slots of rows (``WalkSlot``): two for each CPU as long as they are small.
  private func walkMaps() -> [MapSpec] {
    let slotByteCount = needs.rows.values.map { $0.byteCount * $0.count }.reduce(0, +)
    let count = max(1, min(2 * target.possibleCPUCount, Self.walkByteCount / slotByteCount))
    var contents: [UInt8] = []
    for slot in 0..<count {
      contents += [UInt8](repeating: 0, count: 8)
      for rowClass in RowClass.all {
        let first = UInt64(slot * (needs.rows[rowClass]?.count ?? 0))
        contents += (0..<8).map { UInt8(truncatingIfNeeded: first >> (8 * $0)) }
      }
    }
    let slots = MapSpec.array(
      ModuleMaps.walkSlots.name,
      valueByteCount: WalkSlot.byteCount,
      count: count,
      contents: contents
    )
    let rows = needs.rows.sorted { $0.key < $1.key }.map { rowClass, rows in
      MapSpec.array(
        ModuleMaps.walkRows(rowClass).name,
        valueByteCount: rows.byteCount,
        count: count * rows.count
      )
    }
    return [slots] + rows
  }

  private var hasTextScalar: Bool { program.globals.contains { $0.kind == .scalar(.string) } }

  /// Literals, and zeros to copy from.
  ///
  /// Literals are not marked read-only though nobody writes them: memory parameters of functions may be written.
  private func constantMaps(_ names: Set<MapReference>) -> [MapSpec] {
    var maps: [MapSpec] = []
    if names.contains(ModuleMaps.literals) {
      let contents = needs.literals.contents
      maps.append(
        .array(
          ModuleMaps.literals.name,
          valueByteCount: contents.count + module.tailByteCount,
          count: 1,
          contents: contents + [UInt8](repeating: 0, count: module.tailByteCount)
        )
      )
    }
    if names.contains(ModuleMaps.regexes) {
      let contents = module.regexes.contents
      maps.append(
        .array(
          ModuleMaps.regexes.name,
          valueByteCount: module.regexes.byteCount,
          count: 1,
          flags: .readOnlyProgram,
          contents: contents + [UInt8](repeating: 0, count: module.regexes.byteCount - contents.count)
        )
      )
    }
    if names.contains(ModuleMaps.zeros) {
      let elements = program.globals.map { ElementLayout($0, program.limits).byteCount }
      let largest = zip(module.tables, elements).map { $0?.statistic == nil ? 0 : $1 }.max() ?? 0
      maps.append(
        .array(
          ModuleMaps.zeros.name,
          valueByteCount: max(largest, module.tailByteCount),
          count: 1,
          flags: .readOnlyProgram
        )
      )
    }
    return maps
  }

  private func initialScalars() -> [UInt8] {
    var contents = [UInt8](repeating: 0, count: module.scalars.byteCount)
    for (global, offset) in zip(program.globals, module.scalars.offsets) {
      guard let offset else { continue }
      var field: [UInt8] = []
      if global.kind == .scalar(.long) {
        for shift in stride(from: 0, to: 64, by: 8) {
          field.append(UInt8(truncatingIfNeeded: global.initialLong >> Int64(shift)))
        }
      } else {
        field.append(field: needs.literals.bytes(global.initialString))
      }
      contents.replaceSubrange(offset..<offset + field.count, with: field)
    }
    let tail = hasTextScalar ? module.tailByteCount : 0
    return contents + [UInt8](repeating: 0, count: tail)
  }

  func tableMaps() -> [MapSpec] {
    zip(program.globals, module.tables).flatMap { global, table in
      guard let table else { return [MapSpec]() }
      var maps = [tableMap(global, table)]
      // Most strings are of the shortest. Elements of the others are made as they come.
      maps += table.shorts.map { elementMap(global, $0.map, keyByteCount: $0.layout.byteCount) }
      for index in maps.indices where !table.shorts.isEmpty && index != 1 {
        maps[index].flags.insert(.noPreallocation)
      }
      if let wrapping = table.wrapping {
        let ring = wrapping.ring
        maps.append(
          .array(wrapping.map.name, valueByteCount: ring.entryByteCount, count: ring.entryCount)
        )
      }
      return maps
    }
  }

  private func tableMap(_ global: Global, _ table: ModuleLayout.Table) -> MapSpec {
    guard !table.key.types.isEmpty else {
      return MapSpec(
        name: table.map.name,
        kind: .perCPUArray,
        keyByteCount: 4,
        valueByteCount: table.statistic?.byteCount ?? 8,
        maxEntries: 1
      )
    }
    if let tally = table.tally {
      return .array(
        table.map.name,
        valueByteCount: TallyLayout.lineByteCount,
        count: tally.layout.lineCount,
        flags: .mappable
      )
    }
    return elementMap(global, table.map, keyByteCount: table.key.byteCount)
  }

  private func elementMap(_ global: Global, _ map: MapReference, keyByteCount: Int) -> MapSpec {
    let isStatistic = if case .statisticArray = global.kind { true } else { false }
    let value = ElementLayout(global, program.limits).byteCount
    var spec = MapSpec(
      name: map.name,
      kind: isStatistic ? .perCPUHash : .hash,
      keyByteCount: keyByteCount,
      valueByteCount: value,
      maxEntries: max(1, global.maximumEntries)
    )
    if !hasElementsAtOnce(spec) { spec.flags.insert(.noPreallocation) }
    return spec
  }

  /// Whether all elements of a hash come with the map, and not one by one as they are needed.
  ///
  /// That saves hits time: the kernel's head of an element has 48 bytes, so that a key and a value of 8 bytes fill a cache
  /// line; made later they lie behind 8 bytes of the allocator, in two lines. It costs memory, and the start 30 ns each.
  private func hasElementsAtOnce(_ spec: MapSpec) -> Bool {
    let byteCount = spec.byteCount(cpuCount: target.possibleCPUCount)
    if spec.kind == .perCPUHash {
      let isSmall = spec.valueByteCount <= Self.smallShareByteCount
      return byteCount <= (isSmall ? Self.sharesPreallocationLimit : Self.largeSharesPreallocationLimit)
    }
    let fillsLine = spec.keyByteCount + spec.valueByteCount <= 16
    return byteCount <= Self.preallocationLimit || fillsLine && spec.maxEntries <= Self.mostLines
  }
}

extension ProgramCode.Relocation.Target {
  fileprivate var map: MapReference? {
    switch self {
    case .map(let map), .mapValue(let map, _): map
    case .kernelFunction: nil
    }
  }
}
