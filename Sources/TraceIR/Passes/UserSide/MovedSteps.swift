import TargetModel

/// The handler of a record that does steps of a kernel-side body on the user side.
struct MovedSteps {
  private let source: Body
  private let facts: UserSideSteps
  private let advance: [ValueID: StepMover.AdvanceRead]
  /// Values that the kernel makes in any case.
  private let needs: Set<ValueID>
  private var handler = Body()
  private var instructions: [Instruction] = []
  private var known: [ValueID: Operand] = [:]
  private var locals: [LocalID: LocalID] = [:]
  /// The values of the handler that fields are loaded to.
  private var loaded: [ValueID] = []
  /// Values that the record carries, in the order of its fields.
  private(set) var captured: [ValueID] = []
  /// A value of another record would be needed.
  private(set) var isImpossible = false

  init(
    _ source: Body,
    _ facts: UserSideSteps,
    _ advance: [ValueID: StepMover.AdvanceRead],
    _ needs: Set<ValueID>
  ) {
    self.source = source
    self.facts = facts
    self.advance = advance
    self.needs = needs
  }

  /// Types of the record's fields.
  var fieldTypes: [ValueType] { captured.map { source.values[$0.index] } }

  /// The handler: fields are its first locals.
  var finished: Body {
    var body = handler
    let shift = captured.count
    body.locals = fieldTypes + handler.locals
    body.block = Block(instructions).rewriting { instruction in
      var instruction = instruction
      instruction.operation = instruction.operation.mapping(local: { LocalID($0.index + shift) })
      return [instruction]
    }
    let loads = loaded.enumerated().map { index, value in
      Instruction(.loadLocal(value, LocalID(index)))
    }
    body.block.instructions.insert(contentsOf: loads, at: 0)
    return body
  }

  /// Appends a step with all that is in it.
  mutating func add(_ number: Int) {
    let all = number..<facts.list[number].end
    for step in all {
      for case .value(let value) in facts.list[step].operation.operands
      where !all.contains(facts.list.makers[value] ?? -1) {
        gather(value)
      }
    }
    instructions += copy(number)
  }

  // MARK: Values from before

  private mutating func gather(_ value: ValueID) {
    if known[value] != nil { return }
    if let read = advance[value] {
      capture(read.value, for: value)
      return
    }
    guard let maker = facts.list.makers[value] else { return capture(value, for: value) }
    let operation = facts.list[maker].operation
    let isMoved = facts.steps.contains(maker)
    guard operation.isMovable, isMoved || !needs.contains(value) else {
      if isMoved { isImpossible = true }
      return capture(value, for: value)
    }
    for case .value(let operand) in operation.operands { gather(operand) }
    instructions.append(Instruction(translated(operation), at: facts.list[maker].instruction.location))
  }

  private mutating func capture(_ value: ValueID, for original: ValueID) {
    let inside = handler.makeValue(source.type(of: .value(value)))
    captured.append(value)
    loaded.append(inside)
    known[original] = .value(inside)
  }

  // MARK: Copies

  private mutating func copy(_ number: Int) -> [Instruction] {
    let step = facts.list[number]
    let location = step.instruction.location
    if let value = step.operation.definedValue, let read = advance[value] {
      if known[value] == nil { capture(read.value, for: value) }
      return read.failure.map { raise($0.flag, $0.message, location) } ?? []
    }
    switch step.operation {
    case .return, .next: return [Instruction(.return(nil), at: location)]
    default: break
    }
    var index = -1
    let operation = step.operation.mapping(block: { _ in
      index += 1
      return Block(facts.list.block(index, of: number).flatMap { copy($0) })
    })
    return [Instruction(translated(operation), at: location)]
  }

  /// The error that the kernel kept for the user side.
  private mutating func raise(_ flag: ValueID, _ message: ValueID, _ location: Int?) -> [Instruction] {
    for value in [flag, message] where known[value] == nil { capture(value, for: value) }
    guard let flag = known[flag], let message = known[message] else { return [] }
    let error = Instruction(.intrinsic(nil, .error, [message]), at: location)
    return [Instruction(.if(flag, then: Block([error]), else: Block()), at: location)]
  }

  /// The same operation on values and locals of the handler.
  private mutating func translated(_ operation: Operation) -> Operation {
    let result = operation.mapping(operand: { operand in
      guard case .value(let value) = operand else { return operand }
      return known[value] ?? operand
    })
    if let value = operation.definedValue, known[value] == nil {
      known[value] = .value(handler.makeValue(source.type(of: .value(value))))
    }
    return result.mapping(definition: { value in
      if case .value(let inside)? = known[value] { inside } else { value }
    }).mapping(local: { inside($0) })
  }

  private mutating func inside(_ local: LocalID) -> LocalID {
    if let known = locals[local] { return known }
    let new = handler.makeLocal(source.locals[local.index])
    locals[local] = new
    return new
  }
}
