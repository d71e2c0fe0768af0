import BPFObject
import TraceIR

/// Selects the instructions of one program.
///
/// `r0`–`r5` never hold anything from one step to the next; `r6`–`r9` are homes, the context, scratch memory
/// and the entry frame, as ``FrameLayout`` says.
struct CodeWriter {
  /// Where a fault goes that the script catches.
  struct Handler {
    let label: Assembler.Label
    let message: LocalID?
  }

  /// Where a body is left.
  struct Ends {
    /// After the body: locks are given back, output is sent, scratch memory given back.
    let end: Assembler.Label
    /// Reports a fault: `r1` holds code and location, `r2` the subject.
    let uncaught: Assembler.Label
    /// Counts an error that is already reported.
    let counted: Assembler.Label

    init(_ code: inout Assembler) {
      end = code.makeLabel()
      uncaught = code.makeLabel()
      counted = code.makeLabel()
    }
  }

  let shared: SharedFacts
  /// What the programs of this probe need of the module.
  var needs: ModuleNeeds
  var code: Assembler
  let facts: ProbeFacts
  let layout: FrameLayout
  /// Where values that are kept from entries lie.
  let frames: EntryFrameLayout
  /// Of the function that is being written, or of the part of it that holds a lock.
  var ends: Ends
  /// Those of parts with a lock that are written.
  var innerEnds: [Ends] = []
  /// Whether what is being written holds the lock of its globals.
  var holdsLock = false
  /// Before anything was claimed.
  let quit: Assembler.Label
  /// Scratch memory was claimed, the slot of walks was not.
  let slotless: Assembler.Label
  var handlers: [Handler] = []
  var scopes: [Int: Assembler.Label] = [:]
  var loops: [(next: Assembler.Label, end: Assembler.Label)] = []
  /// Loops begun so far.
  private var loopCount = 0
  /// Where rounds begin, where each is a call of its own.
  var roundStarts: [Assembler.Label] = []
  var pendingRounds: [PendingRound] = []
  var recursion: OpenRecursion?
  /// Whether what is written is such a round.
  var isInRound = false
  /// Of the step being written.
  var location: Int?
  var subprograms: [Subprogram: Assembler.Function] = [:]
  var tableFunctions: [TableFunction: Assembler.Function] = [:]
  var pendingTableFunctions: [TableFunction] = []
  /// What to do about user memory that is not resident.
  var absentMemory = AbsentMemory()
  /// Whether any code written so far waits for memory, so that the program must be one that may sleep.
  var waits = false

  init(name: String, shared: SharedFacts, needs: ModuleNeeds, facts: ProbeFacts, layout: FrameLayout) {
    self.shared = shared
    self.needs = needs
    self.facts = facts
    self.layout = layout
    frames = EntryFrameLayout(facts, module: shared.module)
    code = Assembler(program: name)
    // `gotol` is older (6.6 and 6.9): kernels between them do without.
    code.allowsLongJumps = shared.target.hasMayGoto
    ends = Ends(&code)
    quit = code.makeLabel()
    slotless = code.makeLabel()
  }

  /// Begins a function with ends of its own.
  mutating func begin(_ function: Assembler.Function) {
    code.begin(function)
    ends = Ends(&code)
  }

  var module: ModuleLayout { shared.module }
  var demand: FrameDemand { layout.demand }
}

// MARK: Steps

extension CodeWriter {
  mutating func write(_ steps: [Step]) throws(BPFBackendError) {
    var rest = steps[...]
    while let step = rest.popFirst() {
      visit(step.location)
      if let next = rest.first, try writeFoundElement(step, next) {
        rest.removeFirst()
      } else {
        try write(step.action)
      }
    }
  }

  /// What is written now comes from there.
  mutating func visit(_ place: Int?) {
    location = place
    code.position = place.map { shared.positions[$0] } ?? code.position
  }

  private mutating func write(_ action: Action) throws(BPFBackendError) {
    switch action {
    case .operation(let operation):
      try write(operation)
      tellConditions(of: operation)
    case .machine(let result, let operation): try write(operation, result)
    case .readFields(let read): write(read)
    case .emit(let record, let site, let operands): writeEmit(record, site: site, operands)
    case .control(let record, let site, let text): writeControl(record, site: site, text)
    case .fault(let fault, let subject, let text): writeFault(fault, subject: subject, text)
    case .branch(let condition, let then, let other):
      try writeBranch(condition, hasElse: !other.isEmpty) { writer, isThen throws(BPFBackendError) in
        try writer.write(isThen ? then : other)
      }
    case .loop: try writeLoop(action)
    case .walk(let step): write(step)
    case .scope(let number, let steps): try writeScope(number, steps)
    case .leave(let number): if let label = scopes[number] { code.jump(to: label) }
    case .breakLoop: if let loop = loops.last { code.jump(to: loop.end) }
    case .continueLoop: if let loop = loops.last { code.jump(to: loop.next) }
    case .finish: code.jump(to: ends.end)
    case .attempt(let steps, let message, let handler): try writeAttempt(steps, message, handler)
    case .activate(let recursion): try writeActivation(recursion)
    case .recurse(let function, let passed, _): writeRecursiveCall(function, passed)
    }
  }

