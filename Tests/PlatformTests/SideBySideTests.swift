import Testing

@testable import Platform

@Suite("Work in pieces") struct SideBySideTests {
  @Test("products come in the order of what they are made of", arguments: [0, 1, 63, 64, 65, 1000])
  func keepsTheOrder(_ count: Int) {
    let items = Array(0..<count)
    #expect(SideBySide.map(items, grain: 64) { $0 * 3 } == items.map { $0 * 3 })
    #expect(SideBySide.run(count) { $0 + 1 } == items.map { $0 + 1 })
  }
}
