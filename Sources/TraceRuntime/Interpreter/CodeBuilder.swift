import TargetModel
import TraceIR

/// Turns a body into steps: values and locals become slots, blocks become jumps.
struct CodeBuilder {
  private(set) var steps: [Step] = []
  private(set) var longConstants: [Int64] = []
  private(set) var stringConstants: [ByteString] = []
  var text: [UInt8] = []
  var directives: [PrintfDirective] = []
  private(set) var operations: [ComplexOperation] = []
  private(set) var tries: [TryRange] = []
  private(set) var localSlots: [Slot] = []
  private(set) var longCount = 0
  private(set) var stringCount = 0
  private(set) var localLongCount = 0
  private(set) var localStringCount = 0
  private(set) var iteratorCount = 0

  private var valueSlots: [Slot] = []
  private var knownLongs: [Int64: Int32] = [:]
  private var knownStrings: [String: Int32] = [:]
  /// Jumps to the end and to the next round of the loops around, innermost last.
  private var breaks: [[Int]] = []
  private var continues: [[Int]] = []
  private var location: Int32 = -1

  /// Compiles `body`.
  init(_ body: Body) throws(RegexError) {
    localSlots = body.locals.map { makeSlot($0) }
    localLongCount = longCount
    localStringCount = stringCount
    valueSlots = body.values.map { makeSlot($0) }
    try build(body.block)
    add(.returnNothing)
  }

  private mutating func makeSlot(_ type: ValueType) -> Slot {
    switch type {
    case .long:
      longCount += 1
      return .long(Int32(longCount - 1))
    case .string:
      stringCount += 1
      return .string(Int32(stringCount - 1))
    }
  }

  // MARK: Slots

  func slot(_ value: ValueID) -> Slot { valueSlots[value.index] }

  func slot(_ local: LocalID) -> Slot { localSlots[local.index] }

  /// The number of a long value's slot.
  func number(_ value: ValueID) -> Int32 { slot(value).number }

  mutating func slot(_ operand: Operand) -> Slot {
    switch operand {
    case .value(let value): return slot(value)
    case .long(let constant):
      if let known = knownLongs[constant] { return .long(known) }
      longConstants.append(constant)
      knownLongs[constant] = Int32(-longConstants.count)
      return .long(Int32(-longConstants.count))
    case .string(let constant):
      if let known = knownStrings[constant] { return .string(known) }
      stringConstants.append(ByteString(constant))
      knownStrings[constant] = Int32(-stringConstants.count)
      return .string(Int32(-stringConstants.count))
    }
  }

  mutating func number(_ operand: Operand) -> Int32 { slot(operand).number }

  mutating func slots(_ operands: [Operand]) -> [Slot] { operands.map { slot($0) } }

  mutating func slots(_ pattern: [Operand?]) -> [Slot?] { pattern.map { $0.map { slot($0) } } }

  // MARK: Steps

  mutating func add(_ opcode: Opcode, _ a: Int32 = 0, _ b: Int32 = 0, _ c: Int32 = 0) {
    steps.append(Step(opcode: opcode, a: a, b: b, c: c, location: location))
  }

  mutating func add(_ operation: ComplexOperation) {
    operations.append(operation)
    add(.perform, Int32(operations.count - 1))
  }

  private mutating func build(_ block: Block) throws(RegexError) {
    for instruction in block.instructions {
      location = Int32(instruction.location ?? -1)
      try build(instruction.operation)
    }
  }

  private mutating func build(_ operation: Operation) throws(RegexError) {
    switch operation {
    case .loadLocal(let value, let local): move(from: slot(local), to: slot(value))
    case .storeLocal(let local, let operand): move(from: slot(operand), to: slot(local))
    case .unary(let value, let kind, let operand): add(kind.opcode, number(value), number(operand))
    case .binary(let value, let kind, let left, let right):
      add(kind.opcode, number(value), number(left), number(right))
    case .format(let value, let format, let operands):
      add(.beginFormat)
      print(format, operands)
      add(.endFormat, number(value))
    case .print(let format, let operands): print(format, operands)
    case .matchRegex(let value, let operand, let pattern):
      add(.matchRegex(number(value), number(operand), try RegexTable.compiled(pattern)))
    case .if, .loop, .foreach, .break, .continue, .tryCatch: try buildControl(operation)
    case .return(let operand): buildReturn(operand)
    case .next: add(.next)
    case .call(let value, let function, let operands):
      operations.append(.call(value.map { slot($0) }, function, slots(operands)))
      add(.call, Int32(operations.count - 1))
    default: buildComplex(operation)
    }
  }