  /// `write` is called for both arms, first for the one where the condition holds.
  mutating func writeBranch(
    _ condition: Operand,
    hasElse: Bool,
    _ write: (_ writer: inout CodeWriter, _ isThen: Bool) throws(BPFBackendError) -> Void
  ) throws(BPFBackendError) {
    let otherwise = code.makeLabel()
    let done = code.makeLabel()
    jump(unless: condition, to: otherwise)
    try write(&self, true)
    if hasElse { code.jump(to: done) }
    code.place(otherwise)
    try write(&self, false)
    code.place(done)
  }

  private mutating func writeScope(_ number: Int, _ steps: [Step]) throws(BPFBackendError) {
    let label = code.makeLabel()
    scopes[number] = label
    var steps = steps
    if case .leave(number)? = steps.last?.action { steps.removeLast() }
    try write(steps)
    code.place(label)
  }

  private mutating func writeAttempt(
    _ steps: [Step],
    _ message: LocalID?,
    _ handler: [Step]
  ) throws(BPFBackendError) {
    let failed = code.makeLabel()
    let done = code.makeLabel()
    handlers.append(Handler(label: failed, message: message))
    try write(steps)
    handlers.removeLast()
    code.jump(to: done)
    code.place(failed)
    try write(handler)
    code.place(done)
  }

  private mutating func writeLoop(_ action: Action) throws(BPFBackendError) {
    guard case .loop(let condition, let operand, let body, let step, let budget) = action else { return }
    let place = location
    let next = code.makeLabel()
    let (exhausted, done) = (code.makeLabel(), code.makeLabel())
    let carried = carriedHomes(condition + body + step, budget)
    blur(carried)
    let start = beginRound(exhausted)
    try write(condition)
    jump(unless: operand, to: done)
    if let budget { spend(budget, exhausted) }
    loops.append((next, done))
    try write(body)
    loops.removeLast()
    code.place(next)
    try write(step)
    blur(carried)
    goOn(start)
    code.place(exhausted)
    visit(place)
    raise(.actionBudget, subject: 0)
    code.place(done)
  }

  mutating func spend(_ budget: LocalID, _ exhausted: Assembler.Label) {
    load(layout.home(budget), into: .r0)
    code.emit(.arithmetic(.add, .r0, 1))
    store(.r0, in: layout.home(budget))
    // A recursive call takes two rounds, and another one when it fails.
    let mostRounds =
      shared.target.hasMayGoto ? Int.max : Self.maximumRounds / (layout.regions.isEmpty ? 1 : 4)
    code.loadConstant(.r1, Int64(min(module.limits.maxAction, mostRounds)))
    code.jump(if: .signedGreater, .r0, .r1, to: exhausted)
  }

  /// The number of a loop, in the order of the code.
  @discardableResult mutating func beginLoop() -> Int {
    defer { loopCount += 1 }
    return loopCount
  }

  /// Where that lives which goes from one round of the loop to the next, as far as the verifier follows it.
  private mutating func carriedHomes(_ steps: [Step], _ budget: LocalID?) -> [Home] {
    let number = beginLoop()
    // What is in scratch memory is unknown to it anyway.
    if demand.runsInRounds { return [] }
    let changed = StoredLocals.of(steps).union(budget.map { [$0] } ?? []).sorted { $0.index < $1.index }
    return changed.filter { layout.liveness.isLive($0, atLoop: number) }.map { layout.home($0) }
      .filter { home in
        switch home {
        case .register, .stack: true
        case .scratch, .unused: false
        }
      }
  }

  /// Adds a zero that the verifier cannot know, so that every round looks to the verifier like the first.
  ///
  /// Before the loop and in each round: a counter that was compared with two neighbouring numbers is a known
  /// one, and without this each of the next rounds has another one.
  private mutating func blur(_ homes: [Home]) {
    if homes.isEmpty { return }
    writeUnknownZero(.r1)
    for home in homes {
      if case .register(let register) = home {
        code.emit(.arithmetic(.add, register, .r1))
        continue
      }
      load(home, into: .r0)
      code.emit(.arithmetic(.add, .r0, .r1))
      store(.r0, in: home)
    }
  }

  /// Zero, though the verifier takes it for any number.
  ///
  /// Uses `r0`.
  mutating func writeUnknownZero(_ register: BPFRegister) {
    code.loadMapValue(register, ModuleMaps.scalars)
    code.emit(.load(.double, register, register))
    code.emit(.move(.r0, register))
    code.emit(.arithmetic(.xor, register, .r0))
  }
}

/// Locals that steps assign.
private struct StoredLocals: StepVisitor {
  private var locals: Set<LocalID> = []

  static func of(_ steps: [Step]) -> Set<LocalID> {
    var visitor = StoredLocals()
    visitor.visit(steps)
    return visitor.locals
  }

  mutating func see(stored local: LocalID) { locals.insert(local) }
}
