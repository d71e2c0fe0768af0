import Elaboration
import StapSyntax
import TraceIR

/// What each global's statistics are asked for anywhere in `program`, by global.
func statisticNeeds(of program: ElaboratedProgram) -> [StatisticNeeds] {
  var uses = StatisticUses(count: program.globals.count)
  for function in program.functions { uses.visit(function.body.statement) }
  for probe in program.probes {
    uses.visit(probe.body.statement)
    uses.visit(probe.condition)
  }
  return uses.needs
}

/// A walk over a program's trees that notes `@variance` and `@hist_…`.
private struct StatisticUses {
  var needs: [StatisticNeeds]

  init(count: Int) { needs = Array(repeating: StatisticNeeds(), count: count) }

  private mutating func note(_ shape: Histogram.Shape, _ global: Int) {
    let shape = histogramShape(shape)
    if !needs[global].histograms.contains(shape) { needs[global].histograms.append(shape) }
  }

  mutating func visit(_ statement: ElaboratedStatement) {
    switch statement.kind {
    case .block(let statements): for each in statements { visit(each) }
    case .expression(let expression): visit(expression)
    case .if(let condition, let then, let otherwise):
      visit(condition)
      visit(then)
      if let otherwise { visit(otherwise) }
    case .loop(let initial, let condition, let step, let body):
      visit(initial)
      visit(condition)
      visit(step)
      visit(body)
    case .foreach(let foreach):
      if let shape = foreach.histogram { note(shape, foreach.global) }
      if case .statistic(.variance)? = foreach.sort?.by { needs[foreach.global].variance = true }
      for key in foreach.slice { visit(key) }
      visit(foreach.limit)
      visit(foreach.body)
    case .break, .continue, .next: break
    case .return(let value): visit(value)
    case .delete(_, let keys): for key in keys { visit(key) }
    case .tryCatch(let body, _, let handler):
      visit(body)
      visit(handler)
    }
  }

  mutating func visit(_ expression: ElaboratedExpression?) {
    guard let expression else { return }
    switch expression.kind {
    case .long, .string, .context: break
    case .place(let place): visit(place)
    case .unary(_, let operand), .entry(let operand), .regexMatch(let operand, _, _): visit(operand)
    case .binary(_, let left, let right):
      visit(left)
      visit(right)
    case .assign(let place, let value), .modify(let place, _, let value), .aggregate(let place, let value):
      visit(place)
      visit(value)
    case .increment(let place, _): visit(place)
    case .ternary(let condition, let then, let otherwise):
      for each in [condition, then, otherwise] { visit(each) }
    case .membership(_, let keys): for key in keys { visit(key) }
    case .call(_, let operands), .intrinsic(_, let operands), .read(_, let operands),
      .siteFormat(_, let operands), .print(_, let operands), .format(_, let operands):
      for operand in operands { visit(operand) }
    case .statistic(let operation, let global, let keys, let shift):
      if operation == .variance {
        needs[global].variance = true
        needs[global].varianceShift = Int(clamping: shift ?? 0)
      }
      for key in keys { visit(key) }
    case .histogramIndex(let shape, let global, let keys, let index):
      note(shape, global)
      for key in keys { visit(key) }
      visit(index)
    case .printHistogram(let shape, let global, let keys, _),
      .formatHistogram(let shape, let global, let keys):
      note(shape, global)
      for key in keys { visit(key) }
    }
  }

  private mutating func visit(_ place: ElaboratedPlace) {
    guard case .element(_, let keys) = place else { return }
    for key in keys { visit(key) }
  }
}
