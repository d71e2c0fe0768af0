import TraceIR

/// Visits what an operation reads and makes, and may put something else in its place.
protocol OperationRewriter {
  mutating func rewrite(_ operand: Operand) -> Operand
  mutating func rewrite(result: ValueID) -> ValueID
  mutating func rewrite(loaded local: LocalID) -> LocalID
  mutating func rewrite(stored local: LocalID) -> LocalID
}

extension OperationRewriter {
  /// `operation` with everything rewritten, operands before the result.
  ///
  /// Control flow, calls and reads are the expander's: they come back as they are.
  mutating func rewrite(_ operation: Operation) -> Operation {
    switch operation {
    case .unary, .binary, .compareStrings, .concatenate, .matchRegex, .format, .formatSite:
      computed(operation)
    case .loadLocal, .storeLocal, .loadGlobal, .storeGlobal, .addGlobal, .storeEntry, .loadEntry:
      stored(operation)
    case .loadElement, .storeElement, .addElement, .contains, .delete, .aggregate, .extract, .histogramBucket:
      element(operation)
    case .intrinsic, .context, .print, .printHistogram, .emit: output(operation)
    case .if, .loop, .foreach, .break, .continue, .return, .next, .tryCatch, .call, .read: operation
    }
  }

  private mutating func computed(_ operation: Operation) -> Operation {
    switch operation {
    case .unary(let result, let kind, let operand):
      let operand = rewrite(operand)
      return .unary(rewrite(result: result), kind, operand)
    case .binary(let result, let kind, let left, let right):
      let (left, right) = (rewrite(left), rewrite(right))
      return .binary(rewrite(result: result), kind, left, right)
    case .compareStrings(let result, let relation, let left, let right):
      let (left, right) = (rewrite(left), rewrite(right))
      return .compareStrings(rewrite(result: result), relation, left, right)
    case .concatenate(let result, let operands):
      let operands = rewrite(operands)
      return .concatenate(rewrite(result: result), operands)
    case .matchRegex(let result, let text, let pattern):
      let text = rewrite(text)
      return .matchRegex(rewrite(result: result), text, pattern: pattern)
    case .format(let result, let format, let operands):
      let operands = rewrite(operands)
      return .format(rewrite(result: result), format, operands)
    case .formatSite(let result, let slot, let operands):
      let operands = rewrite(operands)
      return .formatSite(rewrite(result: result), slot: slot, operands)
    default: return operation
    }
  }

  private mutating func stored(_ operation: Operation) -> Operation {
    switch operation {
    case .loadLocal(let result, let local):
      let local = rewrite(loaded: local)
      return .loadLocal(rewrite(result: result), local)
    case .storeLocal(let local, let operand):
      let operand = rewrite(operand)
      return .storeLocal(rewrite(stored: local), operand)
    case .loadGlobal(let result, let global): return .loadGlobal(rewrite(result: result), global)
    case .storeGlobal(let global, let operand): return .storeGlobal(global, rewrite(operand))
    case .addGlobal(let result, let global, let operand):
      let operand = rewrite(operand)
      return .addGlobal(rewrite(result: result), global, operand)
    case .storeEntry(let slot, let operand): return .storeEntry(slot: slot, rewrite(operand))
    case .loadEntry(let result, let slot): return .loadEntry(rewrite(result: result), slot: slot)
    default: return operation
    }
  }

  private mutating func element(_ operation: Operation) -> Operation {
    switch operation {
    case .loadElement(let result, let global, let keys):
      let keys = rewrite(keys)
      return .loadElement(rewrite(result: result), global, keys)
    case .storeElement(let global, let keys, let operand):
      let keys = rewrite(keys)
      return .storeElement(global, keys, rewrite(operand))
    case .addElement(let result, let global, let keys, let operand):
      let (keys, operand) = (rewrite(keys), rewrite(operand))
      return .addElement(rewrite(result: result), global, keys, operand)
    case .contains(let result, let global, let keys):
      let keys = rewrite(keys)
      return .contains(rewrite(result: result), global, keys)
    case .delete(let global, let keys): return .delete(global, rewrite(keys))
    case .aggregate(let global, let keys, let operand):
      let keys = rewrite(keys)
      return .aggregate(global, keys, rewrite(operand))
    case .extract(let result, let field, let global, let keys):
      let keys = rewrite(keys)
      return .extract(rewrite(result: result), field, global, keys)
    case .histogramBucket(let result, let shape, let global, let keys, let index):
      let (keys, index) = (rewrite(keys), rewrite(index))
      return .histogramBucket(rewrite(result: result), shape, global, keys, index)
    default: return operation
    }
  }

  private mutating func output(_ operation: Operation) -> Operation {
    switch operation {
    case .intrinsic(let result, let intrinsic, let operands):
      let operands = rewrite(operands)
      return .intrinsic(rewrite(optional: result), intrinsic, operands)
    case .context(let result, let field, let plan):
      return .context(rewrite(result: result), field, kernelPlan: plan)
    case .print(let format, let operands): return .print(format, rewrite(operands))
    case .printHistogram(let shape, let global, let keys):
      return .printHistogram(shape, global, rewrite(keys))
    case .emit(let record, let operands): return .emit(record, rewrite(operands))
    default: return operation
    }
  }

  mutating func rewrite(_ operands: [Operand]) -> [Operand] {
    var result: [Operand] = []
    for operand in operands { result.append(rewrite(operand)) }
    return result
  }

  private mutating func rewrite(_ keys: [Operand?]) -> [Operand?] {
    var result: [Operand?] = []
    for key in keys { result.append(rewrite(optional: key)) }
    return result
  }

  private mutating func rewrite(optional operand: Operand?) -> Operand? {
    guard let operand else { return nil }
    return rewrite(operand)
  }

  private mutating func rewrite(optional result: ValueID?) -> ValueID? {
    guard let result else { return nil }
    return rewrite(result: result)
  }
}
