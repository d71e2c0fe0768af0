package import TraceIR

extension ByteBuffer {
  /// Draws the buckets of `shape` as SystemTap does.
  ///
  ///     value |-------------------------------------------------- count
  ///        16 |                                                   0
  ///        32 |@@                                                 2
  ///
  /// Bars are at most 50 wide, a bar's `@` stands for the largest count divided by 50, rounded up. At the ends
  /// two empty buckets are kept; in between a longer run of them keeps two on either side of a `~`. Outliers of
  /// a linear histogram are shown when there are any.
  ///
  /// Source: langref, “Histogram extractors”; the width of the count column from published outputs.
  package mutating func append(_ buckets: [UInt64], of shape: HistogramShape) {
    let rows = HistogramRows(buckets, shape)
    guard !rows.shown.isEmpty else { return append(UInt8(ascii: "\n")) }
    let scale = max(1, (rows.largest + 49) / 50)
    let countWidth = numberWidth(rows.largest) + 1
    let labelWidth = max(5, rows.shown.map { rows.label($0).utf8.count }.max() ?? 0)
    append(rightAligned: "value", labelWidth)
    append(" |")
    append(UInt8(ascii: "-"), times: 50)
    append(" count\n")
    var last: Int?
    for row in rows.shown {
      if let last, row > last + 1 {
        append(rightAligned: "", labelWidth)
        append(" ~\n")
      }
      last = row
      append(rightAligned: rows.label(row), labelWidth)
      append(" |")
      let bar = Int(clamping: buckets[row] / scale)
      append(UInt8(ascii: "@"), times: bar)
      append(UInt8(ascii: " "), times: 50 - bar)
      append(rightAligned: "\(buckets[row])", countWidth)
      append(UInt8(ascii: "\n"))
    }
    append(UInt8(ascii: "\n"))
  }

  private mutating func append(rightAligned text: String, _ width: Int) {
    append(UInt8(ascii: " "), times: width - text.utf8.count)
    append(text)
  }

  private func numberWidth(_ value: UInt64) -> Int { String(value).utf8.count }
}

/// Which buckets of a histogram are drawn.
private struct HistogramRows {
  /// HIST_ELISION: how many empty buckets are kept at either end of an empty run.
  private static let kept = 2

  let shape: HistogramShape
  let largest: UInt64
  private(set) var shown: [Int] = []

  init(_ buckets: [UInt64], _ shape: HistogramShape) {
    self.shape = shape
    largest = buckets.max() ?? 0
    guard let first = buckets.firstIndex(where: { $0 > 0 }) else { return }
    let last = buckets.lastIndex { $0 > 0 } ?? first
    let range = Self.frame(first, last, buckets, shape)
    var index = range.lowerBound
    while index <= range.upperBound {
      let run = buckets[index...range.upperBound].prefix { $0 == 0 }.count
      let isInside = index > first && index + run <= last
      if isInside, run > 2 * Self.kept {
        shown += Array(index..<(index + Self.kept)) + Array((index + run - Self.kept)..<(index + run))
        index += run
      } else {
        shown += Array(index...(index + max(run - 1, 0)))
        index += max(run, 1)
      }
    }
  }

  /// Up to two empty buckets around the others; never an outlier's, never below 0 when nothing is there.
  private static func frame(
    _ first: Int,
    _ last: Int,
    _ buckets: [UInt64],
    _ shape: HistogramShape
  ) -> ClosedRange<Int> {
    let floor =
      switch shape {
      case .log: first >= 64 ? 64 : 0
      case .linear: first == 0 ? 0 : 1
      }
    let ceiling =
      switch shape {
      case .log: buckets.count - 1
      case .linear: last == buckets.count - 1 ? last : buckets.count - 2
      }
    return max(floor, first - kept)...min(ceiling, last + kept)
  }

  /// The lowest value of a bucket, or `<` and `>` with the bound for outliers.
  func label(_ index: Int) -> String {
    switch shape {
    case .log:
      if index == 64 { return "0" }
      return index > 64 ? "\(UInt64(1) << UInt64(index - 65))" : "-\(UInt64(1) << UInt64(63 - index))"
    case .linear(let low, let high, let step):
      if index == 0 { return "<\(low)" }
      if index == shape.bucketCount - 1 { return ">\(high)" }
      return "\(low &+ Int64(index - 1) &* step)"
    }
  }
}
