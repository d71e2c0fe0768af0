import TargetModel

/// Going over code: what an operation defines, uses and contains, so that passes need not know every case.
extension Operation {
  /// The value it makes.
  package var definedValue: ValueID? {
    switch self {
    case .unary(let value, _, _), .binary(let value, _, _, _), .compareStrings(let value, _, _, _),
      .concatenate(let value, _), .matchRegex(let value, _, _), .format(let value, _, _),
      .formatSite(let value, _, _), .loadLocal(let value, _), .loadGlobal(let value, _),
      .addGlobal(let value, _, _), .loadElement(let value, _, _), .addElement(let value, _, _, _),
      .contains(let value, _, _), .extract(let value, _, _, _), .histogramBucket(let value, _, _, _, _),
      .packHistogram(let value, _, _, _, _, _),
      .context(let value, _, _), .read(let value, _, _), .loadEntry(let value, _):
      value
    case .call(let value, _, _): value
    case .intrinsic(let value, _, _): value
    case .storeLocal, .storeGlobal, .storeElement, .delete, .aggregate, .if, .loop, .foreach, .break,
      .continue, .return, .next, .tryCatch, .storeEntry, .print, .printHistogram, .printBuckets, .emit:
      nil
    }
  }

  /// The blocks inside it, in the order of the text.
  package var blocks: [Block] {
    var found: [Block] = []
    forEachBlock { found.append($0) }
    return found
  }

  /// What it takes itself; what its blocks take is not in it.
  package var operands: [Operand] {
    var found: [Operand] = []
    forEachOperand { found.append($0) }
    return found
  }

  /// Visits what it takes itself, in order.
  package func forEachOperand(_ visit: (Operand) -> Void) {
    func open(_ keys: [Operand?]) { for case let key? in keys { visit(key) } }
    switch self {
    case .unary(_, _, let a), .matchRegex(_, let a, _), .storeLocal(_, let a), .storeGlobal(_, let a),
      .addGlobal(_, _, let a), .if(let a, _, _), .loop(_, let a, _, _), .storeEntry(_, let a):
      visit(a)
    case .binary(_, _, let a, let b), .compareStrings(_, _, let a, let b):
      visit(a)
      visit(b)
    case .concatenate(_, let parts), .format(_, _, let parts), .formatSite(_, _, let parts),
      .loadElement(_, _, let parts), .call(_, _, let parts), .intrinsic(_, _, let parts),
      .read(_, _, let parts), .print(_, let parts), .printBuckets(_, let parts), .emit(_, let parts):
      parts.forEach(visit)
    case .storeElement(_, let keys, let a), .addElement(_, _, let keys, let a),
      .aggregate(_, let keys, let a):
      keys.forEach(visit)
      visit(a)
    case .contains(_, _, let keys), .delete(_, let keys), .extract(_, _, _, let keys),
      .printHistogram(_, _, let keys), .packHistogram(_, _, _, let keys, _, _):
      open(keys)
    case .histogramBucket(_, _, _, let keys, let a):
      open(keys)
      visit(a)
    case .foreach(let walk):
      open(walk.slice)
      if let limit = walk.limit { visit(limit) }
    case .return(let a): if let a { visit(a) }
    case .loadLocal, .loadGlobal, .break, .continue, .next, .tryCatch, .context, .loadEntry: break
    }
  }

  /// Whether other instructions are inside it.
  package var hasBlocks: Bool {
    switch self {
    case .if, .loop, .foreach, .tryCatch: true
    default: false
    }
  }

  /// Visits the blocks inside it, in the order of the text.
  package func forEachBlock(_ visit: (Block) -> Void) {
    switch self {
    case .if(_, let then, let otherwise):
      visit(then)
      visit(otherwise)
    case .loop(let condition, _, let body, let step):
      visit(condition)
      visit(body)
      visit(step)
    case .foreach(let walk): visit(walk.body)
    case .tryCatch(let body, _, let handler):
      visit(body)
      visit(handler)
    default: break
    }
  }

