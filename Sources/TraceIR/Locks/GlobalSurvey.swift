import TargetModel

/// Who does what to which global while kernel-side probes run.
struct GlobalSurvey {
  /// A body that runs then.
  struct Subject {
    let probe: Int
    let isEntry: Bool
    let isKernelSide: Bool
    let body: Body
  }

  /// What a subject asks of a lock.
  struct Demand {
    /// Contended globals that it touches.
    var globals: Set<Int> = []
    /// Whether what it does to them takes more than one step that is whole by itself.
    var isExclusive = false
  }

  /// What all subjects together do to one global.
  private struct Facts {
    var isWritten = false
    /// Whether anybody does something whose order matters.
    var isOrdered = false
    /// Places in the keys at which every access has `tid()`; nil before the first access.
    var threadKeys: Set<Int>?

    mutating func take(_ accesses: BodyAccesses, _ operation: Operation, _ isOfThread: Bool) {
      if operation.writesGlobal { isWritten = true }
      if !accesses.commutes(operation) { isOrdered = true }
      let places = isOfThread ? accesses.threadKeys(operation) : []
      threadKeys = threadKeys.map { $0.intersection(places) } ?? places
    }
  }

  private let program: TraceProgram
  let subjects: [Subject]
  private var stepCounts: [Int: Int] = [:]

  init(_ program: TraceProgram) {
    self.program = program
    subjects = program.probes.enumerated().flatMap { index, probe -> [Subject] in
      let isKernelSide = probe.trigger.isKernelSide
      guard isKernelSide || probe.trigger.runsBesideTheKernel else { return [] }
      let body = Subject(probe: index, isEntry: false, isKernelSide: isKernelSide, body: probe.body)
      let entry = probe.entryBody.map {
        Subject(probe: index, isEntry: true, isKernelSide: isKernelSide, body: $0)
      }
      return [body] + (entry.map { [$0] } ?? [])
    }
  }

  /// Globals that one probe can find in a state that another one would not leave them in.
  var contended: Set<Int> {
    var facts = Array(repeating: Facts(), count: program.globals.count)
    for subject in subjects {
      let isOfThread = program.probes[subject.probe].trigger.isOfThread
      for body in bodies(of: subject) {
        let accesses = BodyAccesses(body)
        body.block.forEach { instruction in
          guard let global = instruction.operation.global else { return }
          facts[global.index].take(accesses, instruction.operation, isOfThread)
        }
      }
    }
    return Set(
      facts.indices.filter { index in
        facts[index].isWritten && facts[index].isOrdered && !(facts[index].threadKeys?.isEmpty == false)
          && program.globals[index].isUsedInKernel
      }
    )
  }

  private func bodies(of subject: Subject) -> [Body] {
    [subject.body]
      + program.functionsReached(from: [subject.body]).sorted().map { program.functions[$0].body }
  }

  /// What `subject` does to the globals in `contended`.
  mutating func demand(of subject: Subject, on contended: Set<Int>) -> Demand {
    var demand = Demand()
    for body in bodies(of: subject) {
      body.block.forEach { instruction in
        if let global = instruction.operation.global, contended.contains(global.index) {
          demand.globals.insert(global.index)
        }
      }
    }
    if demand.globals.isEmpty { return demand }
    stepCounts.removeAll()
    demand.isExclusive = steps(subject.body.block, contended, isKernelSide: subject.isKernelSide) > 1
    return demand
  }

  // MARK: Counting steps

  /// The most steps on any way through; 2 stands for all from there on.
  private mutating func steps(_ block: Block, _ contended: Set<Int>, isKernelSide: Bool) -> Int {
    var count = 0
    for instruction in block.instructions where count < 2 {
      let operation = instruction.operation
      if let global = operation.global, contended.contains(global.index) {
        let place = program.globals[global.index]
        // A new element of an array that wraps may take the place of another one.
        let makesRoom = place.wraps && operation.writesGlobal
        count += makesRoom ? 2 : operation.stepCount(place.kind, isKernelSide: isKernelSide)
      }
      let inside = operation.blocks.map { steps($0, contended, isKernelSide: isKernelSide) }
      switch operation {
      case .if: count += inside.max() ?? 0
      case .loop, .foreach: count += 2 * inside.reduce(0, +)
      case .call(_, let function, _): count += steps(function.index, contended, isKernelSide: isKernelSide)
      default: count += inside.reduce(0, +)
      }
    }
    return min(count, 2)
  }

