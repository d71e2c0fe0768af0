import TargetModel
import TraceIR

// Plans become machine operations, one for each different node: value numbering.
extension Expander {
  /// The operand that holds what `plan` gives.
  mutating func expand(
    _ plan: LocationPlan,
    _ inputs: [Operand],
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> Operand {
    switch plan {
    case .constant(let value): return .long(value)
    case .input(let index): return inputs.indices.contains(index) ? inputs[index] : .long(0)
    case .siteLoad(let index): return try siteLoad(index, location, into: &steps)
    case .register(let number): return try register(number, location, into: &steps)
    case .entryRegister: throw unsupported("a value of the function's entry here", location)
    case .threadPointer:
      guard let plan = target.threadPointer else { throw unsupported("a thread-local variable", location) }
      return try expand(plan, [], location, into: &steps)
    case .currentTask: return machine(.currentTask, location, into: &steps)
    case .tracepointArgument(let index):
      guard facts.context == .tracepointWords else { throw unsupported("a tracepoint argument", location) }
      return machine(.tracepointArgument(index), location, into: &steps)
    case .unary(let kind, let operand):
      let operand = try expand(operand, inputs, location, into: &steps)
      return machine(.unary(kind, operand), location, into: &steps)
    case .binary(let kind, let left, let right):
      let left = try expand(left, inputs, location, into: &steps)
      let right = try expand(right, inputs, location, into: &steps)
      return machine(.binary(kind, left, right), location, into: &steps)
    case .load(let memory, let byteCount, let isSigned, let address):
      let address = try expand(address, inputs, location, into: &steps)
      let load = MachineOperation.load(memory, byteCount: byteCount, isSigned: isSigned, address)
      return machine(load, location, into: &steps)
    case .bits(let value, let offset, let count, let isSigned):
      let value = try expand(value, inputs, location, into: &steps)
      return machine(.bits(value, offset: offset, count: count, isSigned: isSigned), location, into: &steps)
    case .extend(let value, let byteCount, let isSigned):
      let value = try expand(value, inputs, location, into: &steps)
      return machine(.extend(value, byteCount: byteCount, isSigned: isSigned), location, into: &steps)
    case .selected(let key, let choices, let other):
      return try selected(by: key, choices, else: other, inputs, location, into: &steps)
    }
  }

  private mutating func selected(
    by key: LocationPlan,
    _ choices: [PlanChoice],
    else other: LocationPlan,
    _ inputs: [Operand],
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> Operand {
    let key = try expand(key, inputs, location, into: &steps)
    return try choose(.long, location, into: &steps) { (expander, index) throws(BPFBackendError) in
      let choice = choices.indices.contains(index) ? choices[index] : nil
      var made: [Step] = []
      let value = try expander.expand(choice?.plan ?? other, inputs, location, into: &made)
      return Choice(condition: choice.map { (key, .isOne($0.keys)) }, steps: made, value: value)
    }
  }

  /// What the site's load reads; the load before it comes first where a site counts from that.
  private mutating func siteLoad(
    _ index: Int,
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> Operand {
    guard facts.context == .userRegisters, index < facts.mostLoads else { return .long(0) }
    var previous: Operand?
    if index > 0, facts.chainedLoads.contains(index) {
      previous = try siteLoad(index - 1, location, into: &steps)
    }
    let site = site(location, into: &steps)
    return machine(.siteLoad(index, site: site, previous: previous), location, into: &steps)
  }

  func contextOffset(ofRegister number: Int, _ location: Int?) throws(BPFBackendError) -> Int {
    if number == RegisterFile.watchedAddress.dwarf, facts.context == .dataAccess {
      return RegisterFile.watchedAddress.contextOffset
    }
    guard facts.context != .tracepointWords else { throw unsupported("a register at a tracepoint", location) }
    guard let register = target.registers.register(number) else {
      throw unsupported("DWARF register \(number)", location)
    }
    return register.contextOffset
  }

  private mutating func register(
    _ number: Int,
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> Operand {
    let offset = try contextOffset(ofRegister: number, location)
    return machine(.register(contextOffset: offset), location, into: &steps)
  }

  /// The result of `operation`, from before when it is known here.
  mutating func machine(
    _ operation: MachineOperation,
    _ location: Int?,
    into steps: inout [Step]
  ) -> Operand {
    if let folded = operation.folded { return folded }
    if let known = numbering[operation], !(operation.loadsMemory && writesMemory) { return known }
    let value = makeValue(operation.resultType)
    steps.append(Step(action: .machine(value, operation), location: location))
    if !operation.isVolatile { numbering[operation] = .value(value) }
    return .value(value)
  }

  /// The index of the site: known when there is only one.
  mutating func site(_ location: Int?, into steps: inout [Step]) -> Operand {
    facts.siteCount > 1 ? machine(.site, location, into: &steps) : .long(0)
  }
}

extension MachineOperation {
  /// Whether what it gives may change while the probe runs, if that writes.
  fileprivate var loadsMemory: Bool {
    switch self {
    case .load, .siteLoad: true
    default: false
    }
  }

  /// The result when the operands are constant or it changes nothing.
  fileprivate var folded: Operand? {
    switch self {
    case .unary(.negate, .long(let value)): .long(0 &- value)
    case .unary(.complement, .long(let value)): .long(~value)
    case .binary(.add, let operand, .long(0)): operand
    case .binary(let kind, .long(let left), .long(let right)): kind.fold(left, right).map { .long($0) }
    case .extend(let operand, 8, _): operand
    default: nil
    }
  }
}

extension PlanBinary {
  /// Only what addresses are made of; the rest is left to the program.
  fileprivate func fold(_ left: Int64, _ right: Int64) -> Int64? {
    switch self {
    case .add: left &+ right
    case .subtract: left &- right
    case .multiply: left &* right
    case .and: left & right
    case .or: left | right
    case .xor: left ^ right
    default: nil
    }
  }
}
