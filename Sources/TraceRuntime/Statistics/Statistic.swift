package import TraceIR

/// What a statistics variable has gathered, merged over CPUs and, for slices, over elements.
package struct Statistic: Hashable, Sendable {
  package private(set) var count: Int64 = 0
  /// Wraps.
  package private(set) var sum: Int64 = 0
  package private(set) var minimum: Int64 = .max
  package private(set) var maximum: Int64 = .min
  /// Sums of bits 0–31, 32–63 and 64–127 of each value's square; see ``StatisticLayout``.
  private var squares: [UInt64]
  /// Buckets of each histogram, in the order of ``StatisticNeeds/histograms``.
  private var histograms: [[UInt64]]
  private let needs: StatisticNeeds

  /// An empty one that can answer `needs`.
  package init(_ needs: StatisticNeeds) {
    self.needs = needs
    squares = needs.variance ? [0, 0, 0] : []
    histograms = needs.histograms.map { [UInt64](repeating: 0, count: $0.bucketCount) }
  }

  /// `<<<`.
  package mutating func add(_ value: Int64) {
    count &+= 1
    sum &+= value
    minimum = min(minimum, value)
    maximum = max(maximum, value)
    if !squares.isEmpty {
      let square = value.magnitude.multipliedFullWidth(by: value.magnitude)
      squares[0] &+= square.low & 0xffff_ffff
      squares[1] &+= square.low >> 32
      squares[2] &+= square.high
    }
    for index in histograms.indices { histograms[index][needs.histograms[index].bucket(of: value)] += 1 }
  }

  /// Takes in what another one gathered; both answer the same needs.
  package mutating func merge(_ other: Statistic) {
    guard other.count > 0 else { return }
    count &+= other.count
    sum &+= other.sum
    minimum = min(minimum, other.minimum)
    maximum = max(maximum, other.maximum)
    for index in squares.indices { squares[index] &+= other.squares[index] }
    for index in histograms.indices {
      for bucket in histograms[index].indices {
        histograms[index][bucket] &+= other.histograms[index][bucket]
      }
    }
  }

  /// Takes in one CPU's share as it lies in a map.
  package mutating func merge(words: some Collection<UInt64>) {
    let words = Array(words)
    let layout = StatisticLayout(needs)
    guard words.count * 8 >= layout.byteCount else { return }
    let flip: UInt64 = 1 << 63
    var share = Statistic(needs)
    for (index, offset) in layout.histogramOffsets.enumerated() {
      share.histograms[index] = Array(words[(offset / 8)..<(offset / 8 + histograms[index].count)])
    }
    let count = layout.countOffset.map { words[$0 / 8] } ?? share.histograms[0].reduce(0, &+)
    share.count = Int64(bitPattern: count)
    if let offset = layout.sumOffset { share.sum = Int64(bitPattern: words[offset / 8]) }
    if let offset = layout.minimumOffset { share.minimum = Int64(bitPattern: ~words[offset / 8] ^ flip) }
    if let offset = layout.maximumOffset { share.maximum = Int64(bitPattern: words[offset / 8] ^ flip) }
    if let offset = layout.squaresOffset { share.squares = Array(words[(offset / 8)..<(offset / 8 + 3)]) }
    merge(share)
  }

  /// One CPU's share as it lies in a map.
  package var words: [UInt64] {
    let layout = StatisticLayout(needs)
    var words = [UInt64](repeating: 0, count: layout.byteCount / 8)
    guard count > 0 else { return words }
    let flip: UInt64 = 1 << 63
    if let offset = layout.countOffset { words[offset / 8] = UInt64(bitPattern: count) }
    if let offset = layout.sumOffset { words[offset / 8] = UInt64(bitPattern: sum) }
    if let offset = layout.minimumOffset { words[offset / 8] = ~(UInt64(bitPattern: minimum) ^ flip) }
    if let offset = layout.maximumOffset { words[offset / 8] = UInt64(bitPattern: maximum) ^ flip }
    if let offset = layout.squaresOffset { words.replaceSubrange(offset / 8..<offset / 8 + 3, with: squares) }
    for (offset, buckets) in zip(layout.histogramOffsets, histograms) {
      words.replaceSubrange(offset / 8..<offset / 8 + buckets.count, with: buckets)
    }
    return words
  }

  /// The answer to `field`, which must be one of those that are needed; nil for everything but the count of an empty one.
  package func extract(_ field: StatisticField) -> Int64? {
    if field == .count { return count }
    guard count > 0 else { return nil }
    switch field {
    case .count: return count
    case .sum: return sum
    case .min: return minimum
    case .max: return maximum
    case .average: return sum / count
    case .variance: return variance
    }
  }

  /// The buckets of `shape`; empty when nobody asked for it.
  package func buckets(_ shape: HistogramShape) -> [UInt64] {
    needs.histograms.firstIndex(of: shape).map { histograms[$0] } ?? []
  }

  /// The sample variance, cut to an integer, from exact sums.
  ///
  /// SystemTap computes it step by step in integers and asks for a bit shift to lose less; with exact sums the
  /// shift changes nothing and the answer is what its larger shifts approach.
  private var variance: Int64 {
    guard count > 1, !squares.isEmpty else { return 0 }
    let samples = UInt128(UInt64(bitPattern: count))
    let total = UInt128(squares[0]) &+ UInt128(squares[1]) << 32 &+ UInt128(squares[2]) << 64
    let scaled = total.multipliedFullWidth(by: samples)
    let sumSquared = UInt128(sum.magnitude) * UInt128(sum.magnitude)
    let (low, borrow) = scaled.low.subtractingReportingOverflow(sumSquared)
    let divisor = samples * (samples - 1)
    let high = borrow ? scaled.high &- 1 : scaled.high
    guard high < divisor else { return .max }
    return Int64(truncatingIfNeeded: divisor.dividingFullWidth((high, low)).quotient)
  }
}
