import Glibc
import Testing

@testable import Platform

@Suite("Work in pieces") struct SideBySideTests {
  @Test("products come in the order of what they are made of", arguments: [0, 1, 63, 64, 65, 1000])
  func keepsTheOrder(_ count: Int) {
    let items = Array(0..<count)
    #expect(SideBySide.map(items, grain: 64) { $0 * 3 } == items.map { $0 * 3 })
    #expect(SideBySide.run(count) { $0 + 1 } == items.map { $0 + 1 })
  }

  @Test("slow pieces are waited for, however many threads there are", arguments: [2, 3, 40])
  func waits(_ threads: Int) {
    let made = SideBySide.run(5, threads: threads) { index in
      usleep(3000 * UInt32(index % 2))
      return index
    }
    #expect(made == [0, 1, 2, 3, 4])
  }
}
