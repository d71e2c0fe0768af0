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

    mutating func take(_ access: GlobalAccess, _ isOfThread: Bool) {
      if access.isWrite { isWritten = true }
      if !access.commutes { isOrdered = true }
      let places = isOfThread ? access.threadKeys : []
      threadKeys = threadKeys.map { $0.intersection(places) } ?? places
    }
  }

  private let program: TraceProgram
  let subjects: [Subject]
  /// What the bodies of each subject, and of each function that one of them reaches, do to globals.
  private let accesses: [[GlobalAccess]]
  private let functionAccesses: [Int: [GlobalAccess]]
  /// The functions that each subject reaches.
  private let reached: [Set<Int>]
  private var stepCounts: [Int: Int] = [:]

  init(_ program: TraceProgram) {
    self.program = program
    let subjects = program.probes.enumerated().flatMap { index, probe -> [Subject] in
      let isKernelSide = probe.trigger.isKernelSide
      guard isKernelSide || probe.trigger.runsBesideTheKernel else { return [] }
      let body = Subject(probe: index, isEntry: false, isKernelSide: isKernelSide, body: probe.body)
      let entry = probe.entryBody.map {
        Subject(probe: index, isEntry: true, isKernelSide: isKernelSide, body: $0)
      }
      return [body] + (entry.map { [$0] } ?? [])
    }
    self.subjects = subjects
    accesses = subjects.map { GlobalAccess.all(in: $0.body) }
    reached = subjects.map { program.functionsReached(from: [$0.body]) }
    let functions = reached.reduce(into: Set()) { $0.formUnion($1) }
    functionAccesses = Dictionary(
      uniqueKeysWithValues: functions.map { ($0, GlobalAccess.all(in: program.functions[$0].body)) }
    )
  }

  /// Globals that one probe can find in a state that another one would not leave them in.
  var contended: Set<Int> {
    var facts = Array(repeating: Facts(), count: program.globals.count)
    for index in subjects.indices {
      let isOfThread = program.probes[subjects[index].probe].trigger.isOfThread
      forEachAccess(of: index) { facts[$0.global].take($0, isOfThread) }
    }
    return Set(
      facts.indices.filter { index in
        facts[index].isWritten && facts[index].isOrdered && !(facts[index].threadKeys?.isEmpty == false)
          && program.globals[index].isUsedInKernel
      }
    )
  }

  /// Visits what the subject and the functions that it reaches do.
  private func forEachAccess(of subject: Int, _ visit: (GlobalAccess) -> Void) {
    accesses[subject].forEach(visit)
    for function in reached[subject] { functionAccesses[function]?.forEach(visit) }
  }

  /// What each subject does to the globals in `contended`.
  mutating func demands(on contended: Set<Int>) -> [Demand] {
    subjects.indices.map { demand(of: $0, on: contended) }
  }

  private mutating func demand(of index: Int, on contended: Set<Int>) -> Demand {
    var demand = Demand()
    forEachAccess(of: index) { if contended.contains($0.global) { demand.globals.insert($0.global) } }
    if demand.globals.isEmpty { return demand }
    stepCounts.removeAll()
    let subject = subjects[index]
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
    let others = program.functionsReached(from: [program.functions[function].body])
    return others.union([function]).contains { index in
      functionAccesses[index]?.contains { contended.contains($0.global) } ?? false
    }
  }
}

/// What one operation does to a global.
private struct GlobalAccess {
  let global: Int
  let isWrite: Bool
  /// Whether it does not matter when it happens, as long as it does.
  let commutes: Bool
  /// At which places of its key it has `tid()`; none when it touches more than one element.
  let threadKeys: Set<Int>

  /// All accesses of a body, in the order of the text.
  static func all(in body: Body) -> [GlobalAccess] {
    var operations: [Operation] = []
    body.block.forEach { if $0.operation.global != nil { operations.append($0.operation) } }
    if operations.isEmpty { return [] }
    let uses = ValueUses(body)
    let threads = threadValues(in: body)
    return operations.compactMap { operation in
      operation.global.map { global in
        GlobalAccess(
          global: global.index,
          isWrite: operation.writesGlobal,
          commutes: operation.commutes(uses),
          threadKeys: operation.keyPlaces(of: threads)
        )
      }
    }
  }

  /// Values that are `tid()`, also by way of a variable that is stored to once.
  private static func threadValues(in body: Body) -> Set<ValueID> {
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
    return threads
  }
}

extension Operation {
  fileprivate func commutes(_ uses: ValueUses) -> Bool {
    switch self {
    case .addGlobal(let result, _, _), .addElement(let result, _, _, _): uses[result] == 0
    case .aggregate: true
    default: false
    }
  }

  /// The places of its key, if it has one that names one element, at which a value of `values` stands.
  fileprivate func keyPlaces(of values: Set<ValueID>) -> Set<Int> {
    if values.isEmpty { return [] }
    let keys: [Operand?] =
      switch self {
      case .loadElement(_, _, let keys), .storeElement(_, let keys, _), .addElement(_, _, let keys, _),
        .aggregate(_, let keys, _):
        keys
      case .contains(_, _, let keys), .delete(_, let keys), .extract(_, _, _, let keys): keys
      default: []
      }
    return Set(
      keys.indices.filter { index in
        if case .value(let value)? = keys[index] { values.contains(value) } else { false }
      }
    )
  }

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
