import TargetModel

/// Builds a record's handler: gathers what a print needs, by copying what may move and capturing the rest.
struct HandlerBuilder {
  private let source: Body
  private let needs: KernelNeeds
  private var handler = Body()
  private var instructions: [Instruction] = []
  /// Operands of the handler for values of the probe.
  private var gathered: [ValueID: Operand] = [:]
  /// Locals of the handler for locals of a moved `?:`.
  private var movedLocals: [LocalID: LocalID] = [:]
  /// Values that the record carries, in the order of its fields.
  private(set) var captured: [ValueID] = []

  init(_ source: Body, _ needs: KernelNeeds) {
    self.source = source
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
      // The fields come first; how many there are is known only now.
      instruction.operation = instruction.operation.mapping(local: { LocalID($0.index + shift) })
      return [instruction]
    }
    let loads = captured.enumerated().map { index, value in
      Instruction(.loadLocal(fieldValue(value), LocalID(index)))
    }
    body.block.instructions.insert(contentsOf: loads, at: 0)
    return body
  }

  private func fieldValue(_ value: ValueID) -> ValueID {
    guard case .value(let inside)? = gathered[value] else {
      preconditionFailure("a captured value has been given a value in the handler")
    }
    return inside
  }

  /// Appends the operation that prints.
  mutating func add(_ operation: Operation, _ location: Int?) {
    instructions.append(Instruction(operation, at: location))
  }

  /// What stands for `operand` in the handler.
  mutating func gather(_ operand: Operand) -> Operand {
    guard case .value(let value) = operand else { return operand }
    if let known = gathered[value] { return known }
    let moved = needs.contains(value) ? nil : move(value)
    let result = moved ?? capture(value)
    gathered[value] = result
    return result
  }

  /// Makes a field for a value of the probe; `finished` adds the load from it.
  private mutating func capture(_ value: ValueID) -> Operand {
    captured.append(value)
    return .value(handler.makeValue(source.type(of: .value(value))))
  }

  /// Copies the making of a value; nil when it must stay.
  private mutating func move(_ value: ValueID) -> Operand? {
    guard let origin = needs.origin(of: value) else { return nil }
    switch origin {
    case .operation(let operation): return operation.isMovable ? copy(operation, value) : nil
    case .copy(let operand): return gather(operand)
    case .branch(let branch, let local): return moveBranch(branch, local)
    }
  }

  private mutating func copy(_ operation: Operation, _ value: ValueID) -> Operand {
    let operation = operation.mapping(operand: { gather($0) })
    let inside = handler.makeValue(source.type(of: .value(value)))
    instructions.append(Instruction(operation.mapping(definition: { _ in inside })))
    return .value(inside)
  }

  /// Copies an `if` that only chooses what `local` holds, and loads it.
  private mutating func moveBranch(_ branch: Operation, _ local: LocalID) -> Operand? {
    guard needs.canMove(branch, setting: local) else { return nil }
    gatherOutside(branch)
    let moved = moveInside(branch)
    instructions.append(Instruction(moved))
    let value = handler.makeValue(source.locals[local.index])
    instructions.append(Instruction(.loadLocal(value, inside(local))))
    return .value(value)
  }

  /// Makes everything available that the branch takes from before it.
  private mutating func gatherOutside(_ branch: Operation) {
    var made: Set<ValueID> = []
    var used: [Operand] = branch.operands
    for block in branch.blocks {
      block.forEach { instruction in
        if let value = instruction.operation.definedValue { made.insert(value) }
        used += instruction.operation.operands
      }
    }
    for case .value(let value) in used where !made.contains(value) { _ = gather(.value(value)) }
  }

  private mutating func moveInside(_ operation: Operation) -> Operation {
    var result = operation.mapping(block: { block in
      Block(block.instructions.map { Instruction(moveInside($0.operation), at: $0.location) })
    })
    result = result.mapping(operand: { operand in
      guard case .value(let value) = operand else { return operand }
      return gathered[value] ?? operand
    })
    if let value = operation.definedValue {
      let inside = handler.makeValue(source.type(of: .value(value)))
      gathered[value] = .value(inside)
      result = result.mapping(definition: { _ in inside })
    }
    return result.mapping(local: { inside($0) })
  }

  private mutating func inside(_ local: LocalID) -> LocalID {
    if let known = movedLocals[local] { return known }
    let new = handler.makeLocal(source.locals[local.index])
    movedLocals[local] = new
    return new
  }
}