  /// The same with each operand replaced, in order; blocks stay as they are.
  package func mapping(operand map: (Operand) -> Operand) -> Operation {
    func open(_ keys: [Operand?]) -> [Operand?] { keys.map { $0.map(map) } }
    switch self {
    case .unary(let value, let operation, let a): return .unary(value, operation, map(a))
    case .binary(let value, let operation, let a, let b): return .binary(value, operation, map(a), map(b))
    case .compareStrings(let value, let relation, let a, let b):
      return .compareStrings(value, relation, map(a), map(b))
    case .concatenate(let value, let parts): return .concatenate(value, parts.map(map))
    case .matchRegex(let value, let a, let pattern): return .matchRegex(value, map(a), pattern: pattern)
    case .format(let value, let format, let parts): return .format(value, format, parts.map(map))
    case .formatSite(let value, let slot, let parts): return .formatSite(value, slot: slot, parts.map(map))
    case .storeLocal(let local, let a): return .storeLocal(local, map(a))
    case .storeGlobal(let global, let a): return .storeGlobal(global, map(a))
    case .addGlobal(let value, let global, let a): return .addGlobal(value, global, map(a))
    case .loadElement(let value, let global, let keys): return .loadElement(value, global, keys.map(map))
    case .storeElement(let global, let keys, let a): return .storeElement(global, keys.map(map), map(a))
    case .addElement(let value, let global, let keys, let a):
      return .addElement(value, global, keys.map(map), map(a))
    case .contains(let value, let global, let keys): return .contains(value, global, open(keys))
    case .delete(let global, let keys): return .delete(global, open(keys))
    case .aggregate(let global, let keys, let a): return .aggregate(global, keys.map(map), map(a))
    case .extract(let value, let field, let global, let keys):
      return .extract(value, field, global, open(keys))
    case .histogramBucket(let value, let shape, let global, let keys, let a):
      return .histogramBucket(value, shape, global, open(keys), map(a))
    case .if(let condition, let then, let otherwise):
      return .if(map(condition), then: then, else: otherwise)
    case .loop(let block, let condition, let body, let step):
      return .loop(condition: block, map(condition), body: body, step: step)
    case .foreach(var walk):
      walk.slice = open(walk.slice)
      walk.limit = walk.limit.map(map)
      return .foreach(walk)
    case .return(let a): return .return(a.map(map))
    case .call(let value, let function, let parts): return .call(value, function, parts.map(map))
    case .intrinsic(let value, let intrinsic, let parts):
      return .intrinsic(value, intrinsic, parts.map(map))
    case .read(let value, let plan, let inputs): return .read(value, plan, inputs: inputs.map(map))
    case .storeEntry(let slot, let a): return .storeEntry(slot: slot, map(a))
    case .print(let format, let parts): return .print(format, parts.map(map))
    case .printHistogram(let shape, let global, let keys): return .printHistogram(shape, global, open(keys))
    case .packHistogram(let value, let shape, let global, let keys, let first, let count):
      return .packHistogram(value, shape, global, open(keys), first: first, count: count)
    case .printBuckets(let shape, let parts): return .printBuckets(shape, parts.map(map))
    case .emit(let record, let parts): return .emit(record, parts.map(map))
    case .loadLocal, .loadGlobal, .break, .continue, .next, .tryCatch, .context, .loadEntry: return self
    }
  }

  /// The same with each block replaced.
  package func mapping(block map: (Block) -> Block) -> Operation {
    switch self {
    case .if(let condition, let then, let otherwise):
      return .if(condition, then: map(then), else: map(otherwise))
    case .loop(let block, let condition, let body, let step):
      return .loop(condition: map(block), condition, body: map(body), step: map(step))
    case .foreach(var walk):
      walk.body = map(walk.body)
      return .foreach(walk)
    case .tryCatch(let body, let message, let handler):
      return .tryCatch(map(body), message: message, handler: map(handler))
    default: return self
    }
  }

  /// Replaces each block; what has none is left as it is.
  package mutating func mapBlocks(_ map: (Block) -> Block) {
    if hasBlocks { self = mapping(block: map) }
  }

  /// Replaces each operand, in order, where `map` gives another one for any; blocks stay as they are.
  package mutating func mapOperands(_ map: (Operand) -> Operand?) {
    var isSame = true
    forEachOperand { if isSame, map($0) != nil { isSame = false } }
    if !isSame { self = mapping(operand: { map($0) ?? $0 }) }
  }

  /// The same with the value it makes replaced.
  package func mapping(definition map: (ValueID) -> ValueID) -> Operation {
    switch self {
    case .unary(let value, let operation, let a): .unary(map(value), operation, a)
    case .binary(let value, let operation, let a, let b): .binary(map(value), operation, a, b)
    case .compareStrings(let value, let relation, let a, let b): .compareStrings(map(value), relation, a, b)
    case .concatenate(let value, let parts): .concatenate(map(value), parts)
    case .matchRegex(let value, let a, let pattern): .matchRegex(map(value), a, pattern: pattern)
    case .format(let value, let format, let parts): .format(map(value), format, parts)
    case .formatSite(let value, let slot, let parts): .formatSite(map(value), slot: slot, parts)
    case .loadLocal(let value, let local): .loadLocal(map(value), local)
    case .loadGlobal(let value, let global): .loadGlobal(map(value), global)
    case .addGlobal(let value, let global, let a): .addGlobal(map(value), global, a)
    case .loadElement(let value, let global, let keys): .loadElement(map(value), global, keys)
    case .addElement(let value, let global, let keys, let a): .addElement(map(value), global, keys, a)
    case .contains(let value, let global, let keys): .contains(map(value), global, keys)
    case .extract(let value, let field, let global, let keys): .extract(map(value), field, global, keys)
    case .histogramBucket(let value, let shape, let global, let keys, let a):
      .histogramBucket(map(value), shape, global, keys, a)
    case .packHistogram(let value, let shape, let global, let keys, let first, let count):
      .packHistogram(map(value), shape, global, keys, first: first, count: count)
    case .call(let value, let function, let parts): .call(value.map(map), function, parts)
    case .intrinsic(let value, let intrinsic, let parts): .intrinsic(value.map(map), intrinsic, parts)
    case .context(let value, let field, let plan): .context(map(value), field, kernelPlan: plan)
    case .read(let value, let plan, let inputs): .read(map(value), plan, inputs: inputs)
    case .loadEntry(let value, let slot): .loadEntry(map(value), slot: slot)
    case .storeLocal, .storeGlobal, .storeElement, .delete, .aggregate, .if, .loop, .foreach, .break,
      .continue, .return, .next, .tryCatch, .storeEntry, .print, .printHistogram, .printBuckets, .emit:
      self
    }
  }

