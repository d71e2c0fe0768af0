import TestSupport
import Testing

@Suite("Mistakes in scripts")
struct MistakeTests {
  /// `Tests/Golden/mistakes/ID.NOTE.stp`: what is said of it has that ID; `none` stands for silence.
  @Test("are told as expected", arguments: goldenNames("mistakes"))
  func matchesExpected(_ name: String) throws {
    let id = name.prefix { $0 != "." }
    try golden("mistakes", name) { text in
      let elaborated = Elaborated(text)
      let isTold = id == "none" ? elaborated.ids.isEmpty : elaborated.ids.contains(String(id))
      #expect(isTold, "\(elaborated.messages)")
      return elaborated.messages
    }
  }

  @Test("Near-misses are accepted in silence")
  func acceptsNearMisses() {
    let script = """
      global a, s, last
      probe begin { foreach (k in a) { last = k } s <<< 1; delete s; a["x"] = 1 }
      probe end { if ("x" in a) println(@count(s)) }
      probe never if (last == "x") { x = 1; println(x); next }
      """
    let elaborated = Elaborated(script)
    #expect(elaborated.messages == "")
  }

  @Test("A mistake shows where it is and what else is involved")
  func showsPlaces() {
    let elaborated = Elaborated("global hits\nprobe begin { hits[1] = 1\n  hit[2] = 2 }")
    #expect(elaborated.messages.contains("did you mean 'hits'?"))
    #expect(elaborated.messages.contains("test.stp:3:3: error: "))
  }
}
