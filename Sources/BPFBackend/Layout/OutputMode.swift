import TraceIR

/// How a program sends its records.
enum OutputMode: Hashable {
  case none
  /// At most one record a hit, of a fixed size: written straight into the ring.
  case direct
  /// At most one record a hit, with strings: put together in scratch memory, sent at once.
  case single(capacity: Int)
  /// Any number: collected in scratch memory, sent at the end of the hit or when the buffer is full.
  case buffered(capacity: Int)

  /// Bytes that records may fill.
  var capacity: Int {
    switch self {
    case .none, .direct: 0
    case .single(let capacity), .buffered(let capacity): capacity
    }
  }

  /// Bytes set aside: a power of two, so that a mask shows the verifier that a cursor stays inside.
  var bufferByteCount: Int { capacity == 0 ? 0 : (capacity + 1).roundedUpToPowerOfTwo }

  init(_ steps: [Step], _ program: TraceProgram) {
    var records: Set<RecordID> = []
    let count = Self.mostRecords(steps, &records)
    let layouts = records.map { program.records[$0.index] }
    guard count > 0, !layouts.isEmpty else {
      self = .none
      return
    }
    let largest = layouts.map { RecordWire.maximumByteCount($0.fields, program.limits) }.max() ?? 0
    let isFixed = layouts.allSatisfy { !$0.fields.contains(.string) }
    switch (count, isFixed) {
    case (1, true): self = .direct
    case (1, false): self = .single(capacity: largest)
    default: self = .buffered(capacity: largest + max(1024, largest * min(3, count - 1)))
    }
  }

  /// The most records on any path; a loop counts as many.
  private static func mostRecords(_ steps: [Step], _ records: inout Set<RecordID>) -> Int {
    var count = 0
    for step in steps {
      switch step.action {
      case .emit(let record, _, _):
        records.insert(record)
        count += 1
      case .branch(_, let then, let other):
        count += max(mostRecords(then, &records), mostRecords(other, &records))
      case .loop(let condition, _, let body, let step, _):
        count += 16 * mostRecords(condition + body + step, &records)
      case .scope(_, let steps): count += mostRecords(steps, &records)
      case .attempt(let steps, _, let handler):
        count += mostRecords(steps, &records) + mostRecords(handler, &records)
      case .activate(let recursion):
        count += 16 * mostRecords(recursion.functions.flatMap(\.steps), &records)
      default: break
      }
    }
    return count
  }
}

extension Int {
  /// The smallest power of two that is not less.
  var roundedUpToPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
