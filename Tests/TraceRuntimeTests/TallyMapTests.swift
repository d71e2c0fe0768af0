import BPFObject
import KernelBridge
import TestSupport
import Testing
import TraceIR
import TraceRuntime

/// Elements of arrays that only count, as the user side sees them.
@Suite struct TallyMapTests {
  private static let counts = GlobalID(0)

  private func store(entries: Int, lines: Int? = nil) throws -> MapStore {
    let session = KernelSession()
    guard session.features.has(.loadPrograms) else { try Test.cancel("needs bpf(2)") }
    var program = TraceProgram()
    var global = Global(name: "n", kind: .array(keys: [.long], value: .long), maximumEntries: entries)
    global.isTally = true
    program.globals = [global]
    let layout = try #require(TallyLayout(global))
    let maps: [MapSpec] = [
      .array("scalars", valueByteCount: ScalarLayout(program).byteCount, count: 1, flags: .mappable),
      .array(
        "n",
        valueByteCount: TallyLayout.lineByteCount,
        count: lines ?? layout.lineCount,
        flags: .mappable
      ),
    ]
    let module = try session.load(ModuleBlueprint(maps: maps))
    return try MapStore(
      program,
      scalars: module.map("scalars"),
      tables: [MapStore.Table(module.map("n"))]
    )
  }

  private func elements(_ store: MapStore) -> [Int64: Int64] {
    let found = store.elements(Self.counts, [])
    return Dictionary(
      uniqueKeysWithValues: found.map { element in
        guard case .datum(let value) = element.value else { return (0, 0) }
        return (element.keys[0].long, value.long)
      }
    )
  }

  @Test("elements are what a dictionary says, until the array is full and after it was deleted")
  func elements() throws {
    var numbers = SeededGenerator(seed: 7)
    for entries in [1, 2, 5, 64, 1000] {
      let store = try store(entries: entries)
      for round in 0..<3 {
        var model: [Int64: Int64] = [:]
        if round == 1 { model[TallyLayout.oddKey] = 0 }
        while model.count < entries {
          model[round == 0 ? Int64(model.count) : Int64(bitPattern: numbers.next())] = 0
        }
        for key in model.keys.shuffled(using: &numbers) {
          #expect(!store.contains(Self.counts, [.long(key)]))
          #expect(try store.addElement(Self.counts, [.long(key)], key) == 0)
          #expect(try store.addElement(Self.counts, [.long(key)], 3) == key)
          model[key] = key &+ 3
        }
        #expect(elements(store) == model)
        for (key, value) in model {
          #expect(store.element(Self.counts, [.long(key)]) == .long(value))
        }
        #expect(throws: StoreError.full) { try store.addElement(Self.counts, [.long(-77)], 1) }
        #expect(!store.contains(Self.counts, [.long(-77)]))
        store.delete(Self.counts, round == 1 ? [nil] : [])
        #expect(elements(store).isEmpty)
      }
    }
  }

  @Test("a map of another size is refused")
  func refuses() throws {
    #expect(throws: KernelError.self) { try store(entries: 64, lines: 23) }
    _ = try store(entries: 64, lines: 24)
  }
}