  private mutating func move(from source: Slot, to destination: Slot) {
    switch destination {
    case .long(let number): add(.moveLong, number, source.number)
    case .string(let number): add(.moveString, number, source.number)
    }
  }

  private mutating func buildReturn(_ operand: Operand?) {
    switch operand.map({ slot($0) }) {
    case .long(let number): add(.returnLong, number)
    case .string(let number): add(.returnString, number)
    case nil: add(.returnNothing)
    }
  }

  // MARK: Control flow

  private mutating func buildControl(_ operation: Operation) throws(RegexError) {
    switch operation {
    case .if(let condition, let then, let otherwise): try buildIf(condition, then, otherwise)
    case .loop(let condition, let operand, let body, let step):
      try buildLoop(condition, operand, body, step)
    case .foreach(let walk): try buildForeach(walk)
    case .break: breaks[breaks.count - 1].append(jump())
    case .continue: continues[continues.count - 1].append(jump())
    case .tryCatch(let body, let message, let handler): try buildTry(body, message, handler)
    default: break
    }
  }

  /// A jump whose target is set later.
  private mutating func jump() -> Int {
    add(.jump)
    return steps.count - 1
  }

  private mutating func land(_ jumps: [Int]) { for index in jumps { steps[index].a = Int32(steps.count) } }

  private mutating func buildIf(
    _ condition: Operand,
    _ then: Block,
    _ otherwise: Block
  ) throws(RegexError) {
    add(.jumpIfZero, number(condition))
    let toElse = steps.count - 1
    try build(then)
    if otherwise.instructions.isEmpty {
      steps[toElse].b = Int32(steps.count)
      return
    }
    let toEnd = jump()
    steps[toElse].b = Int32(steps.count)
    try build(otherwise)
    land([toEnd])
  }

  private mutating func buildLoop(
    _ condition: Block,
    _ operand: Operand,
    _ body: Block,
    _ step: Block
  ) throws(RegexError) {
    let top = steps.count
    let start = location
    try build(condition)
    add(.jumpIfZero, number(operand))
    let exit = steps.count - 1
    location = start
    add(.charge)
    try buildRounds(body)
    land(continues.removeLast())
    try build(step)
    add(.jump, Int32(top))
    steps[exit].b = Int32(steps.count)
    land(breaks.removeLast())
  }

  private mutating func buildRounds(_ body: Block) throws(RegexError) {
    breaks.append([])
    continues.append([])
    try build(body)
  }

  private mutating func buildForeach(_ walk: ForeachOperation) throws(RegexError) {
    let plan = ForeachPlan(
      global: walk.global,
      slice: slots(walk.slice),
      keys: walk.keys.map { slot($0) },
      value: walk.value.map { slot($0) },
      order: walk.order,
      limit: walk.limit.map { number($0) },
      histogram: walk.histogram,
      iterator: iteratorCount
    )
    iteratorCount += 1
    add(.foreach(plan))
    let index = Int32(operations.count - 1)
    let top = steps.count
    add(.foreachNext, index)
    add(.charge)
    try buildRounds(walk.body)
    land(continues.removeLast())
    add(.jump, Int32(top))
    steps[top].b = Int32(steps.count)
    land(breaks.removeLast())
  }

  private mutating func buildTry(
    _ body: Block,
    _ message: LocalID?,
    _ handler: Block
  ) throws(RegexError) {
    let start = steps.count
    try build(body)
    let toEnd = jump()
    let end = steps.count
    tries.append(TryRange(range: start..<end, handler: end, message: message.map { slot($0).number }))
    try build(handler)
    land([toEnd])
  }
}

extension Slot {
  /// The slot without its type.
  var number: Int32 {
    switch self {
    case .long(let number), .string(let number): number
    }
  }
}

extension UnaryOperation {
  fileprivate var opcode: Opcode {
    switch self {
    case .negate: .negate
    case .complement: .complement
    case .not: .not
    }
  }
}

extension BinaryOperation {
  fileprivate var opcode: Opcode {
    switch self {
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    case .divide: .divide
    case .remainder: .remainder
    case .and: .and
    case .or: .or
    case .xor: .xor
    case .shiftLeft: .shiftLeft
    case .shiftRight: .shiftRight
    case .shiftRightLogical: .shiftRightLogical
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    }
  }
}
