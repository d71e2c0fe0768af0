import Testing
import TraceIR
import TraceRuntime

@Suite struct StatisticTests {
  private func statistic(
    _ values: some Sequence<Int64>,
    _ needs: StatisticNeeds = StatisticNeeds()
  ) -> Statistic {
    var result = Statistic(needs)
    for value in values { result.add(value) }
    return result
  }

  private func drawing(_ values: some Sequence<Int64>, _ shape: HistogramShape) -> String {
    var needs = StatisticNeeds()
    needs.histograms = [shape]
    var buffer = ByteBuffer()
    buffer.append(statistic(values, needs).buckets(shape), of: shape)
    return String(decoding: buffer.bytes, as: UTF8.self)
  }

  @Test("fields of a few values")
  func extracts() {
    let five = statistic([3, -9, 4, 0, 7])
    #expect(StatisticField.allCases.prefix(5).map { five.extract($0) } == [5, 5, -9, 7, 1])
    #expect(statistic([]).extract(.count) == 0)
    #expect(statistic([]).extract(.sum) == nil)
  }

  @Test(
    "the variance is exact",
    arguments: [
      ([1, 2, 3, 4, 5], 2), ([7], 0), ([5, 5, 5], 0),
      ([-1_000_000_007, 1_000_000_007], 2_000_000_028_000_000_098),
    ]
      as [([Int64], Int64)]
  )
  func variance(_ values: [Int64], _ expected: Int64) {
    var needs = StatisticNeeds()
    needs.variance = true
    #expect(statistic(values, needs).extract(.variance) == expected)
  }

  @Test("shares of CPUs merge as if one had seen all")
  func mergesShares() {
    var needs = StatisticNeeds()
    needs.variance = true
    needs.histograms = [.linear(low: 0, high: 10, step: 5), .log]
    let layout = StatisticLayout(needs)
    let values: [[Int64]] = [[4, -7, 12], [], [Int64.max, 1]]
    var merged = Statistic(needs)
    for share in values {
      var words = [UInt64](repeating: 0, count: layout.byteCount / 8)
      for value in share { add(value, to: &words, needs, layout) }
      merged.merge(words: words)
    }
    #expect(merged == statistic(values.joined(), needs))
  }

