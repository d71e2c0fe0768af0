/// What of a body the kernel must compute for other reasons than printing, and where values come from.
struct KernelNeeds {
  /// How a value is made.
  enum Origin {
    case operation(Operation)
    /// A load of a local that this operand was just stored to.
    case copy(Operand)
    /// A load of a local that this `if` has just set.
    case branch(Operation, LocalID)
  }

  /// By value: whether something other than printing takes it.
  private var values: [Bool]
  /// By value.
  private var origins: [Origin?]
  /// By local: whether something other than printing reads it.
  private var locals: [Bool]
  private var hasChanged = false

  init(_ body: Body) {
    values = Array(repeating: false, count: body.values.count)
    origins = Array(repeating: nil, count: body.values.count)
    locals = Array(repeating: false, count: body.locals.count)
    trace(body.block)
    repeat {
      hasChanged = false
      _ = collect(body.block)
    } while hasChanged
  }

  /// Whether the kernel must compute `value`; false for those that the body got later.
  func contains(_ value: ValueID) -> Bool { value.index < values.count && values[value.index] }

  /// How `value` is made; nil for those that the body got later.
  func origin(of value: ValueID) -> Origin? { value.index < origins.count ? origins[value.index] : nil }

  // MARK: Origins

  private mutating func trace(_ block: Block) {
    /// What was last done to a local in this block.
    var writers: [LocalID: Operation] = [:]
    for instruction in block.instructions {
      let operation = instruction.operation
      switch operation {
      case .loadLocal(let value, let local):
        origins[value.index] = origin(operation, local, writers[local])
      case .storeLocal(let local, _): writers[local] = operation
      default:
        if let value = operation.definedValue { origins[value.index] = .operation(operation) }
        for local in operation.locals { writers[local] = operation }
        for inner in operation.blocks {
          trace(inner)
          inner.forEach { instruction in
            if case .loadLocal = instruction.operation { return }
            for local in instruction.operation.locals { writers[local] = operation }
          }
        }
      }
    }
  }

  private func origin(_ load: Operation, _ local: LocalID, _ writer: Operation?) -> Origin {
    switch writer {
    case .storeLocal(_, let operand): .copy(operand)
    case .if: writer.map { .branch($0, local) } ?? .operation(load)
    default: .operation(load)
    }
  }

  // MARK: Needs

  /// Collects what the code needs; tells whether it does anything but feed prints.
  private mutating func collect(_ block: Block) -> Bool {
    var isNeeded = false
    for instruction in block.instructions.reversed() where collect(instruction.operation) { isNeeded = true }
    return isNeeded
  }

  private mutating func collect(_ operation: Operation) -> Bool {
    switch operation {
    case .print: return true
    case .printHistogram(_, _, let keys):
      // The buckets are read where the probe runs.
      for case let key? in keys { need(key) }
      return true
    case .storeLocal(let local, let operand):
      if locals[local.index] { need(operand) }
      return locals[local.index]
    case .loadLocal(let value, let local):
      if values[value.index], !locals[local.index] {
        locals[local.index] = true
        hasChanged = true
      }
      return values[value.index]
    case .if(let condition, let then, let otherwise):
      let (isElseNeeded, isThenNeeded) = (collect(otherwise), collect(then))
      if isElseNeeded || isThenNeeded { need(condition) }
      return isElseNeeded || isThenNeeded
    default:
      for block in operation.blocks.reversed() { _ = collect(block) }
      if operation.isRemovable, let value = operation.definedValue, !values[value.index] { return false }
      operation.forEachOperand { need($0) }
      return true
    }
  }

  private mutating func need(_ operand: Operand) {
    guard case .value(let value) = operand, !values[value.index] else { return }
    values[value.index] = true
    hasChanged = true
  }

  // MARK: Branches

  /// Whether an `if` only chooses what `local` holds, from values that may move.
  func canMove(_ branch: Operation, setting local: LocalID) -> Bool {
    guard case .if(_, let then, let otherwise) = branch, then.alwaysSets(local), otherwise.alwaysSets(local)
    else {
      return false
    }
    return branch.blocks.allSatisfy { canMove($0) }
  }

  private func canMove(_ block: Block) -> Bool {
    var stored: Set<LocalID> = []
    return block.instructions.allSatisfy { instruction in
      switch instruction.operation {
      case .storeLocal(let local, _):
        stored.insert(local)
        return true
      case .loadLocal(_, let local): return stored.contains(local)
      case .if(_, let then, let otherwise):
        for inner in [then, otherwise] {
          inner.forEach { instruction in
            guard case .storeLocal(let local, _) = instruction.operation else { return }
            if then.alwaysSets(local), otherwise.alwaysSets(local) { stored.insert(local) }
          }
        }
        return canMove(then) && canMove(otherwise)
      default: return instruction.operation.isMovable
      }
    }
  }
}
