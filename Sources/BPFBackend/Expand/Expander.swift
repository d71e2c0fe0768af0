import TargetModel
import TraceIR

/// Turns a probe's body into steps: calls inlined, plans and context reads taken apart and numbered, so that
/// what is asked twice is fetched once.
struct Expander {
  let program: TraceProgram
  let target: BPFTarget
  let facts: ProbeFacts
  var body = ExpandedBody()
  /// Results that are known where the expander stands.
  var numbering: [MachineOperation: Operand] = [:]
  /// Strings that were read from memory before, with what was asked.
  var readTexts: [TextRead: Operand] = [:]
  /// Columns of the site table, in the order of first use.
  var siteColumns: [SiteText]
  /// The innermost `foreach` around of each class of rows, in this function.
  var walksAround: [RowClass: WalkAround] = [:]
  private var scopeCount = 0
  private var budget: LocalID?
  /// The recursion that is being expanded.
  var draft: RecursionDraft?
  private let recursive: Set<Int>
  /// The script changes memory of the program: what was read before may not be true any more.
  let writesMemory: Bool

  init(
    _ program: TraceProgram,
    _ survey: ProgramSurvey,
    target: BPFTarget,
    facts: ProbeFacts,
    siteColumns: [SiteText]
  ) {
    self.program = program
    self.target = target
    self.facts = facts
    self.siteColumns = siteColumns
    recursive = survey.recursiveFunctions
    writesMemory = survey.writesUserMemory
  }

  /// Expands a whole body.
  mutating func expandProbe(_ source: Body) throws(BPFBackendError) -> ExpandedBody {
    var frame = InlineFrame(source)
    var starts: [Step] = []
    for type in source.locals { frame.locals.append(.local(makeLocal(type))) }
    let steps = try expand(source.block, &frame)
    let needsStart = steps.localsNeedingStart(among: body.locals.count)
    for case .local(let local) in frame.locals where needsStart[local.index] { starts.append(clear(local)) }
    if let budget { starts.append(clear(budget)) }
    body.steps = starts + steps
    return body
  }

  mutating func expand(_ block: Block, _ frame: inout InlineFrame) throws(BPFBackendError) -> [Step] {
    let outside = (numbering, readTexts)
    var steps: [Step] = []
    for instruction in block.instructions { try expand(instruction, &frame, into: &steps) }
    (numbering, readTexts) = outside
    return steps
  }

  private mutating func expand(
    _ instruction: Instruction,
    _ frame: inout InlineFrame,
    into steps: inout [Step]
  ) throws(BPFBackendError) {
    let location = instruction.location
    switch instruction.operation {
    case .next: steps.append(Step(action: frame.next, location: frame.nextPlace ?? location))
    case .if, .loop, .foreach, .break, .continue, .return, .tryCatch:
      let action = try expandControl(instruction.operation, location, &frame, into: &steps)
      steps.append(Step(action: action, location: location))
    case .call(let result, let function, let operands):
      try inline(function, frame.map(operands), result, location, &frame, into: &steps)
    case .read(let result, let plan, let inputs):
      let inputs = frame.map(inputs)
      frame.values[result.index] = try expand(plan, inputs, location, into: &steps)
    case .context(let result, let field, let plan):
      frame.values[result.index] = try expand(field, plan, location, into: &steps)
    case .loadLocal(let result, let local):
      if case .fixed(let operand) = frame.locals[local.index] {
        frame.values[result.index] = operand
      } else {
        steps.append(Step(action: .operation(rename(instruction.operation, &frame)), location: location))
      }
    case .intrinsic(let result, let intrinsic, let operands):
      let operands = frame.map(operands)
      let action = try expand(intrinsic, result, operands, location, &frame, into: &steps)
      if let action { steps.append(Step(action: action, location: location)) }
    case .formatSite(let result, let slot, let operands):
      let operands = frame.map(operands)
      frame.values[result.index] = try siteFormat(slot: slot, operands, location, into: &steps)
    case .emit(let record, let operands):
      let site = site(location, into: &steps)
      let action = Action.emit(record, site: site, frame.map(operands))
      steps.append(Step(action: action, location: location))
    default: steps.append(Step(action: .operation(rename(instruction.operation, &frame)), location: location))
    }
  }

