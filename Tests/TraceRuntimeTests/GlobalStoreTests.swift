import BPFObject
import KernelBridge
import Platform
import Testing
import TraceIR
import TraceRuntime

/// Where globals are kept.
enum StoreKind: CaseIterable { case memory, maps }

@Suite struct GlobalStoreTests {
  private static let number = GlobalID(0)
  private static let text = GlobalID(1)
  private static let array = GlobalID(2)
  private static let texts = GlobalID(3)
  private static let plain = GlobalID(4)
  private static let statistics = GlobalID(5)
  private static let histogram = GlobalID(6)

  private let program: TraceProgram = {
    var needs = StatisticNeeds()
    needs.variance = true
    needs.histograms = [.log]
    var histogram = StatisticNeeds()
    histogram.fields = []
    histogram.histograms = [.log]
    var program = TraceProgram()
    program.limits.maxStringLength = 16
    program.globals = [
      Global(name: "number", kind: .scalar(.long), maximumEntries: 0, initialLong: 5),
      Global(name: "text", kind: .scalar(.string), maximumEntries: 0, initialString: "start"),
      Global(name: "array", kind: .array(keys: [.string, .long], value: .long), maximumEntries: 4),
      Global(name: "texts", kind: .array(keys: [.long], value: .string), maximumEntries: 4),
      Global(name: "plain", kind: .statistic, maximumEntries: 0, statistics: needs),
      Global(name: "statistics", kind: .statisticArray(keys: [.long]), maximumEntries: 9, statistics: needs),
      Global(name: "buckets", kind: .statisticArray(keys: [.long]), maximumEntries: 9, statistics: histogram),
    ]
    return program
  }()

  private func store(_ kind: StoreKind) throws -> any GlobalStore {
    kind == .memory ? InMemoryStore(program) : try maps().store
  }

  /// Maps as a backend lays them out.
  private func maps() throws -> (store: MapStore, maps: [BPFMap?]) {
    let session = KernelSession()
    guard session.features.has(.loadPrograms) else { try Test.cancel("needs bpf(2)") }
    let scalars = ScalarLayout(program)
    var contents = [UInt8](repeating: 0, count: scalars.byteCount)
    contents[scalars.offsets[0] ?? 0] = 5
    let start = scalars.offsets[1] ?? 0
    contents.replaceSubrange(start..<start + 9, with: [5, 0, 0, 0] + Array("start".utf8))
    var specs: [MapSpec] = [
      .array("scalars", valueByteCount: scalars.byteCount, count: 1, flags: .mappable, contents: contents)
    ]
    for global in program.globals.dropFirst(2) { specs.append(spec(global)) }
    let module = try session.load(ModuleBlueprint(maps: specs))
    let maps = try program.globals.map { global -> BPFMap? in
      if case .scalar = global.kind { nil } else { try module.map(global.name) }
    }
    return (
      try MapStore(
        program,
        scalars: module.map("scalars"),
        tables: maps.map { $0.map { MapStore.Table($0) } }
      ), maps
    )
  }

  private func spec(_ global: Global) -> MapSpec {
    let limits = program.limits
    let words = StatisticLayout(global.statistics).byteCount
    let key = FieldLayout(global.keyTypes, limits).byteCount
    switch global.kind {
    case .array(_, let type):
      let value = FieldLayout([type], limits).byteCount
      return MapSpec(name: global.name, kind: .hash, keyByteCount: key, valueByteCount: value, maxEntries: 4)
    case .statistic:
      return MapSpec(
        name: global.name,
        kind: .perCPUArray,
        keyByteCount: 4,
        valueByteCount: words,
        maxEntries: 1
      )
    default:
      return MapSpec(
        name: global.name,
        kind: .perCPUHash,
        keyByteCount: key,
        valueByteCount: words,
        maxEntries: 9
      )
    }
  }

  @Test("scalars begin with their value, are set and added to", arguments: StoreKind.allCases)
  func scalars(_ kind: StoreKind) throws {
    let store = try store(kind)
    #expect(store.long(Self.number) == 5)
    #expect(store.add(Self.number, -7) == 5)
    #expect(store.long(Self.number) == -2)
    #expect(store.string(Self.text) == "start")
    store.set(Self.text, "a text that is too long")
    #expect(store.string(Self.text) == "a text that is ")
    store.delete(Self.text, [])
    store.delete(Self.number, [])
    #expect(store.string(Self.text) == "")
    #expect(store.long(Self.number) == 0)
  }

