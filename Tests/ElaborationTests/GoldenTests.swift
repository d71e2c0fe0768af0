import TestSupport
import Testing

@Suite("Elaborated programs")
struct GoldenTests {
  @Test("prints as expected", arguments: goldenNames("elaborate"))
  func matchesExpected(_ name: String) throws {
    try golden("elaborate", name) { text in
      let elaborated = Elaborated(text)
      return elaborated.messages + elaborated.text
    }
  }
}
