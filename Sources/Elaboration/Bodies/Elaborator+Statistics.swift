import Diagnostics
import StapSyntax
import TargetModel

extension Elaborator {
  /// Finds the globals that `<<<` makes statistics, so that a loop over one walked before it is seen knows.
  mutating func markStatistics(of script: Script) {
    for declaration in script.declarations {
      switch declaration {
      case .probe(let probe): markStatistics(in: probe.body)
      case .alias(let alias):
        if let prologue = alias.prologue { markStatistics(in: prologue) }
        if let epilogue = alias.epilogue { markStatistics(in: epilogue) }
      case .function(let function):
        if case .block(let statement) = function.body { markStatistics(in: statement) }
      case .global, .embeddedC: break
      }
    }
  }

  private mutating func markStatistics(in statement: Statement) {
    var found: [(String, SourceRange)] = []
    statement.forEachExpression { expression in
      guard case .assign(.aggregate, let place, _) = expression.kind else { return }
      switch place.kind {
      case .identifier(let name): found.append((name, place.range))
      case .index(let name, _): found.append((name.text, name.range))
      default: break
      }
    }
    for (name, range) in found {
      guard let global = symbols.global(named: name, in: range.source) else { continue }
      let cell = symbols.globals[global].value ?? types.fresh()
      symbols.updateGlobal(global) { $0.value = cell }
      _ = types.unify(cell, .known(.statistic), at: range)
    }
  }

  /// `@count(s)` and its kin.
  mutating func walkStatisticValue(
    _ operation: StatisticOperator,
    _ operand: Expression,
    _ shift: Int64?,
    _ range: SourceRange
  ) -> Draft {
    guard let (global, keys) = walkStatistic(operand) else { return invalid(range) }
    if let shift, !(0...62).contains(shift) { report(.varianceShift(shift, at: range)) }
    return .long(.statistic(operation, global: outputIndex(of: global), keys, shift: shift), range)
  }

  /// `@hist_log(s)[b]`.
  mutating func walkBucket(_ histogram: Histogram, _ bucket: Expression, _ range: SourceRange) -> Draft {
    check(histogram)
    guard let (global, keys) = walkStatistic(histogram.statistic) else { return invalid(range) }
    let bucket = walkLong(bucket, "a bucket's index")
    return .long(.histogramIndex(histogram.shape, global: outputIndex(of: global), keys, bucket), range)
  }

  /// `print(@hist_log(s))`, and `sprint` and the two that end a line.
  mutating func walkHistogramPrint(_ call: PrintCall, _ histogram: Histogram, _ range: SourceRange) -> Draft {
    check(histogram)
    guard let (global, keys) = walkStatistic(histogram.statistic) else { return invalid(range) }
    let (shape, index) = (histogram.shape, outputIndex(of: global))
    let text = Draft.string(.formatHistogram(shape, global: index, keys), range)
    switch call.function {
    case .sprint: return text
    case .sprintln:
      let line = FormatString([.plain(.string), .text("\n")])
      return .string(.format(line, [finished(text)]), range)
    default:
      let endsLine = call.function == .println
      return Draft(.printHistogram(shape, global: index, keys, endsLine: endsLine), nil, range)
    }
  }

  private mutating func check(_ histogram: Histogram) {
    guard case .linear(let low, let high, let step) = histogram.shape else { return }
    let (span, overflow) = high.subtractingReportingOverflow(low)
    guard step > 0, !overflow, span > 0 else {
      report(.histogramBounds(at: histogram.range))
      return
    }
    // Langref, "@hist_linear": one bucket below, one above, and STP_MAX_BUCKETS at most.
    let bucketCount = span / step + 3
    if bucketCount > 128 { report(.histogramTooWide(bucketCount, at: histogram.range)) }
  }
}
