import Glibc
package import KernelBridge
import Platform
package import TraceIR

/// The globals that kernel-side probes share, in kernel maps; the others in memory.
///
/// Scalars lie in one mapped array and are added to atomically. `a[k] += n` reads and writes: the lock of the probe
/// (``LockPlan``) keeps hits out between the two. What the user side gives to a statistic (`<<<` in a timer probe)
/// is kept apart and merged when it is read, because a per-CPU map can only be written for all CPUs at once;
/// where kernel-side probes read the statistic, it goes into one CPU's share, under the lock.
package final class MapStore: GlobalStore {
  let program: TraceProgram
  let layout: ScalarLayout
  let scalars: MappedArray
  let urgency = Urgency()
  private let maps: [(any ElementMap)?]
  /// The maps of the rings of arrays that wrap.
  let ageMaps: [BPFMap?]
  private let codecs: [ElementCodec]
  let elements: [ElementLayout]
  private let memory: InMemoryStore
  /// Statistics that kernel-side probes read.
  private let readInKernel: Set<Int>

  /// The maps of one array or statistic.
  package struct Table {
    package var whole: BPFMap
    /// Those of short keys, from the shortest on, where they have their own (``KeyLayout``).
    package var shorts: [BPFMap] = []
    /// That of the ages of its elements, where the array wraps (``AgeRing``).
    package var ages: BPFMap?

    package init(_ whole: BPFMap) { self.whole = whole }
  }

  /// A store over the maps of a module: `tables` by global, nil for those that the kernel side does not use.
  /// - Throws: ``KernelError`` when the scalars cannot be mapped, or a map is missing.
  package init(
    _ program: TraceProgram,
    scalars: BPFMap,
    tables: [Table?]
  ) throws(KernelError) {
    self.program = program
    self.scalars = try MappedArray(scalars)
    let layout = ScalarLayout(program)
    var places: [(any ElementMap)?] = []
    for (index, table) in tables.enumerated() {
      guard let table, program.globals.indices.contains(index) else {
        places.append(nil)
        continue
      }
      let global = program.globals[index]
      if let tally = TallyLayout(global), let words = layout.tallyOffsets[index] {
        places.append(try TallyMap(table.whole, tally, scalars: scalars, wordsOffset: words))
      } else {
        places.append(try GlobalMap(table, KeyLayout(global, program.limits)))
      }
    }
    self.maps = places
    // One for each global, whatever a module file says.
    ageMaps = program.globals.indices.map { tables.indices.contains($0) ? tables[$0]?.ages : nil }
    self.layout = layout
    codecs = program.globals.map { ElementCodec($0, program.limits) }
    elements = program.globals.map { ElementLayout($0, program.limits) }
    memory = InMemoryStore(program)
    readInKernel = program.statisticsReadInKernel
  }

  /// Where the map holds a scalar; nil when it is only ours.
  private func offset(_ global: GlobalID) -> Int? {
    program.globals[global.index].isUsedInKernel ? layout.offsets[global.index] : nil
  }

  private func map(_ global: GlobalID) -> (any ElementMap)? { maps[global.index] }

  // MARK: Control words

  /// Sets what kernel-side probes check first.
  func setState(_ state: SessionState) {
    scalars.store(0, offset: ScalarLayout.stateOffset, state.rawValue)
  }

  /// Says whether the next record on the data ring has to wake its reader.
  func setReaderAsleep(_ isAsleep: Bool) {
    scalars.store(0, offset: ScalarLayout.readerAsleepOffset, UInt32(isAsleep ? 1 : 0))
  }

  /// Whether something changed that a condition depends on, since the last call.
  func takeConditionChange() -> Bool {
    let offset = ScalarLayout.conditionsChangedOffset
    if scalars.load(0, offset: offset, as: UInt32.self) == 0 { return false }
    scalars.store(0, offset: offset, UInt32(0))
    return true
  }

  /// Sets what `target()` and the functions on time zones answer, whether the target is a command which waits, and how
  /// far the clocks are apart.
  func setSession(target: Int64, isWaiting: Bool, realtimeBias: UInt64, zone: LocalTime.Zone) {
    scalars.store(0, offset: ScalarLayout.commandWaitsOffset, UInt32(isWaiting ? 1 : 0))
    scalars.store(0, offset: ScalarLayout.targetOffset, target)
    scalars.store(0, offset: ScalarLayout.realtimeBiasOffset, realtimeBias)
    scalars.store(0, offset: ScalarLayout.timeZoneOffset, zone.secondsEastOfUTC)
    let name = Array(zone.name.utf8.prefix(ScalarLayout.timeZoneNameCapacity))
    scalars.store(0, offset: ScalarLayout.timeZoneNameOffset, UInt32(name.count))
    for (index, byte) in name.enumerated() {
      scalars.store(0, offset: ScalarLayout.timeZoneNameOffset + 4 + index, byte)
    }
  }

  var skippedHits: UInt64 { scalars.loadCounter(0, offset: ScalarLayout.skippedOffset) }

  // MARK: Scalars

  package func long(_ global: GlobalID) -> Int64 {
    guard let offset = offset(global) else { return memory.long(global) }
    return Int64(bitPattern: scalars.loadCounter(0, offset: offset))
  }

  package func string(_ global: GlobalID) -> ByteString {
    guard let offset = offset(global) else { return memory.string(global) }
    let count = Int(
      min(scalars.load(0, offset: offset, as: UInt32.self), UInt32(codecs[global.index].capacity))
    )
    return ByteString(scalars.bytes(0, offset: offset + 4, byteCount: count))
  }

  package func set(_ global: GlobalID, _ value: Int64) {
    guard let offset = offset(global) else { return memory.set(global, value) }
    scalars.store(0, offset: offset, value)
  }

  package func set(_ global: GlobalID, _ value: ByteString) {
    guard let offset = offset(global) else { return memory.set(global, value) }
    scalars.setBytes(0, offset: offset, codecs[global.index].field(value))
  }

  package func add(_ global: GlobalID, _ value: Int64) -> Int64 {
    guard let offset = offset(global) else { return memory.add(global, value) }
    return Int64(bitPattern: scalars.add(0, offset: offset, UInt64(bitPattern: value)))
  }

  // MARK: Arrays

  package func element(_ global: GlobalID, _ keys: [Datum]) -> Datum? {
    guard let map = map(global) else { return memory.element(global, keys) }
    let codec = codecs[global.index]
    guard let value = try? map.lookUp(codec.key(keys)) else { return nil }
    return codec.value(value.rawSpan)
  }

  package func setElement(_ global: GlobalID, _ keys: [Datum], _ value: Datum) throws(StoreError) {
    guard let map = map(global) else { return try memory.setElement(global, keys, value) }
    let codec = codecs[global.index]
    let key = codec.key(keys)
    let birth = birth(global, map, key, of: try? map.lookUp(key))
    try put(global, map, key, codec.field(value) + birth)
  }

  package func addElement(
    _ global: GlobalID,
    _ keys: [Datum],
    _ value: Int64
  ) throws(StoreError) -> Int64 {
    guard map(global) != nil else { return try memory.addElement(global, keys, value) }
    let before = element(global, keys)?.long ?? 0
    try setElement(global, keys, .long(before &+ value))
    return before
  }

  package func contains(_ global: GlobalID, _ pattern: [Datum?]) -> Bool {
    guard let map = map(global) else { return memory.contains(global, pattern) }
    if memory.contains(global, pattern) { return true }
    if let keys = pattern.exactKeys {
      let found = try? map.lookUp(codecs[global.index].key(keys))
      return found != nil
    }
    return !keys(of: map, global, pattern).isEmpty
  }

  package func delete(_ global: GlobalID, _ pattern: [Datum?]) {
    memory.delete(global, pattern)
    guard let map = map(global) else {
      if case .scalar(let type) = program.globals[global.index].kind, offset(global) != nil {
        if type == .long { set(global, 0) } else { set(global, ByteString()) }
      }
      return
    }
    if codecs[global.index].keyTypes.isEmpty {
      let zeros = [UInt8](repeating: 0, count: map.wholeValueByteCount)
      try? map.update([0, 0, 0, 0], zeros)
    } else if let keys = pattern.exactKeys {
      try? map.delete(codecs[global.index].key(keys))
    } else if pattern.allSatisfy({ $0 == nil }) {
      try? map.removeAll()
    } else {
      for key in keys(of: map, global, pattern) { try? map.delete(key) }
    }
  }

  private func keys(of map: any ElementMap, _ global: GlobalID, _ pattern: [Datum?]) -> [[UInt8]] {
    var found: [[UInt8]] = []
    try? map.forEach { key, _ in
      if codecs[global.index].keys(key).matches(pattern) { found.append(key.copied()) }
    }
    return found
  }

  package func elements(_ global: GlobalID, _ pattern: [Datum?]) -> [StoredElement] {
    guard let map = map(global) else { return memory.elements(global, pattern) }
    let codec = codecs[global.index]
    var found: [StoredElement] = []
    try? map.forEach { key, value in
      let keys = codec.keys(key)
      guard keys.matches(pattern) else { return }
      if codec.isStatistic {
        let statistic = codec.statistic(value, stride: map.valueStride, cpuCount: map.cpuCount)
        found.append(StoredElement(keys: keys, value: .statistic(statistic)))
      } else {
        found.append(StoredElement(keys: keys, value: .datum(codec.value(value))))
      }
    }
    return codec.isStatistic ? merged(found, memory.elements(global, pattern)) : found
  }

  /// Adds what the user side has gathered to what the kernel side has.
  private func merged(_ elements: [StoredElement], _ ours: [StoredElement]) -> [StoredElement] {
    if ours.isEmpty { return elements }
    var result = elements
    var positions: [[Datum]: Int] = [:]
    for (index, element) in elements.enumerated() { positions[element.keys] = index }
    for element in ours {
      guard let index = positions[element.keys], case .statistic(var sum) = result[index].value,
        case .statistic(let more) = element.value
      else {
        result.append(element)
        continue
      }
      sum.merge(more)
      result[index].value = .statistic(sum)
    }
    return result
  }

  // MARK: Statistics

  package func aggregate(_ global: GlobalID, _ keys: [Datum], _ value: Int64) throws(StoreError) {
    // The elements of an array that wraps must be in one place, which has the room for them.
    let wraps = program.globals[global.index].wraps
    guard let map = map(global), wraps || readInKernel.contains(global.index) else {
      return try memory.aggregate(global, keys, value)
    }
    let codec = codecs[global.index]
    let key: [UInt8] = codec.keyTypes.isEmpty ? [0, 0, 0, 0] : codec.key(keys)
    let before = try? map.lookUp(key)
    var shares = before ?? [UInt8](repeating: 0, count: map.wholeValueByteCount)
    codec.add(value, to: &shares)
    if before == nil, let offset = elements[global.index].birthOffset {
      shares.replaceSubrange(offset..<offset + 8, with: birth(global, map, key, of: nil))
    }
    try put(global, map, key, shares)
  }

  package func statistic(_ global: GlobalID, _ pattern: [Datum?]) -> Statistic {
    var result = memory.statistic(global, pattern)
    guard let map = map(global) else { return result }
    let codec = codecs[global.index]
    let exact: [UInt8]? = codec.keyTypes.isEmpty ? [0, 0, 0, 0] : pattern.exactKeys.map { codec.key($0) }
    guard let exact else {
      return elements(global, pattern).reduce(into: Statistic(program.globals[global.index].statistics)) {
        if case .statistic(let statistic) = $1.value { $0.merge(statistic) }
      }
    }
    if let value = try? map.lookUp(exact) {
      result.merge(codec.statistic(value.rawSpan, stride: map.valueStride, cpuCount: map.cpuCount))
    }
    return result
  }
}