  @Test(
    "words that nobody asks for are not there, and the others answer the same",
    arguments: [[], [.count], [.sum], [.min, .max], [.max, .average]] as [[StatisticField]]
  )
  func keepsWhatIsAsked(_ fields: [StatisticField]) {
    var needs = StatisticNeeds()
    needs.fields = fields
    needs.histograms = [.log, .linear(low: 0, high: 10, step: 5)]
    let layout = StatisticLayout(needs)
    let sums = [layout.countOffset, layout.sumOffset, layout.minimumOffset, layout.maximumOffset]
    let words = 128 + 5 + sums.compactMap { $0 }.count
    #expect(layout.byteCount == 8 * words)
    #expect(fields.isEmpty || words == 134 + (fields == [.count] ? 0 : fields.count))
    var merged = Statistic(needs)
    merged.merge(words: [UInt64](repeating: 0, count: words))
    #expect(merged.count == 0)
    for share in [[4, -7, 12], [Int64.max, 1]] as [[Int64]] {
      var words = [UInt64](repeating: 0, count: words)
      for value in share { add(value, to: &words, needs, layout) }
      merged.merge(words: words)
    }
    let whole = statistic([4, -7, 12, Int64.max, 1])
    #expect(merged.count == 5)
    for field in fields { #expect(merged.extract(field) == whole.extract(field)) }
    for shape in needs.histograms { #expect(merged.buckets(shape).reduce(0, +) == 5) }
    var again = Statistic(needs)
    again.merge(words: merged.words)
    #expect(again == merged)
  }

  @Test("without a histogram the count is kept, which tells an empty one")
  func keepsCount() {
    var needs = StatisticNeeds()
    needs.fields = []
    #expect(StatisticLayout(needs).countOffset == 0)
    #expect(StatisticLayout(needs).byteCount == 8)
  }

  /// What a kernel-side probe does with its CPU's words.
  private func add(
    _ value: Int64,
    to words: inout [UInt64],
    _ needs: StatisticNeeds,
    _ layout: StatisticLayout
  ) {
    let flipped = UInt64(bitPattern: value) ^ (1 << 63)
    if let offset = layout.countOffset { words[offset / 8] &+= 1 }
    if let offset = layout.sumOffset { words[offset / 8] &+= UInt64(bitPattern: value) }
    if let offset = layout.minimumOffset { words[offset / 8] = max(words[offset / 8], ~flipped) }
    if let offset = layout.maximumOffset { words[offset / 8] = max(words[offset / 8], flipped) }
    if let offset = layout.squaresOffset {
      let square = value.magnitude.multipliedFullWidth(by: value.magnitude)
      words[offset / 8] &+= square.low & 0xffff_ffff
      words[offset / 8 + 1] &+= square.low >> 32
      words[offset / 8 + 2] &+= square.high
    }
    for (shape, offset) in zip(needs.histograms, layout.histogramOffsets) {
      words[offset / 8 + shape.bucket(of: value)] &+= 1
    }
  }

  @Test("a log histogram keeps two empty rows at each end and none below 0")
  func drawsLog() {
    let values: [Int64] = [32, 40, 64, 1024, 1025, 1026, 1027]
    #expect(
      drawing(values, .log) == """
        value |-------------------------------------------------- count
            8 |                                                   0
           16 |                                                   0
           32 |@@                                                 2
           64 |@                                                  1
          128 |                                                   0
          256 |                                                   0
          512 |                                                   0
         1024 |@@@@                                               4
         2048 |                                                   0
         4096 |                                                   0


        """
    )
    #expect(
      drawing([0], .log) == """
        value |-------------------------------------------------- count
            0 |@                                                  1
            1 |                                                   0
            2 |                                                   0


        """
    )
    #expect(
      drawing([-5, 3], .log) == """
        value |-------------------------------------------------- count
          -16 |                                                   0
           -8 |                                                   0
           -4 |@                                                  1
           -2 |                                                   0
           -1 |                                                   0
            0 |                                                   0
            1 |                                                   0
            2 |@                                                  1
            4 |                                                   0
            8 |                                                   0


        """
    )
  }

  @Test("a linear histogram leaves out the middle of empty runs and scales its bars")
  func drawsLinear() {
    var values = [Int64](repeating: 100, count: 1650)
    values += [Int64](repeating: 250, count: 8)
    values.append(1500)
    #expect(
      drawing(values, .linear(low: 0, high: 10240, step: 200)) == """
        value |-------------------------------------------------- count
            0 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 1650
          200 |                                                      8
          400 |                                                      0
          600 |                                                      0
              ~
         1000 |                                                      0
         1200 |                                                      0
         1400 |                                                      1
         1600 |                                                      0
         1800 |                                                      0


        """
    )
  }

  @Test("outliers of a linear histogram have rows of their own")
  func drawsOutliers() {
    #expect(
      drawing([-5, 5, 100, 101], .linear(low: 0, high: 10, step: 5)) == """
        value |-------------------------------------------------- count
           <0 |@                                                  1
            0 |                                                   0
            5 |@                                                  1
           10 |                                                   0
          >10 |@@                                                 2


        """
    )
  }

  @Test("bars of counts above 50 are scaled by the largest, rounded up")
  func scales() {
    let counts: [(Int64, Int)] = [(512, 274), (1024, 2474), (2048, 1547), (4096, 952)]
    let values = counts.flatMap { [Int64](repeating: $0.0, count: $0.1) }
    let bars = drawing(values, .log).split(separator: "\n").map { $0.filter { $0 == "@" }.count }
    #expect(bars == [0, 0, 0, 5, 49, 30, 19, 0, 0])
  }
}
