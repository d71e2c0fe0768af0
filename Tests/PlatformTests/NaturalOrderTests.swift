import Platform
import Testing

@Suite("Texts with numbers") struct NaturalOrderTests {
  @Test("come in the order of the numbers")
  func sorts() {
    let wanted = [
      "", "007", "7", "a", "a9", "a10", "a10b2", "a10b11", "a010c", "b", "f.c:2", "f.c:9", "f.c:10",
      "f.c:100",
      "f.c:99999999999999999999999", "f.d:1", "é1",
    ]
    #expect(wanted.shuffled().sorted { $0.naturallyPrecedes($1) } == wanted)
  }

  @Test("are ordered by any two of them alike", arguments: 0..<200)
  func isOrder(_ round: Int) {
    let texts = (0..<3).map { _ in
      (0..<Int.random(in: 0...4)).map { _ in ["0", "1", "9", "a", ":", "é"].randomElement() ?? "" }.joined()
    }
    let (a, b, c) = (texts[0], texts[1], texts[2])
    #expect(!a.naturallyPrecedes(a), "\(a)")
    #expect(a == b || a.naturallyPrecedes(b) != b.naturallyPrecedes(a), "\(a) \(b)")
    #expect(!(a.naturallyPrecedes(b) && b.naturallyPrecedes(c)) || a.naturallyPrecedes(c), "\(a) \(b) \(c)")
  }
}