  private mutating func steps(_ function: Int, _ contended: Set<Int>, isKernelSide: Bool) -> Int {
    if let known = stepCounts[function] { return known }
    // What comes back here while it is counted is recursion: any access happens many times then.
    stepCounts[function] = touches(function, contended) ? 2 : 0
    var count = steps(program.functions[function].body.block, contended, isKernelSide: isKernelSide)
    if let fallback = program.functions[function].fallback {
      count = min(2, count + steps(fallback.index, contended, isKernelSide: isKernelSide))
    }
    stepCounts[function] = count
    return count
  }

  private func touches(_ function: Int, _ contended: Set<Int>) -> Bool {
    let body = program.functions[function].body
    let reached = program.functionsReached(from: [body]).map { program.functions[$0].body }
    var found = false
    for body in [body] + reached {
      body.block.forEach {
        if let global = $0.operation.global, contended.contains(global.index) { found = true }
      }
    }
    return found
  }
}

/// What is known of the values of one body.
private struct BodyAccesses {
  private let uses: ValueUses
  private var threads: Set<ValueID> = []

  init(_ body: Body) {
    uses = ValueUses(body)
    // Of locals that are stored to once, what; of all, how often.
    var stored = body.locals.map { _ in Operand?.none }
    var storeCounts = body.locals.map { _ in 0 }
    var loads: [(ValueID, LocalID)] = []
    var threads: Set<ValueID> = []
    body.block.forEach { instruction in
      switch instruction.operation {
      case .context(let value, .tid, _): threads.insert(value)
      case .loadLocal(let value, let local): loads.append((value, local))
      case .storeLocal(let local, let operand):
        stored[local.index] = operand
        storeCounts[local.index] += 1
      default: for local in instruction.operation.locals { storeCounts[local.index] += 2 }
      }
    }
    for (value, local) in loads where storeCounts[local.index] == 1 {
      if case .value(let stored)? = stored[local.index], threads.contains(stored) { threads.insert(value) }
    }
    self.threads = threads
  }

  /// Whether it does not matter when it happens, as long as it does.
  func commutes(_ operation: Operation) -> Bool {
    switch operation {
    case .addGlobal(let result, _, _), .addElement(let result, _, _, _): uses[result] == 0
    case .aggregate: true
    default: false
    }
  }

  /// At which places of its key it has `tid()`; none when it touches more than one element.
  func threadKeys(_ operation: Operation) -> Set<Int> {
    let keys: [Operand?] =
      switch operation {
      case .loadElement(_, _, let keys), .storeElement(_, let keys, _), .addElement(_, _, let keys, _),
        .aggregate(_, let keys, _):
        keys
      case .contains(_, _, let keys), .delete(_, let keys), .extract(_, _, _, let keys): keys
      default: []
      }
    return Set(
      keys.indices.filter { index in
        if case .value(let value)? = keys[index] { threads.contains(value) } else { false }
      }
    )
  }
}

extension Operation {
  /// 1 when what it does to a global of that kind is whole by itself, 2 when it is not.
  ///
  /// Deleting an element is not: the kernel may give its memory to another key while somebody adds to it.
  fileprivate func stepCount(_ kind: Global.Kind, isKernelSide: Bool) -> Int {
    switch kind {
    case .scalar(.string), .array(_, .string): return 2
    case .scalar, .array, .statistic, .statisticArray: break
    }
    switch self {
    case .loadGlobal, .storeGlobal, .addGlobal, .loadElement, .storeElement: return 1
    case .addElement, .aggregate: return isKernelSide ? 1 : 2
    case .contains(_, _, let keys): return keys.contains { $0 == nil } ? 2 : 1
    case .delete: return kind == .scalar(.long) ? 1 : 2
    default: return 2
    }
  }
}

extension Trigger {
  /// Whether user-side probes of this kind run while kernel-side ones do.
  fileprivate var runsBesideTheKernel: Bool {
    switch self {
    case .timer, .event, .running: true
    case .begin, .end, .error, .never, .userSites, .tracepoint, .sample: false
    }
  }

  /// Whether no other probe can run in the same thread before one of this kind is done.
  fileprivate var isOfThread: Bool {
    switch self {
    case .userSites: true
    case .begin, .end, .error, .timer, .never, .event, .tracepoint, .sample, .running: false
    }
  }
}
