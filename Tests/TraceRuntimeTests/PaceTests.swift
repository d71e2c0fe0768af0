import Testing

@testable import TraceRuntime

@Suite("When a session looks for records") struct PaceTests {
  private let options: SessionOptions

  init() throws { options = SessionOptions(sink: try .standardOutput(.text), environment: .current()) }

  /// The pause before each round, and what probes were told after it, for these numbers of records.
  private func course(_ counts: [Int], wokenBefore: Set<Int> = []) -> [String] {
    var pace = Pace(options)
    return counts.enumerated().map { round, count in
      let pause = pace.pauseMilliseconds
      if wokenBefore.contains(round) { pace.wake() }
      let told = pace.advance(records: count).map { $0 ? " asleep" : " awake" } ?? ""
      return "\(pause)\(told)"
    }
  }

  @Test("with nothing to do it asks to be woken, looks once more, and sleeps")
  func idle() {
    let rounds = course(Array(repeating: 0, count: 9))
    #expect(rounds == ["10", "10", "10", "10", "10", "10 asleep", "10", "1000", "1000"])
  }

  @Test("records that come without a wake-up end the sleep")
  func late() {
    let rounds = course([0, 0, 0, 0, 0, 0, 3, 0])
    #expect(rounds.suffix(3) == ["10 asleep", "10 awake", "10"])
  }

  @Test("who is woken looks often again")
  func woken() {
    let rounds = course([0, 0, 0, 0, 0, 0, 0, 1, 0], wokenBefore: [7])
    #expect(rounds.suffix(3) == ["10", "1000", "10"])
  }

  @Test("a flood is read without a pause")
  func flood() { #expect(course([10_001, 10_000, 1]) == ["10", "0", "10"]) }
}
