import Diagnostics
import Elaboration
import StapSyntax
import TraceIR

extension BodyBuilder {
  /// Leaves the body unless `condition` holds.
  mutating func lowerGuard(_ condition: ElaboratedExpression) {
    let operand = lower(condition)
    let leave = Block([Instruction(.return(nil), at: locations.index(of: condition.range))])
    emit(.if(operand, then: Block(), else: leave), at: condition.range)
  }

  mutating func lower(_ statement: ElaboratedStatement) {
    let range = statement.range
    switch statement.kind {
    case .block(let statements): for each in statements { lower(each) }
    case .expression(let expression): lowerEffect(expression)
    case .if(let condition, let then, let otherwise): lowerIf(condition, then, otherwise, range)
    case .loop(let initial, let condition, let step, let body):
      if let initial { lowerEffect(initial) }
      lowerLoop(condition, step, body, range)
    case .foreach(let foreach): lowerForeach(foreach, range)
    case .break: emit(.break, at: range)
    case .continue: emit(.continue, at: range)
    case .next: emit(.next, at: range)
    case .return(let value): emit(.return(value.map { lower($0) }), at: range)
    case .delete(let global, let keys): emit(.delete(GlobalID(global), lower(keys)), at: range)
    case .tryCatch(let body, let message, let handler):
      let (tried, _) = block { $0.lower(body) }
      let (caught, _) = block { $0.lower(handler) }
      emit(.tryCatch(tried, message: message.map(LocalID.init), handler: caught), at: range)
    }
  }

  private mutating func lowerIf(
    _ condition: ElaboratedExpression,
    _ then: ElaboratedStatement,
    _ otherwise: ElaboratedStatement?,
    _ range: SourceRange
  ) {
    let operand = lower(condition)
    let (yes, _) = block { $0.lower(then) }
    let (no, _) = block { builder in
      if let otherwise { builder.lower(otherwise) }
    }
    emit(.if(operand, then: yes, else: no), at: range)
  }

  private mutating func lowerLoop(
    _ condition: ElaboratedExpression?,
    _ step: ElaboratedExpression?,
    _ body: ElaboratedStatement,
    _ range: SourceRange
  ) {
    let (test, operand) = block { builder in condition.map { builder.lower($0) } ?? .long(1) }
    let (round, _) = block { $0.lower(body) }
    let (advance, _) = block { builder in
      if let step { builder.lowerEffect(step) }
    }
    emit(.loop(condition: test, operand, body: round, step: advance), at: range)
  }

  private mutating func lowerForeach(_ foreach: ElaboratedForeach, _ range: SourceRange) {
    let slice = lower(foreach.slice)
    let limit = foreach.limit.map { lower($0) }
    let (body, _) = block { $0.lower(foreach.body) }
    let operation = ForeachOperation(
      global: GlobalID(foreach.global),
      slice: slice,
      keys: foreach.keys.map(LocalID.init),
      value: foreach.value.map(LocalID.init),
      order: order(foreach.sort),
      limit: limit,
      histogram: foreach.histogram.map(histogramShape),
      body: body
    )
    emit(.foreach(operation), at: range)
  }

  private func order(
    _ sort: (by: Foreach.SortBy, direction: Foreach.Direction)?
  ) -> ForeachOperation.Order {
    guard let sort else { return .none }
    let descending = sort.direction == .descending
    switch sort.by {
    case .key(let index): return .key(index, descending: descending)
    case .value: return .value(descending: descending)
    case .statistic(let statistic): return .statistic(statisticField(statistic), descending: descending)
    }
  }
}

/// The IR's word for a bucket layout.
func histogramShape(_ shape: Histogram.Shape) -> HistogramShape {
  switch shape {
  case .log: .log
  case .linear(let low, let high, let step): .linear(low: low, high: high, step: step)
  }
}

/// The IR's word for an extractor.
func statisticField(_ operation: StatisticOperator) -> StatisticField {
  switch operation {
  case .count: .count
  case .sum: .sum
  case .min: .min
  case .max: .max
  case .avg: .average
  case .variance: .variance
  }
}