  private mutating func expandControl(
    _ operation: Operation,
    _ location: Int?,
    _ frame: inout InlineFrame,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> Action {
    switch operation {
    case .if(let condition, let then, let other):
      let condition = frame.map(condition)
      return .branch(condition, then: try expand(then, &frame), else: try expand(other, &frame))
    case .loop(let condition, let operand, let body, let step):
      let condition = try expand(condition, &frame)
      return .loop(
        condition: condition,
        frame.map(operand),
        body: try expand(body, &frame),
        step: try expand(step, &frame),
        budget: loopBudget()
      )
    case .tryCatch(let block, let message, let handler):
      draft?.openAttempts += 1
      let block = try expand(block, &frame)
      draft?.openAttempts -= 1
      return .attempt(block, message: frame.local(message), handler: try expand(handler, &frame))
    case .break: return .breakLoop
    case .continue: return .continueLoop
    case .return(let operand):
      if let operand, let result = frame.result {
        let value = frame.map(operand)
        steps.append(Step(action: .operation(.storeLocal(result, value)), location: location))
      }
      return frame.exit
    case .foreach(let foreach): return try expandForeach(foreach, location, &frame, into: &steps)
    default: preconditionFailure("only control flow is expanded here")
    }
  }

  mutating func loopBudget() -> LocalID {
    let local = budget ?? makeLocal(.long)
    budget = local
    return local
  }
}

// MARK: Calls

extension Expander {
  private mutating func inline(
    _ id: FunctionID,
    _ operands: [Operand],
    _ result: ValueID?,
    _ location: Int?,
    _ frame: inout InlineFrame,
    into steps: inout [Step]
  ) throws(BPFBackendError) {
    let function = program.functions[id.index]
    if recursive.contains(id.index) {
      let local = try expandRecursive(id, operands, location, into: &steps)
      guard let result, let local else { return }
      let value = makeValue(function.result ?? .long)
      frame.values[result.index] = .value(value)
      return steps.append(Step(action: .operation(.loadLocal(value, local)), location: location))
    }
    if function.fallback == nil, let last = function.body.block.trailingReturn {
      let value = try inlineStraight(id, operands, last, location, into: &steps)
      if let result { frame.values[result.index] = value }
      return
    }
    let local = function.result.map { makeLocal($0) }
    if let local { steps.append(clear(local)) }
    try inlineScoped(id, operands, local, isFallback: false, location, into: &steps)
    guard let result, let local else { return }
    let value = makeValue(function.result ?? .long)
    frame.values[result.index] = .value(value)
    steps.append(Step(action: .operation(.loadLocal(value, local)), location: location))
  }

  /// A body that returns only at its end needs no jump and no variable for the result.
  private mutating func inlineStraight(
    _ id: FunctionID,
    _ operands: [Operand],
    _ last: Operand?,
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> Operand? {
    var inner = try enter(id, operands, location, into: &steps)
    inner.next = .finish
    var block = program.functions[id.index].body.block
    if case .return? = block.instructions.last?.operation { block.instructions.removeLast() }
    steps += try expand(block, &inner)
    return last.map { inner.map($0) }
  }

  /// The general form: `return` and `next` are jumps out of scopes.
  mutating func inlineScoped(
    _ id: FunctionID,
    _ operands: [Operand],
    _ result: LocalID?,
    isFallback: Bool,
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) {
    let fallback = program.functions[id.index].fallback
    let whole = makeScope()
    let first = makeScope()
    var content: [Step] = []
    var inner = try enter(id, operands, location, into: &content)
    inner.result = result
    inner.exit = .leave(whole)
    if fallback != nil {
      inner.next = .leave(first)
    } else if isFallback {
      inner.next = .fault(.functionsExhausted, subject: .long(0), text: nil)
      inner.nextPlace = location
    }
    content += try expand(program.functions[id.index].body.block, &inner)
    if let fallback {
      content = [
        Step(action: .scope(first, content + [Step(action: .leave(whole), location: location)]))
      ]
      try inlineScoped(fallback, operands, result, isFallback: true, location, into: &content)
    }
    steps.append(Step(action: .scope(whole, content), location: location))
  }

  /// Binds parameters: those that are never assigned stand for their arguments.
  private mutating func enter(
    _ id: FunctionID,
    _ operands: [Operand],
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> InlineFrame {
    let function = program.functions[id.index]
    var frame = InlineFrame(function.body)
    let assigned = function.body.block.assignedLocals
    for (index, type) in function.body.locals.enumerated() {
      let argument = operands.indices.contains(index) ? operands[index] : nil
      if let argument, !assigned.contains(LocalID(index)) {
        frame.locals.append(.fixed(argument))
        continue
      }
      let local = makeLocal(type)
      frame.locals.append(.local(local))
      let start = argument.map { Step(action: .operation(.storeLocal(local, $0)), location: location) }
      steps.append(start ?? clear(local))
    }
    return frame
  }
}

// MARK: Numbers

extension Expander {
  mutating func makeValue(_ type: ValueType) -> ValueID {
    body.values.append(type)
    return ValueID(body.values.count - 1)
  }

  mutating func makeLocal(_ type: ValueType) -> LocalID {
    body.locals.append(type)
    return LocalID(body.locals.count - 1)
  }

  private mutating func makeScope() -> Int {
    scopeCount += 1
    return scopeCount
  }

  func clear(_ local: LocalID) -> Step {
    let zero: Operand = body.locals[local.index] == .long ? .long(0) : .string("")
    return Step(action: .operation(.storeLocal(local, zero)))
  }

  /// Gives an operation of an inlined body its numbers in the expanded one.
  mutating func rename(_ operation: Operation, _ frame: inout InlineFrame) -> Operation {
    operation
      .mapping(operand: { frame.map($0) })
      .mapping(local: { frame.local($0) ?? $0 })
      .mapping(definition: { result in
        body.values.append(frame.types[result.index])
        let made = ValueID(body.values.count - 1)
        frame.values[result.index] = .value(made)
        return made
      })
  }

  func unsupported(_ what: String, _ location: Int?) -> BPFBackendError {
    .unsupported(what, location: program.text(of: location))
  }
}
