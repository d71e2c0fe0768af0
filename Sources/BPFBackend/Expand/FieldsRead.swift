import TargetModel
import TraceIR

/// Members that lie together in the traced program's memory, fetched by one read.
///
/// The first read of a hit costs 120 to 140 ns and each further one 75, whatever its size.
struct FieldsRead {
  /// One member.
  struct Field {
    let value: ValueID
    /// From the address that all are told from.
    let offset: Int64
    let byteCount: Int
    let isSigned: Bool
    /// Who asked for it.
    let location: Int?
  }

  /// The address that all are told from.
  let base: Operand
  private(set) var fields: [Field] = []

  /// The most that one read fetches: together with what the program keeps, it must fit a frame (``FrameLayout``).
  static let mostBytes = 32

  init(_ base: Operand) { self.base = base }

  /// Where the piece begins: a multiple of 8, so that members lie on the stack as the verifier wants them.
  var start: Int64 { (fields.map(\.offset).min() ?? 0) & ~7 }

  /// A multiple of 8.
  var byteCount: Int { Int((fields.map { $0.offset + Int64($0.byteCount) }.max() ?? 0) - start + 7) & ~7 }

  /// Takes `field` in, if it is near enough and not packed.
  mutating func add(_ field: Field) -> Bool {
    // Far from where these sums could overflow.
    guard abs(field.offset) < 1 << 30, field.offset & Int64(field.byteCount - 1) == 0 else { return false }
    var joined = self
    joined.fields.append(field)
    guard joined.byteCount <= Self.mostBytes else { return false }
    self = joined
    return true
  }
}

extension ExpandedBody {
  /// Reads of members that are near each other become one, at the place of the first.
  ///
  ///     %1 = load user 8 [%0]                   %1, %3, %6 = fields user [%0 + 0, 24 bytes]
  ///     %2 = add %0, 8                          %2 = add %0, 8
  ///     %3 = load user 8 [%2]            ⇒      %4 = %1 + %3
  ///     %4 = %1 + %3                            %5 = add %0, 16
  ///     %5 = add %0, 16
  ///     %6 = load user 4 [%5]
  ///
  /// Between them only what neither faults nor shows: a read that fails does so before and after the same things.
  ///
  /// - Returns: nil when there is nothing to join.
  func joiningReads() -> ExpandedBody? {
    var body = self
    var joiner = ReadJoiner()
    body.steps = joiner.join(steps, isAttempt: false)
    return joiner.hasJoined ? body : nil
  }
}

private struct ReadJoiner {
  /// Sums of a value and a constant.
  private var sums: [ValueID: (base: Operand, offset: Int64)] = [:]
  private(set) var hasJoined = false

  /// `isAttempt`: somebody may see the locals after a fault.
  mutating func join(_ steps: [Step], isAttempt: Bool) -> [Step] {
    var result: [Step] = []
    var open: (read: FieldsRead, places: [Int])?
    func close(_ result: inout [Step]) {
      guard let (read, places) = open, read.fields.count > 1 else { return open = nil }
      hasJoined = true
      result[places[0]] = Step(action: .readFields(read), location: read.fields[0].location)
      for place in places.dropFirst().reversed() { result.remove(at: place) }
      open = nil
    }
    for step in steps {
      note(step.action)
      if let (base, field) = field(of: step) {
        let joins = open?.read.base == base && open?.read.add(field) ?? false
        if !joins {
          close(&result)
          var read = FieldsRead(base)
          if read.add(field) { open = (read, []) }
        }
        open?.places.append(result.count)
      } else if !step.action.isSilent(isAttempt: isAttempt) {
        close(&result)
      }
      var step = step
      step.action = step.action.mapping { join($0, isAttempt: isAttempt || $1) }
      result.append(step)
    }
    close(&result)
    return result
  }

  private mutating func note(_ action: Action) {
    guard case .machine(let value, .binary(.add, let left, .long(let offset))) = action else { return }
    let (base, first) = place(left)
    sums[value] = (base, first &+ offset)
  }

  private func place(_ address: Operand) -> (base: Operand, offset: Int64) {
    if case .value(let value) = address, let sum = sums[value] { return sum }
    return (address, 0)
  }

  private func field(of step: Step) -> (base: Operand, field: FieldsRead.Field)? {
    guard case .machine(let value, .load(.user, let byteCount, let isSigned, let address)) = step.action,
      case (.value(let base), let offset) = place(address)
    else { return nil }
    let field = FieldsRead.Field(
      value: value,
      offset: offset,
      byteCount: byteCount,
      isSigned: isSigned,
      location: step.location
    )
    return (.value(base), field)
  }
}

extension Action {
  /// Whether it cannot fail and nobody sees what it does if the next thing fails.
  fileprivate func isSilent(isAttempt: Bool) -> Bool {
    switch self {
    case .machine(_, let operation): !operation.mayFault
    case .operation(.binary(_, let kind, _, _)): kind != .divide && kind != .remainder
    case .operation(.unary), .operation(.loadLocal): true
    case .operation(.storeLocal): !isAttempt
    default: false
    }
  }

  /// The same with other steps inside; `change` is told whether faults of them are caught here.
  fileprivate func mapping(_ change: ([Step], _ isAttempt: Bool) -> [Step]) -> Action {
    switch self {
    case .branch(let condition, let then, let other):
      .branch(condition, then: change(then, false), else: change(other, false))
    case .loop(let condition, let operand, let body, let step, let budget):
      .loop(
        condition: change(condition, false),
        operand,
        body: change(body, false),
        step: change(step, false),
        budget: budget
      )
    case .scope(let number, let steps): .scope(number, change(steps, false))
    case .attempt(let steps, let message, let handler):
      .attempt(change(steps, true), message: message, handler: change(handler, false))
    case .operation, .machine, .readFields, .emit, .control, .walk, .leave, .breakLoop, .continueLoop,
      .finish, .fault, .activate, .recurse:
      self
    }
  }
}
