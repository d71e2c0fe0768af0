import Diagnostics
import Elaboration
import TargetModel
import TraceIR

extension Lowering {
  /// An `end` probe after all others that shows the globals that the script writes and never reads
  /// (stap(1), "Automatic printing of global variables"): `n=5`, `s="x"`, `a["k",1]=2` largest first,
  /// `t @count=… @min=… @max=… @sum=… @avg=…`.
  mutating func displayProbe(for globals: [Global]) -> Probe? {
    let shown = program.globals.indices.filter { program.globals[$0].isShownAtEnd }
    guard !shown.isEmpty else { return nil }
    var builder = BodyBuilder(locals: [], locations: locations, limits)
    for index in shown { builder.display(GlobalID(index), globals[index], at: program.globals[index].range) }
    return Probe(name: "end", trigger: .end(order: .max), body: builder.finish())
  }
}

extension BodyBuilder {
  fileprivate mutating func display(_ id: GlobalID, _ global: Global, at range: SourceRange) {
    switch global.kind {
    case .scalar(let type):
      let value = emit(type, at: range) { .loadGlobal($0, id) }
      emit(.print(FormatString([.text("\(global.name)=")] + hole(type) + [.text("\n")]), [value]), at: range)
    case .statistic: displayStatistic(id, global.name, [], [], at: range)
    case .array(let keys, let value): displayArray(id, global, keys, value, at: range)
    case .statisticArray(let keys): displayArray(id, global, keys, nil, at: range)
    }
  }

  /// `value` nil: an array of statistics.
  private mutating func displayArray(
    _ id: GlobalID,
    _ global: Global,
    _ keys: [ValueType],
    _ value: ValueType?,
    at range: SourceRange
  ) {
    let keyLocals = keys.map { newLocal($0) }
    let valueLocal = newLocal(value ?? .long)
    let holes = keys.map { hole($0) }
    let label =
      [FormatString.Piece.text("\(global.name)[")] + Array(holes.joined(separator: [.text(",")]))
      + [.text("]")]
    let (body, _) = block { builder in
      let keyValues = zip(keyLocals, keys).map { local, type in
        builder.emit(type, at: range) { .loadLocal($0, local) }
      }
      guard let value else {
        return builder.displayStatistic(id, nil, label, keyValues, at: range)
      }
      let shown = builder.emit(value, at: range) { .loadLocal($0, valueLocal) }
      let format = FormatString(label + [.text("=")] + hole(value) + [.text("\n")])
      builder.emit(.print(format, keyValues + [shown]), at: range)
    }
    let order: ForeachOperation.Order =
      value == nil ? .statistic(.count, descending: true) : .value(descending: true)
    emit(
      .foreach(
        ForeachOperation(
          global: id,
          slice: [],
          keys: keyLocals,
          value: valueLocal,
          order: order,
          limit: nil,
          histogram: nil,
          body: body
        )
      ),
      at: range
    )
  }

  private mutating func displayStatistic(
    _ id: GlobalID,
    _ name: String?,
    _ label: [FormatString.Piece],
    _ keys: [Operand],
    at range: SourceRange
  ) {
    let head = label + (name.map { [.text($0)] } ?? [])
    let count = emit(.long, at: range) { .extract($0, .count, id, keys) }
    let (full, _) = block { builder in
      let fields: [StatisticField] = [.count, .min, .max, .sum, .average]
      let values = fields.map { field in
        builder.emit(.long, at: range) { .extract($0, field, id, keys) }
      }
      let pieces = fields.flatMap { [.text(" @\($0.rawValue)=")] + hole(.long) }
      builder.emit(.print(FormatString(head + pieces + [.text("\n")]), keys + values), at: range)
    }
    let (empty, _) = block { builder in
      builder.emit(.print(FormatString(head + [.text(" @count=0\n")]), keys), at: range)
    }
    emit(.if(count, then: full, else: empty), at: range)
  }
}

/// A directive for a value; strings stand in quotes.
private func hole(_ type: ValueType) -> [FormatString.Piece] {
  let directive = FormatString.Directive(
    flag: nil,
    width: .none,
    precision: .none,
    conversion: type == .long ? .decimal : .string
  )
  return type == .long ? [.directive(directive)] : [.text("\""), .directive(directive), .text("\"")]
}