  @Test("arrays: set, add, missing, full, wildcards", arguments: StoreKind.allCases)
  func arrays(_ kind: StoreKind) throws {
    let store = try store(kind)
    #expect(store.element(Self.array, [.string("a"), .long(1)]) == nil)
    try store.setElement(Self.array, [.string("a"), .long(1)], .long(-9))
    #expect(try store.addElement(Self.array, [.string("a"), .long(1)], 4) == -9)
    #expect(store.element(Self.array, [.string("a"), .long(1)]) == .long(-5))
    #expect(try store.addElement(Self.array, [.string("b"), .long(1)], 1) == 0)
    try store.setElement(Self.array, [.string("b"), .long(2)], .long(2))
    try store.setElement(Self.array, [.string(""), .long(.min)], .long(3))
    #expect(throws: StoreError.full) { try store.setElement(Self.array, [.string("c"), .long(0)], .long(3)) }
    #expect(store.contains(Self.array, [.string("b"), nil]))
    #expect(!store.contains(Self.array, [.string("c"), nil]))
    #expect(store.elements(Self.array, [nil, .long(1)]).count == 2)
    store.delete(Self.array, [.string("b"), nil])
    #expect(
      Set(store.elements(Self.array, []).map(\.keys)) == [
        [.string("a"), .long(1)], [.string(""), .long(.min)],
      ]
    )
    store.delete(Self.array, [])
    #expect(store.elements(Self.array, []).isEmpty)
  }

  @Test("values that are texts", arguments: StoreKind.allCases)
  func texts(_ kind: StoreKind) throws {
    let store = try store(kind)
    try store.setElement(Self.texts, [.long(1)], .string(ByteString([255, 0, 7])))
    #expect(store.element(Self.texts, [.long(1)]) == .string(ByteString([255, 0, 7])))
    try store.setElement(Self.texts, [.long(1)], .string(""))
    #expect(store.element(Self.texts, [.long(1)]) == .string(""))
  }

  @Test("statistics of the user side", arguments: StoreKind.allCases)
  func statistics(_ kind: StoreKind) throws {
    let store = try store(kind)
    for value in [3, -4, 5] as [Int64] {
      try store.aggregate(Self.plain, [], value)
      try store.aggregate(Self.statistics, [.long(value % 2)], value)
    }
    #expect(store.statistic(Self.plain, []).extract(.sum) == 4)
    #expect(store.statistic(Self.statistics, [.long(1)]).extract(.max) == 5)
    #expect(store.statistic(Self.statistics, [nil]).extract(.min) == -4)
    #expect(store.contains(Self.statistics, [.long(0)]))
    store.delete(Self.statistics, [.long(0)])
    #expect(store.elements(Self.statistics, []).count == 1)
    store.delete(Self.plain, [])
    #expect(store.statistic(Self.plain, []).count == 0)
  }

  @Test("a histogram alone tells how many values there were", arguments: StoreKind.allCases)
  func countsBuckets(_ kind: StoreKind) throws {
    let store = try store(kind)
    for value in [3, -4, 5] as [Int64] { try store.aggregate(Self.histogram, [.long(1)], value) }
    #expect(store.statistic(Self.histogram, [.long(1)]).count == 3)
    #expect(store.statistic(Self.histogram, [.long(2)]).count == 0)
    #expect(store.statistic(Self.histogram, [nil]).buckets(.log)[65...67] == [0, 1, 1])
  }

  @Test("the buckets of all CPUs are merged where there is no count")
  func mergesBuckets() throws {
    let (store, maps) = try maps()
    let map = try #require(maps[Self.histogram.index])
    var value = [UInt8](repeating: 0, count: map.wholeValueByteCount)
    // Only the last one has seen anything: 2 twice.
    value[(map.cpuCount - 1) * map.valueStride + 8 * 66] = 2
    try map.update([7, 0, 0, 0, 0, 0, 0, 0], value)
    #expect(store.statistic(Self.histogram, [.long(7)]).count == 2)
    #expect(store.statistic(Self.histogram, [.long(7)]).buckets(.log)[66] == 2)
  }

  @Test("statistics of all CPUs and of the user side are merged")
  func mergesCPUs() throws {
    let (store, maps) = try maps()
    let map = try #require(maps[Self.statistics.index])
    let flip: UInt64 = 1 << 63
    var value = [UInt8](repeating: 0, count: map.wholeValueByteCount)
    for cpu in 0..<map.cpuCount {
      // Each CPU has seen its number plus one.
      let number = UInt64(cpu + 1)
      for (index, word) in [1, number, ~(number ^ flip), number ^ flip].enumerated() {
        for byte in 0..<8 {
          value[cpu * map.valueStride + 8 * index + byte] = UInt8(
            truncatingIfNeeded: word >> UInt64(8 * byte)
          )
        }
      }
    }
    try map.update([7, 0, 0, 0, 0, 0, 0, 0], value)
    try store.aggregate(Self.statistics, [.long(7)], -100)
    let merged = store.statistic(Self.statistics, [.long(7)])
    #expect(merged.count == Int64(map.cpuCount + 1))
    #expect(merged.extract(.min) == -100)
    #expect(merged.extract(.max) == Int64(map.cpuCount))
    #expect(store.elements(Self.statistics, []).count == 1)
  }
}
