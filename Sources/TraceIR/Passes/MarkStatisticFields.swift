/// Finds out what is read of statistics anywhere in the script, since a hit need not keep the rest.
///
///     global @s: statistic                  ⇒     global @s: statistic, avg
///     %0 = extract @s avg
///
/// A histogram alone needs none of the fields: its buckets tell whether it is empty.
package let markStatisticFields = Pass("mark-statistic-fields") { program in
  var program = program
  var asked = [Set<StatisticField>](repeating: [], count: program.globals.count)
  program.forEachInstruction { instruction in
    switch instruction.operation {
    case .extract(_, let field, let global, _): asked[global.index].insert(field)
    case .foreach(let walk): asked[walk.global.index].formUnion(walk.fieldsAsked)
    default: break
    }
  }
  for index in program.globals.indices {
    program.globals[index].statistics.fields = StatisticField.allCases.filter(asked[index].contains)
  }
  return program
}

extension ForeachOperation {
  /// What is asked of each element if it is a statistic: what it is ordered by, and the count as its value.
  fileprivate var fieldsAsked: Set<StatisticField> {
    guard histogram == nil else { return [] }
    let shown: Set<StatisticField> = value == nil ? [] : [.count]
    return switch order {
    case .none, .key: shown
    case .value: [.count]
    case .statistic(let field, _): shown.union([field])
    }
  }
}
