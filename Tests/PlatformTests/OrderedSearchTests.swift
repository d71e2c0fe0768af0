import Testing

@testable import Platform

@Suite("Searching what is in order") struct OrderedSearchTests {
  @Test("it counts what is below", arguments: 0...9)
  func counts(_ count: Int) {
    let numbers = (0..<count).map { $0 / 2 * 2 }
    for limit in -1...10 {
      #expect(numbers.countAtStart { $0 <= limit } == numbers.filter { $0 <= limit }.count)
    }
    #expect(numbers.dropFirst(2).countAtStart { $0 < 4 } == numbers.dropFirst(2).filter { $0 < 4 }.count)
  }
}
