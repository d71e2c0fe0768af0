/// Makes one addition of a load, an addition and a store: one lookup instead of three, and no lock, since additions are
/// atomic.
///
///     %0 = load @n [%k]
///     %1 = add %0, 5               ⇒      %2 = add @n [%k], 5
///     store @n [%k], %1
///
/// Only where nobody else uses either value, and nothing in between touches the variable.
package let fuseUpdates = Pass("fuse-updates") { program in
  var program = program
  program.mapBodies { body in
    var body = body
    let uses = ValueUses(body)
    let block = body.block
    body.block = fuse(block, uses, in: &body)
    return body
  }
  return program
}

/// A load that a store to the same place may still make an addition of.
private struct OpenUpdate {
  let load: Int
  var sum: (index: Int, value: ValueID, addend: Operand)?
  let value: ValueID
  let global: GlobalID
  let keys: [Operand]
}

private func fuse(_ block: Block, _ uses: ValueUses, in body: inout Body) -> Block {
  var result: [Instruction?] = []
  var open: [OpenUpdate] = []
  for var instruction in block.instructions {
    instruction.operation.mapBlocks { fuse($0, uses, in: &body) }
    let operation = instruction.operation
    if let store = Store(operation),
      let index = open.lastIndex(where: {
        $0.global == store.global && $0.keys == store.keys && $0.sum.map { .value($0.value) } == store.operand
      }), let sum = open[index].sum
    {
      let value = body.makeValue(.long)
      instruction.operation =
        store.keys.isEmpty
        ? .addGlobal(value, store.global, sum.addend)
        : .addElement(value, store.global, store.keys, sum.addend)
      result[open[index].load] = nil
      result[sum.index] = nil
      open.removeAll { $0.global == store.global }
    } else if let update = OpenUpdate(operation, at: result.count, uses) {
      open.append(update)
    } else if let sum = Sum(operation), let index = open.firstIndex(where: { sum.adds(to: $0) }),
      uses[sum.value] == 1, let addend = sum.addend(to: open[index])
    {
      open[index].sum = (result.count, sum.value, addend)
    } else if let global = operation.global {
      open.removeAll { $0.global == global }
    } else if operation.hasBlocks || operation.isCall {
      open = []
    }
    result.append(instruction)
  }
  return Block(result.compactMap { $0 })
}

extension OpenUpdate {
  init?(_ operation: Operation, at index: Int, _ uses: ValueUses) {
    load = index
    switch operation {
    case .loadGlobal(let value, let global): (self.value, self.global, keys) = (value, global, [])
    case .loadElement(let value, let global, let keys):
      (self.value, self.global, self.keys) = (value, global, keys)
    default: return nil
    }
    guard uses[value] == 1 else { return nil }
  }
}

/// A store to a scalar or to one element.
private struct Store {
  let global: GlobalID
  let keys: [Operand]
  let operand: Operand

  init?(_ operation: Operation) {
    switch operation {
    case .storeGlobal(let global, let operand): (self.global, keys, self.operand) = (global, [], operand)
    case .storeElement(let global, let keys, let operand):
      (self.global, self.keys, self.operand) = (global, keys, operand)
    default: return nil
    }
  }
}

/// An addition, or a subtraction of a constant.
private struct Sum {
  let value: ValueID
  private let operands: (Operand, Operand)

  init?(_ operation: Operation) {
    switch operation {
    case .binary(let value, .add, let left, let right): (self.value, operands) = (value, (left, right))
    case .binary(let value, .subtract, let left, .long(let right)):
      (self.value, operands) = (value, (left, .long(0 &- right)))
    default: return nil
    }
  }

  func adds(to update: OpenUpdate) -> Bool { addend(to: update) != nil }

  /// What is added to the value that `update` loads.
  func addend(to update: OpenUpdate) -> Operand? {
    if operands.0 == .value(update.value) { return operands.1 }
    return operands.1 == .value(update.value) ? operands.0 : nil
  }
}

extension Operation {
  fileprivate var isCall: Bool { if case .call = self { true } else { false } }
}
