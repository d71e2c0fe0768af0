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

  @Test("the long string comes last, and short keys end 60 bytes into it")
  func splits() {
    let found = layout()
    #expect(found.fields.offsets == [0, 16, 8])
    #expect(found.fields.byteCount == 16 + 520)
    #expect(found.short?.lengthOffset == 16 && found.short?.capacity == 60 && found.short?.byteCount == 80)
    #expect(layout([.string]).short?.byteCount == 64)
  }

  @Test("one string that is known to be short may stand beside the long one")
  func bounds() {
    let found = layout([.string, .string]) { $0.keyBounds = [511, 15] }
    #expect(found.fields.offsets == [24, 0] && found.short?.byteCount == 24 + 64)
    #expect(layout([.string]) { $0.keyBounds = [124] }.short == nil)
    #expect(layout([.string]) { $0.keyBounds = [125] }.short != nil)
    #expect(layout([.string, .string]).short == nil)
    #expect(layout([.long, .long]).short == nil)
  }

  @Test("an array that must be full at a given size, or that a probe goes over, has one map")
  func stays() {
    #expect(layout { $0.maximumEntries = 5 }.short == nil)
    #expect(layout { $0.wraps = true }.short == nil)
    #expect(layout { $0.isWalkedInKernel = true }.short == nil)
    #expect(layout { $0.isUsedInKernel = false }.short == nil)
    var limits = Limits()
    limits.maxMapEntries = 2047
    #expect(layout(limits: limits).short == nil)
    limits.maxMapEntries = 100_000
    #expect(layout(limits: limits).short != nil)
    #expect(layout { $0.isWalkedInKernel = true }.fields.offsets == [0, 8, 528])
  }
}