  /// The same with every local it names replaced; its blocks stay as they are.
  package func mapping(local map: (LocalID) -> LocalID) -> Operation {
    switch self {
    case .loadLocal(let value, let local): return .loadLocal(value, map(local))
    case .storeLocal(let local, let a): return .storeLocal(map(local), a)
    case .tryCatch(let body, let message, let handler):
      return .tryCatch(body, message: message.map(map), handler: handler)
    case .foreach(var walk):
      walk.keys = walk.keys.map(map)
      walk.value = walk.value.map(map)
      return .foreach(walk)
    default: return self
    }
  }

  /// Locals it reads or writes itself.
  package var locals: [LocalID] {
    switch self {
    case .loadLocal(_, let local), .storeLocal(let local, _): [local]
    case .tryCatch(_, let message, _): message.map { [$0] } ?? []
    case .foreach(let walk): walk.keys + (walk.value.map { [$0] } ?? [])
    default: []
    }
  }

  /// The global it reads or writes itself.
  package var global: GlobalID? {
    switch self {
    case .loadGlobal(_, let global), .storeGlobal(let global, _), .addGlobal(_, let global, _),
      .loadElement(_, let global, _), .storeElement(let global, _, _), .addElement(_, let global, _, _),
      .contains(_, let global, _), .delete(let global, _), .aggregate(let global, _, _),
      .extract(_, _, let global, _), .histogramBucket(_, _, let global, _, _),
      .printHistogram(_, let global, _), .packHistogram(_, _, let global, _, _, _):
      global
    case .foreach(let walk): walk.global
    default: nil
    }
  }

  /// Whether it changes the global that it names.
  package var writesGlobal: Bool {
    switch self {
    case .storeGlobal, .addGlobal, .storeElement, .addElement, .delete, .aggregate: true
    default: false
    }
  }
}

extension Block {
  /// Visits every instruction, each before those in its blocks.
  package func forEach(_ visit: (Instruction) -> Void) {
    for instruction in instructions {
      visit(instruction)
      instruction.operation.forEachBlock { $0.forEach(visit) }
    }
  }

  /// Replaces every instruction by those that `map` gives for it, whose blocks have been done before.
  package func rewriting(_ map: (Instruction) -> [Instruction]) -> Block {
    Block(
      instructions.flatMap { instruction in
        var instruction = instruction
        instruction.operation.mapBlocks { $0.rewriting(map) }
        return map(instruction)
      }
    )
  }
}

extension Block {
  /// Replaces every operation by what `map` gives for it, whose blocks have been done before; nil leaves it.
  package mutating func mapOperations(_ map: (Operation) -> Operation?) {
    for index in instructions.indices {
      instructions[index].operation.mapBlocks { block in
        var block = block
        block.mapOperations(map)
        return block
      }
      if let changed = map(instructions[index].operation) { instructions[index].operation = changed }
    }
  }
}

extension Probe {
  /// Its body, what runs at the entry, its condition.
  package var bodies: [Body] { [body] + [entryBody, arming].compactMap { $0 } }
}

extension TraceProgram {
  /// Whether a probe changes memory of the traced program (guru mode).
  package var writesUserMemory: Bool {
    var found = false
    forEachInstruction { if case .intrinsic(_, .userWrite, _) = $0.operation { found = true } }
    return found
  }

  /// Every piece of code with its variables.
  package var bodies: [Body] {
    functions.map(\.body) + probes.flatMap(\.bodies) + records.map(\.handler)
  }

  /// Visits every instruction of every body.
  package func forEachInstruction(_ visit: (Instruction) -> Void) {
    for body in bodies { body.block.forEach(visit) }
  }

  /// Replaces every body.
  package mutating func mapBodies(_ map: (Body) -> Body) {
    for index in functions.indices { functions[index].body = map(functions[index].body) }
    for index in probes.indices {
      probes[index].body = map(probes[index].body)
      probes[index].entryBody = probes[index].entryBody.map(map)
      probes[index].arming = probes[index].arming.map(map)
    }
    for index in records.indices { records[index].handler = map(records[index].handler) }
  }
}

extension Body {
  /// The type of an operand.
  package func type(of operand: Operand) -> ValueType {
    switch operand {
    case .value(let value): values[value.index]
    case .long: .long
    case .string: .string
    }
  }

  /// A new value.
  package mutating func makeValue(_ type: ValueType) -> ValueID {
    values.append(type)
    return ValueID(values.count - 1)
  }

  /// A new variable.
  package mutating func makeLocal(_ type: ValueType) -> LocalID {
    locals.append(type)
    return LocalID(locals.count - 1)
  }
}
