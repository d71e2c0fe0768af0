import TargetModel
import TraceIR

/// Strings that are read from memory right into the key that they are for, which saves a copy at every hit.
///
///     %0 = user_string %a          the text goes into the key's field of scratch memory, not into a slot;
///     add @n[%0], 1                what is longer there from the hit before is cleared
///
/// A slot and a field look alike, length first, so that whoever else reads the string finds it there, too. It must be
/// the only thing that the body ever puts into that field: nothing else may come there while the string is needed.
struct KeyHomes: StepVisitor {
  /// Positions in scratch memory.
  private(set) var offsets: [ValueID: Int] = [:]

  /// A string in the key of an array.
  private struct Field: Hashable {
    let global: GlobalID
    let column: Int
  }

  private let module: ModuleLayout
  /// Most bytes of the strings that can be read right where they belong.
  private var lengths: [ValueID: Int] = [:]
  private var contents: [Field: Set<Operand>] = [:]

  init(_ body: ExpandedBody, _ module: ModuleLayout) {
    self.module = module
    visit(body.steps)
    let ofRecursions = body.regions.map(\.values)
    // In the order of fields, so that the same program gets the same code each time.
    let fields = contents.sorted {
      ($0.key.global.index, $0.key.column) < ($1.key.global.index, $1.key.column)
    }
    for (field, operands) in fields {
      guard operands.count == 1, case .value(let value)? = operands.first, let length = lengths[value],
        offsets[value] == nil, !ofRecursions.contains(where: { $0.contains(value.index) }),
        let offset = offset(of: field, length)
      else { continue }
      offsets[value] = offset
    }
  }

  /// Where the field is, if there is room for the string and for the NUL that the kernel writes behind it.
  private func offset(of field: Field, _ length: Int) -> Int? {
    guard let table = module.tables[field.global.index], let start = table.keyOffset else { return nil }
    let offset = table.key.offsets[field.column]
    var end = table.key.end(of: field.column)
    if end == table.key.byteCount { end += ModuleLayout.keySlack }
    return offset + 4 + length + 1 <= end ? start + offset : nil
  }

  mutating func willVisit(_ step: Step) {
    switch step.action {
    case .operation(.intrinsic(let result?, let intrinsic, let operands)):
      guard [.userString, .kernelString].contains(intrinsic) else { return }
      let capacity = module.field.capacity
      if case .long(let limit) = operands[1] {
        lengths[result] = Int(min(max(limit, 0), Int64(capacity)))
      } else {
        lengths[result] = capacity
      }
    // The kernel fills 16 bytes, the last of them a NUL, with zeros behind the name.
    case .machine(let result, .commandName): lengths[result] = 15
    case .operation(let operation): note(operation)
    default: break
    }
  }

  private mutating func note(_ operation: Operation) {
    guard let global = operation.global, let table = module.tables[global.index] else { return }
    for (column, key) in operation.keys.enumerated() where table.key.types[column] == .string {
      // A slice's keys go elsewhere.
      if let key { contents[Field(global: global, column: column), default: []].insert(key) }
    }
  }
}

extension Operation {
  /// The keys of the element or slice that it is about.
  fileprivate var keys: [Operand?] {
    switch self {
    case .loadElement(_, _, let keys), .storeElement(_, let keys, _), .addElement(_, _, let keys, _),
      .aggregate(_, let keys, _):
      keys
    case .contains(_, _, let keys), .delete(_, let keys), .extract(_, _, _, let keys),
      .histogramBucket(_, _, _, let keys, _), .packHistogram(_, _, _, let keys, _, _):
      keys
    default: []
    }
  }
}
