/// Why code could not be put together; each is a mistake of the code generator.
package enum AssemblyError: Error, Hashable, Sendable {
  case unplacedLabel(function: String)
  case functionWithoutCode(String)
  /// Control runs over the end of a function.
  case openEnd(function: String)
  /// A jump leaves its function.
  case jumpIntoOtherFunction(function: String)
  /// A jump is too far, and no island shortens it.
  case jumpTooFar(function: String, distance: Int)
}

extension Assembler {
  /// Resolves what is symbolic, leaves out what nothing reaches.
  package func finish() throws(AssemblyError) -> ProgramCode {
    let live = try Liveness(allowsLongJumps ? self : try withIslands())
    var layout = Layout(live)
    while layout.lengthenOneRound() {}
    return try layout.encode()
  }
}

/// The reachable items, function by function.
private struct Liveness {
  let assembler: Assembler
  /// Reachable functions with their reachable items, in the order they were begun.
  var bodies: [(function: Int, items: [Int])] = []
  private var isReached: [Bool]
  private let owner: [Int]

  init(_ assembler: Assembler) throws(AssemblyError) {
    self.assembler = assembler
    isReached = [Bool](repeating: false, count: assembler.items.count)
    let begun = assembler.functions.indices
      .filter { assembler.functions[$0].start != nil }
      .sorted { (assembler.functions[$0].start ?? 0) < (assembler.functions[$1].start ?? 0) }
    var owner = [Int](repeating: 0, count: assembler.items.count)
    let ends = begun.dropFirst().map { assembler.functions[$0].start ?? 0 } + [assembler.items.count]
    let ranges = zip(begun, ends).map { (assembler.functions[$0].start ?? 0)..<$1 }
    for (function, range) in zip(begun, ranges) {
      for item in range { owner[item] = function }
    }
    self.owner = owner
    try walk()
    for (function, range) in zip(begun, ranges) {
      let items = range.filter { isReached[$0] }
      if !items.isEmpty { bodies.append((function, items)) }
    }
  }

  private mutating func walk() throws(AssemblyError) {
    var pending = [try start(of: 0)]
    while let item = pending.popLast() {
      if isReached[item] { continue }
      isReached[item] = true
      let instruction = assembler.items[item].instruction
      switch assembler.items[item].target {
      case .none, .relocation: break
      case .function(let function): pending.append(try start(of: function.index))
      case .label(let label): pending.append(try place(of: label, from: item))
      }
      if !instruction.endsFlow {
        guard item + 1 < owner.count, owner[item + 1] == owner[item] else {
          throw .openEnd(function: assembler.functions[owner[item]].name)
        }
        pending.append(item + 1)
      }
    }
  }

  private func start(of function: Int) throws(AssemblyError) -> Int {
    let info = assembler.functions[function]
    guard let start = info.start, start < owner.count, owner[start] == function else {
      throw .functionWithoutCode(info.name)
    }
    return start
  }

  private func place(of label: Assembler.Label, from item: Int) throws(AssemblyError) -> Int {
    let function = assembler.functions[owner[item]].name
    guard let place = assembler.labels[label.index] else { throw .unplacedLabel(function: function) }
    guard place < owner.count else { throw .openEnd(function: function) }
    guard owner[place] == owner[item] else { throw .jumpIntoOtherFunction(function: function) }
    return place
  }
}

/// Slots for items, with jumps lengthened where they must be.
private struct Layout {
  private let assembler: Assembler
  private let bodies: [(function: Int, items: [Int])]
  private var isLong: [Bool]
  /// Slot of each item; -1 for those left out.
  private var slots: [Int]
  private var slotCount = 0

  init(_ live: Liveness) {
    assembler = live.assembler
    bodies = live.bodies
    isLong = [Bool](repeating: false, count: assembler.items.count)
    slots = []
    place()
  }

  private mutating func place() {
    slots = [Int](repeating: -1, count: assembler.items.count)
    slotCount = 0
    for (_, items) in bodies {
      for item in items {
        slots[item] = slotCount
        slotCount += slotsOf(item)
      }
    }
  }

  /// A long conditional jump is three: over the next, over the last, `gotol`.
  private func slotsOf(_ item: Int) -> Int {
    let instruction = assembler.items[item].instruction
    if instruction.isWide { return 2 }
    return isLong[item] && instruction.opcode != 0x05 ? 3 : 1
  }

  /// Finds jumps that are too far for short ones; true when slots moved and it must be asked again.
  mutating func lengthenOneRound() -> Bool {
    guard assembler.allowsLongJumps, slotCount > Assembler.longestJump else { return false }
    var found = false
    for (_, items) in bodies {
      for item in items where !isLong[item] && assembler.items[item].instruction.opcode != 0x06 {
        guard let distance = distance(of: item), abs(distance) > Assembler.longestJump else { continue }
        isLong[item] = true
        found = true
      }
    }
    if found { place() }
    return found
  }

  private func distance(of item: Int) -> Int? {
    guard case .label(let label) = assembler.items[item].target, let place = assembler.labels[label.index]
    else { return nil }
    return slots[place] - (slots[item] + slotsOf(item))
  }

  func encode() throws(AssemblyError) -> ProgramCode {
    var code = ProgramCode(instructions: [], functions: [])
    code.instructions.reserveCapacity(slotCount)
    for (function, items) in bodies {
      let info = assembler.functions[function]
      let start = code.instructions.count
      code.functions.append(.init(name: info.name, start: start, linkage: info.linkage))
      // The kernel wants a line at the first instruction of each function once there are lines at all.
      let first = items.lazy.compactMap { assembler.items[$0].position }.first
      for (index, item) in items.enumerated() {
        note(index == 0 ? first : assembler.items[item].position, isFirst: index == 0, in: &code)
        append(item, to: &code)
      }
    }
    return code
  }

  private func note(_ position: SourcePosition?, isFirst: Bool, in code: inout ProgramCode) {
    guard let position, isFirst || code.lines.last?.position != position else { return }
    code.lines.append(.init(instruction: code.instructions.count, position: position))
  }

  private func append(_ item: Int, to code: inout ProgramCode) {
    var instruction = assembler.items[item].instruction
    var upper = assembler.items[item].upper
    let slot = code.instructions.count
    switch assembler.items[item].target {
    case .none: break
    case .label: return appendJump(instruction, item, to: &code)
    case .function(let function):
      let place = slots[assembler.functions[function.index].start ?? 0]
      instruction.immediate = Int32(place - slot - 1)
    case .relocation(let target):
      if case .mapValue(_, let offset) = target { upper = offset }
      code.relocations.append(.init(instruction: slot, target: target))
    }
    code.instructions.append(instruction)
    if instruction.isWide { code.instructions.append(BPFInstruction(opcode: 0, immediate: upper)) }
  }

  private func appendJump(_ jump: BPFInstruction, _ item: Int, to code: inout ProgramCode) {
    var jump = jump
    let distance = distance(of: item) ?? 0
    let long = BPFInstruction(opcode: 0x06, immediate: Int32(distance))
    switch (isLong[item] || jump.opcode == 0x06, jump.endsFlow) {
    case (true, true): code.instructions.append(long)
    case (true, false):
      jump.offset = 1
      code.instructions += [jump, BPFInstruction(opcode: 0x05, offset: 1), long]
    case (false, _):
      jump.offset = Int16(distance)
      code.instructions.append(jump)
    }
  }
}
