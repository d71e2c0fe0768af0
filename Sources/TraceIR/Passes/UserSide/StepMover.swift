import TargetModel

/// Takes the steps of the user side out of a body, and puts in what sends records of them.
struct StepMover {
  private var body: Body
  private let facts: UserSideSteps
  private let firstRecord: Int
  private(set) var records: [RecordLayout] = []
  /// What the kernel read beforehand for steps that move.
  private(set) var advance: [ValueID: AdvanceRead] = [:]
  private let needs: Set<ValueID>
  private var failed = false

  /// A value that the kernel made before the user side asked for it.
  struct AdvanceRead {
    var value: ValueID
    /// Where making it may fail: not 0 if it did, and the message.
    var failure: (flag: ValueID, message: ValueID)?
  }

  init(_ body: Body, _ facts: UserSideSteps, firstRecord: Int) {
    self.body = body
    self.facts = facts
    self.firstRecord = firstRecord
    needs = Self.kernelNeeds(facts)
  }

  /// The body without them; nil when a value would be needed on both sides.
  mutating func move() -> Body? {
    body.block = move(facts.list.block(0, of: nil))
    return failed ? nil : body
  }

  /// Values that stay, because something that stays takes them.
  private static func kernelNeeds(_ facts: UserSideSteps) -> Set<ValueID> {
    var needs: Set<ValueID> = []
    for number in facts.list.steps.indices.reversed() where !facts.steps.contains(number) {
      let operation = facts.list[number].operation
      if operation.isMovable, let value = operation.definedValue, !needs.contains(value) { continue }
      for case .value(let value) in operation.operands { needs.insert(value) }
    }
    return needs
  }

  // MARK: Blocks

  private mutating func move(_ numbers: [Int]) -> Block {
    var output: [Instruction] = []
    /// Steps of the user side that have not been sent.
    var group: [Int] = []
    for number in numbers {
      if facts.steps.contains(number) {
        if facts.conditional.contains(number) { readAhead(number, &output) }
        for inner in facts.list.inside(number) { readAhead(inner, &output) }
        group.append(number)
        continue
      }
      if isBarrier(number) { send(&group, &output) }
      var instruction = facts.list[number].instruction
      var index = -1
      instruction.operation = instruction.operation.mapping(block: { _ in
        index += 1
        return move(facts.list.block(index, of: number))
      })
      output.append(instruction)
    }
    send(&group, &output)
    return Block(output)
  }

  /// Whether what comes before must have been sent when it runs: it may end the probe, or sends something itself.
  private func isBarrier(_ number: Int) -> Bool {
    (number..<facts.list[number].end).contains { inner in
      let operation = facts.list[inner].operation
      return facts.steps.contains(inner) || operation.isEnd || operation.mayFault || operation.isPrint
    }
  }

  private mutating func send(_ group: inout [Int], _ output: inout [Instruction]) {
    let hasEffect = group.contains { number in
      (number..<facts.list[number].end).contains { facts.list[$0].operation.hasEffect }
    }
    guard hasEffect else { return }
    var handler = MovedSteps(body, facts, advance, needs)
    for number in group { handler.add(number) }
    if handler.isImpossible { failed = true }
    let layout = RecordLayout(fields: handler.fieldTypes, handler: handler.finished)
    let record = RecordID(firstRecord + records.count)
    records.append(layout)
    let location = group.last.flatMap { facts.list[$0].instruction.location }
    output.append(Instruction(.emit(record, handler.captured.map { .value($0) }), at: location))
    group = []
  }

  // MARK: Reading ahead

  /// Makes in the kernel what a step that moves can only get there.
  private mutating func readAhead(_ number: Int, _ output: inout [Instruction]) {
    let step = facts.list[number]
    guard let value = step.operation.definedValue, !facts.values.contains(value), advance[value] == nil,
      step.operation.isOfTheHit
    else { return }
    let operation = step.operation.mapping(operand: { kernelOperand($0, &output) })
    let result = body.makeValue(body.type(of: .value(value)))
    let read = Instruction(operation.mapping(definition: { _ in result }), at: step.instruction.location)
    guard operation.mayFault else {
      output.append(read)
      advance[value] = AdvanceRead(value: result)
      return
    }
    advance[value] = attempt(read, result, &output)
  }

  /// Keeps a fault for the user side, which raises it where the script would have got it.
  private mutating func attempt(
    _ read: Instruction,
    _ result: ValueID,
    _ output: inout [Instruction]
  ) -> AdvanceRead {
    let type = body.type(of: .value(result))
    let (flag, message, kept) = (body.makeLocal(.long), body.makeLocal(.string), body.makeLocal(type))
    func at(_ operation: Operation) -> Instruction { Instruction(operation, at: read.location) }
    output.append(at(.storeLocal(flag, .long(0))))
    output.append(
      at(
        .tryCatch(
          Block([read, at(.storeLocal(kept, .value(result)))]),
          message: message,
          handler: Block([at(.storeLocal(flag, .long(1)))])
        )
      )
    )
    let values = [body.makeValue(.long), body.makeValue(.string), body.makeValue(type)]
    for (value, local) in zip(values, [flag, message, kept]) { output.append(at(.loadLocal(value, local))) }
    return AdvanceRead(value: values[2], failure: (values[0], values[1]))
  }

  /// The operand of a step that is done ahead: made ahead as well where it moves.
  private mutating func kernelOperand(_ operand: Operand, _ output: inout [Instruction]) -> Operand {
    guard case .value(let value) = operand else { return operand }
    if let known = advance[value] { return .value(known.value) }
    guard let maker = facts.list.makers[value], facts.steps.contains(maker) else { return operand }
    let step = facts.list[maker]
    guard step.operation.isMovable, !facts.values.contains(value) else {
      failed = true
      return operand
    }
    let operation = step.operation.mapping(operand: { kernelOperand($0, &output) })
    let copy = body.makeValue(body.type(of: operand))
    output.append(
      Instruction(operation.mapping(definition: { _ in copy }), at: step.instruction.location)
    )
    return .value(copy)
  }
}

extension Operation {
  /// Whether the kernel has to do it where the probe was hit.
  fileprivate var isOfTheHit: Bool {
    switch self {
    case .context, .formatSite: !isMovable
    case .read, .loadEntry, .loadLocal: true
    case .intrinsic(_, let intrinsic, _): intrinsic.isOfTheHit
    default: readsOneElement
    }
  }

  /// Whether it may raise an error of the script.
  fileprivate var mayFault: Bool {
    switch self {
    case .binary: !isMovable
    case .storeElement, .addElement, .aggregate, .histogramBucket, .loop, .foreach, .call: true
    case .extract(_, let field, _, _): field != .count
    case .read(_, let plan, _): plan.loadsMemory
    case .intrinsic(_, let intrinsic, _): intrinsic.mayFault
    default: false
    }
  }

  /// Whether it sends something itself.
  fileprivate var isPrint: Bool {
    switch self {
    case .print, .printHistogram: true
    case .format(_, let format, _): format.readsMemory
    default: false
    }
  }
}

extension Intrinsic {
  /// Whether it may raise an error of the script, or ends the probe.
  fileprivate var mayFault: Bool {
    switch self {
    case .userString, .userStringQuoted, .userBufferQuoted, .userBytes, .userRead, .kernelString, .kernelRead,
      .kernelBytes, .userWrite, .stringat, .matched, .ngroups, .register, .uRegister, .error, .abort:
      true
    default: false
    }
  }
}
