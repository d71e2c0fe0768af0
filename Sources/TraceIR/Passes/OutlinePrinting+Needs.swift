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

  private(set) var values: Set<ValueID> = []
  private(set) var origins: [ValueID: Origin] = [:]
  /// Locals that something other than printing reads.
  private var locals: Set<LocalID> = []

  init(_ body: Body) {
    trace(body.block)
    while true {
      let before = (values.count, locals.count)
      _ = collect(body.block)
      if before == (values.count, locals.count) { return }
    }
  }

  // MARK: Origins

  private mutating func trace(_ block: Block) {
    /// What was last done to a local in this block.
    var writers: [LocalID: Operation] = [:]
    for instruction in block.instructions {
      let operation = instruction.operation
      switch operation {
      case .loadLocal(let value, let local): origins[value] = origin(operation, local, writers[local])
      case .storeLocal(let local, _): writers[local] = operation
      default:
        if let value = operation.definedValue { origins[value] = .operation(operation) }
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
      need(keys.compactMap { $0 })
      return true
    case .storeLocal(let local, let operand):
      if locals.contains(local) { need([operand]) }
      return locals.contains(local)
    case .loadLocal(let value, let local):
      if values.contains(value) { locals.insert(local) }
      return values.contains(value)
    case .if(let condition, let then, let otherwise):
      let isNeeded = [collect(otherwise), collect(then)].contains(true)
      if isNeeded { need([condition]) }
      return isNeeded
    default:
      for block in operation.blocks.reversed() { _ = collect(block) }
      if operation.isRemovable, let value = operation.definedValue, !values.contains(value) { return false }
      need(operation.operands)
      return true
    }
  }

  private mutating func need(_ operands: [Operand]) {
    for case .value(let value) in operands { values.insert(value) }
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
