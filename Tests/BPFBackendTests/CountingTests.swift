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

    @Test("a body without faults stands at several sites")
    func severalSites() throws {
      let live = try LiveModule(
        probe("count", "other", globals: [scalar("n")]) { body in
          _ = body.long { .addGlobal($0, first, .long(1)) }
        }
      )
      try victim.hit("both", "10")
      #expect(try live.scalar(first) == 20)
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

    @Test("insertions of an array that only counts race without losing a hit", arguments: [true, false])
    func racingTally(_ hasMayGoto: Bool) throws {
      var target = BPFTarget.live
      target.hasMayGoto = target.hasMayGoto && hasMayGoto
      let live = try LiveModule(
        probe("count", globals: [tally("n", limit: 50_000), tally("few", limit: 7)]) { body in
          let value = body.argument()
          let some = body.long { .binary($0, .remainder, value, .long(7)) }
          _ = body.long { .addElement($0, first, [value], .long(1)) }
          _ = body.long { .addElement($0, second, [some], .long(2)) }
        },
        target: target
      )
      try victim.hit("threads", "4", "50000")
      let counts = try live.tally(first)
      #expect(counts.count == 50_000)
      #expect(counts.values.allSatisfy { $0 == 4 })
      let few = try live.tally(second)
      #expect(few.count == 7 && few.values.reduce(0, +) == 400_000)
      for reason in LossReason.allCases { #expect(try live.losses(0, reason) == 0) }
      #expect(try live.scalar(ScalarLayout.errorCountOffset) as UInt32 == 0)
    }

    @Test("an array that only counts is full at its size: each hit is counted or an error")
    func fullTally() throws {
      var limits = Limits()
      limits.maxErrors = 1_000_000
      let live = try LiveModule(
        probe("count", globals: [tally("n", limit: 1000)], limits: limits) { body in
          let value = body.argument()
          _ = body.long { .addElement($0, first, [value], .long(1)) }
        }
      )
      try victim.hit("threads", "4", "5000")
      let counts = try live.tally(first)
      let errors: UInt32 = try live.scalar(ScalarLayout.errorCountOffset)
      #expect(counts.count == 1000)
      #expect(counts.values.reduce(0, +) + Int64(errors) == 20_000)
      // Hits of one key before the first error were all counted.
      #expect(counts.values.allSatisfy { (1...4).contains($0) })
    }

    @Test("keys of one line, the key without a mark, and what was there before", arguments: [true, false])
    func crowdedTally(_ hasMayGoto: Bool) throws {
      var target = BPFTarget.live
      target.hasMayGoto = target.hasMayGoto && hasMayGoto
      let program = try probe(
        "count",
        globals: [tally("n", limit: 100), scalar("before"), scalar("known"), scalar("read")]
      ) { body in
        let value = body.argument()
        let known = body.long { .contains($0, first, [value]) }
        body.add(.storeGlobal(third, known))
        let before = body.long { .addElement($0, first, [value], .long(5)) }
        body.add(.storeGlobal(second, before))
        let read = body.long { .loadElement($0, first, [value]) }
        body.add(.storeGlobal(GlobalID(3), read))
      }
      let live = try LiveModule(program, target: target)
      let layout = try #require(TallyLayout(program.globals[0]))
      let last = layout.lineCount - 1
      let crowd = (0...).lazy.map { Int64($0) }.filter { layout.line(of: TallyLayout.mark(of: $0)) == last }
      let keys = Array(crowd.prefix(10)) + [TallyLayout.oddKey, .min, .max, -1]
      for round in 0..<Int64(2) {
        for key in keys {
          try victim.hit("value", "\(key)")
          #expect(try live.scalar(third) == round, "\(key)")
          #expect(try live.scalar(second) == 5 * round, "\(key)")
          #expect(try live.scalar(GlobalID(3)) == 5 * round + 5, "\(key)")
        }
      }
      #expect(try live.tally(first) == Dictionary(uniqueKeysWithValues: keys.map { ($0, 10) }))
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

    @Test("a probe reads, tests and clears what it keeps")
    func extraction() throws {
      let globals =
        [Global(name: "s", kind: .statistic, maximumEntries: 1), array("a", .long)]
        + [Global(name: "t", kind: .statisticArray(keys: [.string]), maximumEntries: 10)]
        + ["count", "sum", "min", "max", "avg", "has"].map { scalar($0) }
      let fields: [StatisticField] = [.count, .sum, .min, .max, .average]
      let live = try LiveModule(
        probe("count", globals: globals) { body in
          let value = body.argument()
          let isEnd = body.long { .binary($0, .equal, value, .long(9)) }
          let clear = body.block { body in
            for index in 0..<3 { body.add(.delete(GlobalID(index), [])) }
          }
          let gather = body.block { body in
            let odd = body.long { .binary($0, .subtract, value, .long(3)) }
            body.add(.aggregate(first, [], odd))
            body.add(.aggregate(third, [.string("key")], odd))
            body.add(.storeElement(second, [value], value))
            for (index, field) in fields.enumerated() {
              let plain = body.long { .extract($0, field, first, []) }
              let keyed = body.long { .extract($0, field, third, [.string("key")]) }
              let both = body.long { .binary($0, .subtract, keyed, plain) }
              let sum = body.long { .binary($0, .add, both, plain) }
              body.add(.storeGlobal(GlobalID(3 + index), sum))
            }
            let has = body.long { .contains($0, second, [value]) }
            let hasNot = body.long { .contains($0, second, [.long(77)]) }
            let found = body.long { .binary($0, .subtract, has, hasNot) }
            body.add(.storeGlobal(GlobalID(8), found))
          }
          body.add(.if(isEnd, then: clear, else: gather))
        }
      )
      try victim.hit("count", "8")
      // -3 … 4: eight values, sum 4.
      #expect(try (3...8).map { try live.scalar(GlobalID($0)) } == [8, 4, -3, 4, 0, 1])
      try victim.hit("count", "10")
      #expect(try live.elements(second).isEmpty && live.elements(third).isEmpty)
      #expect(try live.elements(first).values.allSatisfy { $0.allSatisfy { $0 == 0 } })
      #expect(try live.controls() == [])
    }

    @Test("each power of two begins a bucket of its own, below zero as above")
    func logBuckets() throws {
      let powers = (0..<63).flatMap { exponent -> [Int64] in [1 << exponent, (1 << exponent) - 1] }
      let values = powers + powers.map { -$0 } + [.max, -.max, .min]
      var needs = StatisticNeeds()
      needs.fields = []
      needs.histograms = [.log]
      let live = try LiveModule(
        probe("count", globals: [Global(name: "s", kind: .statistic, maximumEntries: 1, statistics: needs)]) {
          for value in values { $0.add(.aggregate(first, [], .long(value))) }
        }
      )
      try victim.hit("count", "1")
      var expected = [Int64](repeating: 0, count: 128)
      for value in values { expected[HistogramShape.log.bucket(of: value)] += 1 }
      #expect(try live.elements(first).values.map { live.statistic($0, first) } == [expected])
    }

    @Test("an empty statistic has a count and nothing else")
    func emptyAggregate() throws {
      let globals = [Global(name: "s", kind: .statistic, maximumEntries: 1), scalar("n", initial: 5)]
      let live = try LiveModule(
        probe("count", globals: globals) { body in
          let count = body.long { .extract($0, .count, first, []) }
          body.add(.storeGlobal(second, count))
          let sum = body.long { .extract($0, .sum, first, []) }
          body.add(.storeGlobal(second, sum))
        }
      )
      try victim.hit("count", "1")
      #expect(try live.scalar(second) == 0)
      #expect(try live.controls() == ["fault/0/0 \(FaultCode.emptyAggregate.rawValue) 0 0 \"\""])
    }

    @Test("a full array is a fault that names it, one that wraps makes room")
    func full() throws {
      var wrapping = array("w", .long, limit: 64)
      wrapping.wraps = true
      let live = try LiveModule(
        probe("count", globals: [wrapping, array("n", .long, limit: 100)]) { body in
          let value = body.argument()
          body.add(.storeElement(first, [value], .long(1)))
          _ = body.long { .addElement($0, second, [value], .long(1)) }
        }
      )
      try victim.hit("count", "101")
      #expect(try live.elements(second).count == 100)
      #expect(try live.elements(first).count <= 64)
      #expect(try live.controls() == ["fault/0/0 \(FaultCode.arrayFull.rawValue) 0 1 \"\""])
    }
  }
}
