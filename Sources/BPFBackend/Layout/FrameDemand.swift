import TargetModel
import TraceIR

/// A comparison that the branch right behind it makes on its own.
struct FusedComparison {
  let operation: BinaryOperation
  let left: Operand
  let right: Operand
}

/// What a body needs of its frame, found out before anything is placed.
struct FrameDemand: StepVisitor {
  private(set) var needsContext = false
  private(set) var needsScratch = false
  /// Bytes next to the frame pointer for keys and values on their way to helpers.
  private(set) var arenaByteCount = 0
  /// Whether texts go to the control ring.
  private(set) var sendsText = false
  private(set) var mayFault = false
  private(set) var fused: [ValueID: FusedComparison] = [:]
  private(set) var output = OutputMode.none
  private(set) var usesEntrySlots = false
  /// Whether each round of a loop is a call of its own, to which nothing comes that is not in scratch memory.
  private(set) var runsInRounds = false
  /// Whether `tokenize` needs to remember a text.
  private(set) var usesTokens = false
  /// Whether there is a match of a regular expression, and whether anybody asks where.
  private(set) var usesRegex = false
  private(set) var usesCaptures = false
  private var hasLoop = false
  /// Whether it merges statistics or goes over elements, which is done in scratch memory.
  private(set) var usesState = false
  /// What walks take; empty when nothing walks.
  private(set) var rows: [RowClass: RowDemand] = [:]
  let liveness: Liveness
  private let hasMayGoto: Bool
  private let module: ModuleLayout
  private let facts: ProbeFacts

  /// Bytes of stack that a program may use; the kernel adds 16 for `may_goto` (6.15, time slices).
  var frameByteCount: Int { hasLoop ? 32 : 48 }

  init(
    _ body: ExpandedBody,
    facts: ProbeFacts,
    program: TraceProgram,
    module: ModuleLayout,
    hasEntrySlots: Bool,
    hasMayGoto: Bool
  ) {
    self.module = module
    liveness = Liveness(body)
    self.hasMayGoto = hasMayGoto
    self.facts = facts
    usesEntrySlots = hasEntrySlots
    if hasEntrySlots {
      needsContext = true
      reserve(8)
    }
    output = OutputMode(body.steps, program)
    if output.bufferByteCount > 0 { needsScratch = true }
    if body.values.contains(.string) || body.locals.contains(.string) { needsScratch = true }
    visit(body.steps)
    findComparisons(body.steps)
    if mayFault && facts.siteCount > 1 {
      needsContext = true
      reserve(8)
    }
    if needsScratch { reserve(8) }
  }

  private mutating func reserve(_ byteCount: Int) { arenaByteCount = max(arenaByteCount, byteCount) }

  mutating func willEnterLoop() {
    hasLoop = true
    mayFault = true
    if !hasMayGoto {
      runsInRounds = true
      needsScratch = true
    }
  }

  mutating func willVisit(_ step: Step) {
    switch step.action {
    case .operation(let operation): examine(operation)
    case .machine(_, let operation): examine(operation)
    case .readFields(let read):
      mayFault = true
      reserve(read.byteCount)
    case .fault(_, _, let text):
      mayFault = true
      if text != nil { send() }
    case .control(_, _, let text): if text != nil { send() }
    case .attempt(_, let message, _): if message != nil { needsScratch = true }
    case .activate: needsScratch = true
    case .walk(let step): examine(step)
    case .emit, .branch, .loop, .scope, .leave, .breakLoop, .continueLoop, .finish, .recurse: break
    }
  }

  private mutating func send() {
    sendsText = true
    needsScratch = true
  }

  private mutating func examine(_ step: WalkStep) {
    useState()
    reserve(16)
    guard case .begin(let walk, _) = step else { return }
    rows[walk.row.rowClass, default: RowDemand(nesting: module.limits.maxNesting)].add(walk)
    if walk.isRecursive { mayFault = true }
  }

  private mutating func useState() {
    usesState = true
    needsScratch = true
  }

  private mutating func examine(_ operation: MachineOperation) {
    switch operation {
    case .register, .tracepointArgument, .site: needsContext = true
    case .load:
      mayFault = true
      reserve(8)
    case .siteLoad:
      needsContext = true
      mayFault = true
      reserve(SiteLoadTable.workByteCount)
    case .siteText: reserve(8)
    default: break
    }
  }

