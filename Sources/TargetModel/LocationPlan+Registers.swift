extension LocationPlan {
  /// The same plan with another in the place of a register.
  package func replacing(register number: Int, with plan: LocationPlan) -> LocationPlan {
    replacing(registers: [number: plan])
  }

  /// The same plan with others in the place of registers, all at once.
  package func replacing(registers plans: [Int: LocationPlan]) -> LocationPlan {
    func replaced(_ part: LocationPlan) -> LocationPlan { part.replacing(registers: plans) }
    return switch self {
    case .register(let number): plans[number] ?? self
    case .constant, .entryRegister, .threadPointer, .currentTask, .tracepointArgument, .input, .siteLoad: self
    case .unary(let operation, let operand): .unary(operation, replaced(operand))
    case .binary(let operation, let left, let right): .binary(operation, replaced(left), replaced(right))
    case .load(let memory, let byteCount, let isSigned, let address):
      .load(memory, byteCount: byteCount, isSigned: isSigned, address: replaced(address))
    case .bits(let value, let offset, let count, let isSigned):
      .bits(replaced(value), offset: offset, count: count, isSigned: isSigned)
    case .extend(let value, let byteCount, let isSigned):
      .extend(replaced(value), byteCount: byteCount, isSigned: isSigned)
    case .selected(let key, let choices, let other):
      .selected(by: replaced(key), from: choices.map { $0.map(replaced) }, else: replaced(other))
    }
  }

  /// Whether it reads memory, which may not be there.
  package var loadsMemory: Bool {
    switch self {
    case .load, .siteLoad: true
    case .constant, .register, .entryRegister, .threadPointer, .currentTask, .tracepointArgument, .input:
      false
    case .unary(_, let operand), .bits(let operand, _, _, _), .extend(let operand, _, _): operand.loadsMemory
    case .binary(_, let left, let right): left.loadsMemory || right.loadsMemory
    case .selected(let key, let choices, let other):
      key.loadsMemory || other.loadsMemory || choices.contains { $0.plan.loadsMemory }
    }
  }

  /// The registers that it reads, by DWARF number.
  package var registers: Set<Int> {
    switch self {
    case .register(let number): [number]
    case .constant, .entryRegister, .threadPointer, .currentTask, .tracepointArgument, .input, .siteLoad: []
    case .unary(_, let operand), .load(_, _, _, let operand), .bits(let operand, _, _, _),
      .extend(let operand, _, _):
      operand.registers
    case .binary(_, let left, let right): left.registers.union(right.registers)
    case .selected(let key, let choices, let other):
      choices.reduce(into: key.registers.union(other.registers)) { $0.formUnion($1.plan.registers) }
    }
  }

  /// The registers that it reads as they were at the function's entry, by DWARF number.
  package var entryRegisters: Set<Int> {
    switch self {
    case .entryRegister(let number): [number]
    case .constant, .register, .threadPointer, .currentTask, .tracepointArgument, .input, .siteLoad: []
    case .unary(_, let operand), .load(_, _, _, let operand), .bits(let operand, _, _, _),
      .extend(let operand, _, _):
      operand.entryRegisters
    case .binary(_, let left, let right): left.entryRegisters.union(right.entryRegisters)
    case .selected(let key, let choices, let other):
      choices.reduce(into: key.entryRegisters.union(other.entryRegisters)) {
        $0.formUnion($1.plan.entryRegisters)
      }
    }
  }

  /// Whether it reads a register as it was at the function's entry.
  package var readsEntry: Bool {
    switch self {
    case .entryRegister: true
    case .constant, .register, .threadPointer, .currentTask, .tracepointArgument, .input, .siteLoad: false
    case .unary(_, let operand), .load(_, _, _, let operand), .bits(let operand, _, _, _),
      .extend(let operand, _, _):
      operand.readsEntry
    case .binary(_, let left, let right): left.readsEntry || right.readsEntry
    case .selected(let key, let choices, let other):
      key.readsEntry || other.readsEntry || choices.contains { $0.plan.readsEntry }
    }
  }

  /// The value as it was at the function's entry; nil when it also depends on memory, which may have changed.
  package var asAtEntry: LocationPlan? {
    loadsMemory ? nil : fromEntryRegisters
  }

  /// The plan over the registers as they were at the function's entry; memory is read as it is at the probe.
  package var fromEntryRegisters: LocationPlan {
    registers.reduce(self) { $0.replacing(register: $1, with: .entryRegister($1)) }
  }
}

extension ValueLocation {
  /// The registers that it is told by as they were at the function's entry.
  package var entryRegisters: Set<Int> {
    switch self {
    case .memory(_, let plan), .value(let plan): plan.entryRegisters
    case .pieces(let pieces):
      pieces.compactMap(\.location).reduce(into: []) { $0.formUnion($1.entryRegisters) }
    case .pointer(let target, _): target.entryRegisters
    }
  }
}
