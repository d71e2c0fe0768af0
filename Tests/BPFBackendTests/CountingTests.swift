import BPFBackend
import TargetModel
import Testing
import TraceIR

extension LiveTests {
  @Suite struct CountingTests {
    let victim: Victim

    init() throws { victim = try Victim.shared.get() }

    @Test("a global counts every hit of four threads")
    func global() throws {
      let live = try LiveModule(
        probe("count", globals: [scalar("n")]) { body in _ = body.long { .addGlobal($0, first, .long(1)) } }
      )
      try victim.hit("threads", "4", "250000")
      #expect(try live.scalar(first) == 1_000_000)
    }

    @Test("an array and a statistic count every hit of four threads")
    func arrayAndStatistic() throws {
      let globals = [
        array("n", .long),
        Global(name: "s", kind: .statisticArray(keys: [.long]), maximumEntries: 100),
        Global(name: "all", kind: .statistic, maximumEntries: 1),
      ]
      let live = try LiveModule(
        probe("count", globals: globals) { body in
          let value = body.argument()
          let key = body.long { .binary($0, .and, value, .long(7)) }
          _ = body.long { .addElement($0, first, [key], .long(1)) }
          body.add(.aggregate(second, [key], value))
          body.add(.aggregate(third, [], value))
        }
      )
      try victim.hit("threads", "4", "250000")
      let counts = try live.longs(first)
      #expect(counts.count == 8)
      #expect(counts.values.reduce(0, +) == 1_000_000)
      let statistics = try live.elements(second).values.map { live.statistic($0, second) }
      #expect(statistics.map { $0[0] }.reduce(0, +) == 1_000_000)
      let all = live.statistic(try #require(try live.elements(third).values.first), third)
      #expect(all[0] == 1_000_000)
      #expect(all[1] == 4 * (249_999 * 250_000 / 2))
      #expect(all[3] == 249_999 ^ Int64.min)
      #expect(~all[2] == 0 ^ Int64.min)
      for reason in LossReason.allCases { #expect(try live.losses(0, reason) == 0) }
    }

    @Test("insertions race without losing a hit")
    func racingInsertions() throws {
      let live = try LiveModule(
        probe("count", globals: [array("n", .long, limit: 300_000)]) { body in
          let value = body.argument()
          _ = body.long { .addElement($0, first, [value], .long(1)) }
        }
      )
      try victim.hit("threads", "4", "50000")
      let counts = try live.longs(first)
      #expect(counts.count == 50_000)
      #expect(counts.values.allSatisfy { $0 == 4 })
    }

    @Test("hits before the session runs and after it stops are ignored")
    func states() throws {
      let live = try LiveModule(
        probe("count", globals: [scalar("n")]) { body in _ = body.long { .addGlobal($0, first, .long(1)) } }
      )
      try live.setState(.starting)
      try victim.hit("count", "5")
      try live.setState(.running)
      try victim.hit("count", "3")
      try live.setState(.stopping)
      try victim.hit("count", "7")
      #expect(try live.scalar(first) == 3)
    }

    @Test("several sites share a program and tell themselves apart")
    func sites() throws {
      let live = try LiveModule(
        probe("count", "other", globals: [array("n", .string)]) { body in
          let name = body.string { .context($0, .site(.function), kernelPlan: nil) }
          _ = body.long { .addElement($0, first, [name], .long(1)) }
        }
      )
      try victim.hit("both", "4")
      try victim.hit("count", "1")
      let counts = Dictionary(
        uniqueKeysWithValues: try live.elements(first).map { key, value in
          var start = 0
          return (key.field(.string, &start), value.long(0))
        }
      )
      #expect(counts == ["\"count\"": 5, "\"other\"": 4])
    }
  }
}