  private mutating func examine(_ operation: Operation) {
    switch operation {
    case .binary(_, .divide, _, _), .binary(_, .remainder, _, _): mayFault = true
    case .loadElement(_, let global, _): examineTable(global, valueByteCount: 0)
    case .contains(_, let global, let keys), .delete(let global, let keys):
      examineTable(global, valueByteCount: 0)
      if keys.contains(where: { $0 == nil }) { useState() }
    case .storeElement(let global, _, _), .addElement(_, let global, _, _):
      examineTable(global, valueByteCount: 8)
    case .aggregate(let global, _, _): examineTable(global, valueByteCount: 8)
    case .extract(_, _, let global, _), .histogramBucket(_, _, let global, _, _),
      .packHistogram(_, _, let global, _, _, _):
      examineTable(global, valueByteCount: 8)
      useState()
    case .matchRegex:
      usesRegex = true
      needsScratch = true
    case .intrinsic(_, .matched, _), .intrinsic(_, .ngroups, _):
      usesRegex = true
      usesCaptures = true
      mayFault = true
      send()
    case .intrinsic(_, let intrinsic, _):
      if intrinsic == .tokenize { usesTokens = true }
      mayFault = true
      reserve(8)
      if intrinsic == .userStack { needsContext = true }
    default: break
    }
  }

  private mutating func examineTable(_ global: GlobalID, valueByteCount: Int) {
    mayFault = true
    guard module.tables[global.index] != nil else { return }
    let table = module.table(global)
    if table.keyOffset != nil || table.value == .string { needsScratch = true }
    if table.wrapping != nil && valueByteCount > 0 || table.tally != nil { reserve(16) }
    reserve((table.keyOffset == nil ? max(8, table.key.byteCount) : 0) + valueByteCount)
  }

  // MARK: Comparisons

  private mutating func findComparisons(_ steps: [Step]) {
    for (index, step) in steps.enumerated() {
      let next = index + 1 < steps.count ? steps[index + 1].action : nil
      if case .branch(let condition, _, _)? = next { fuse(step, condition) }
      switch step.action {
      case .branch(_, let then, let other):
        findComparisons(then)
        findComparisons(other)
      case .loop(let condition, let operand, let body, let increment, _):
        if let last = condition.last { fuse(last, operand) }
        for part in [condition, body, increment] { findComparisons(part) }
      case .scope(_, let steps): findComparisons(steps)
      case .attempt(let steps, _, let handler):
        findComparisons(steps)
        findComparisons(handler)
      case .activate(let recursion):
        for function in recursion.functions { findComparisons(function.steps) }
      default: break
      }
    }
  }

  private mutating func fuse(_ step: Step, _ condition: Operand) {
    guard case .operation(.binary(let result, let operation, let left, let right)) = step.action,
      condition == .value(result), operation.isComparison, liveness.interval(result).useCount == 1
    else { return }
    fused[result] = FusedComparison(operation: operation, left: left, right: right)
  }
}

/// How many rows of one class a program uses at once.
struct RowDemand {
  /// How many activations of a recursive function there may be.
  let nesting: Int
  /// Bytes of the largest row.
  private(set) var byteCount = 0
  /// Most rows of walks outside of recursive functions, and of one activation inside.
  private var outside = 0
  private var inside = 0

  /// All activations together get this much, or what one needs: hardly ever does each fill all rows that it may.
  private static let mostRecursiveBytes = 32 << 20

  init(nesting: Int) { self.nesting = max(1, nesting) }

  mutating func add(_ walk: Walk) {
    byteCount = max(byteCount, walk.row.byteCount)
    if walk.isRecursive { inside = max(inside, walk.lastRow) } else { outside = max(outside, walk.lastRow) }
  }

  private var wanted: Int { inside * nesting }

  /// Rows of a slot.
  var count: Int { outside + min(wanted, max(inside, Self.mostRecursiveBytes / max(1, byteCount))) }

  /// Whether walks of recursive functions may find no room, which they must look at.
  var isBounded: Bool { count < outside + wanted }
}

extension BinaryOperation {
  var isComparison: Bool {
    switch self {
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: true
    case .add, .subtract, .multiply, .divide, .remainder, .and, .or, .xor, .shiftLeft, .shiftRight,
      .shiftRightLogical:
      false
    }
  }
}
