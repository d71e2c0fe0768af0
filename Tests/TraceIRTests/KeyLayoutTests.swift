import Testing
import TraceIR

@Suite("How keys lie in maps") struct KeyLayoutTests {
  private func layout(
    _ keys: [ValueType] = [.long, .string, .long],
    limits: Limits = Limits(),
    _ change: (inout Global) -> Void = { _ in }
  ) -> KeyLayout {
    var global = Global(
      name: "a",
      kind: .array(keys: keys, value: .long),
      maximumEntries: limits.maxMapEntries
    )
    global.isWalkedInKernel = false
    change(&global)
    return KeyLayout(global, limits)
  }

  @Test("the long string comes last, and short keys end 60 and 252 bytes into it")
  func splits() {
    let found = layout()
    #expect(found.fields.offsets == [0, 16, 8])
    #expect(found.fields.byteCount == 16 + 520)
    #expect(found.lengthOffset == 16)
    #expect(found.shorts.map(\.capacity) == [60, 252] && found.shorts.map(\.byteCount) == [80, 272])
    #expect(layout([.string]).shorts.map(\.byteCount) == [64, 256])
  }

  @Test(
    "each short key is less than half as long as the whole one",
    arguments: [(125, [60]), (508, [60]), (509, [60, 252]), (4200, [60, 252, 1020])]
  )
  func steps(_ longest: Int, _ capacities: [Int]) {
    var limits = Limits()
    limits.maxStringLength = longest + 1
    #expect(layout([.string], limits: limits).shorts.map(\.capacity) == capacities)
  }

  @Test("one string that is known to be short may stand beside the long one")
  func bounds() {
    let found = layout([.string, .string]) { $0.keyBounds = [511, 15] }
    #expect(found.fields.offsets == [24, 0] && found.shorts[0].byteCount == 24 + 64)
    #expect(layout([.string]) { $0.keyBounds = [124] }.shorts.isEmpty)
    #expect(!layout([.string]) { $0.keyBounds = [125] }.shorts.isEmpty)
    #expect(layout([.string, .string]).shorts.isEmpty)
    #expect(layout([.long, .long]).shorts.isEmpty)
  }

  @Test("an array that must be full at a given size, or that a probe goes over, has one map")
  func stays() {
    #expect(layout { $0.maximumEntries = 5 }.shorts.isEmpty)
    #expect(layout { $0.wraps = true }.shorts.isEmpty)
    #expect(layout { $0.isWalkedInKernel = true }.shorts.isEmpty)
    #expect(layout { $0.isUsedInKernel = false }.shorts.isEmpty)
    var limits = Limits()
    limits.maxMapEntries = 2047
    #expect(layout(limits: limits).shorts.isEmpty)
    limits.maxMapEntries = 100_000
    #expect(!layout(limits: limits).shorts.isEmpty)
    #expect(layout { $0.isWalkedInKernel = true }.fields.offsets == [0, 8, 528])
  }
}
