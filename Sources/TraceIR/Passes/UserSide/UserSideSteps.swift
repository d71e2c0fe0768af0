import TargetModel

/// Which steps of a kernel-side body wait for what only the user side knows: texts of call chains, names of addresses,
/// and globals that such things are kept in.
struct UserSideSteps {
  let list: StepList
  /// Steps that move to the user side.
  private(set) var steps: Set<Int> = []
  /// Of them, those that may not run at all: whether they do is found out there.
  private(set) var conditional: Set<Int> = []
  /// Values that only the user side can know.
  private(set) var values: Set<ValueID> = []
  /// Variables that live there.
  private(set) var locals: Set<LocalID> = []
  /// Globals that live there.
  private(set) var globals: Set<Int>
  /// Something would have to happen on both sides.
  private(set) var isImpossible = false
  private var movesPrints = false
  private var movesMatches = false
  private var movesTokens = false

  init(_ body: Body, globals: Set<Int>) {
    list = StepList(body.block)
    self.globals = globals
    settle()
    if needsUserSide {
      // All of them, or their order would change.
      movesPrints = true
      settle()
    }
  }

  /// Whether more depends on the user side than what is only printed.
  var needsUserSide: Bool {
    steps.contains { number in
      switch list[number].operation {
      case .print, .loadLocal, .storeLocal: false
      case let operation: !operation.isMovable
      }
    }
  }

  private mutating func settle() {
    while true {
      let before = measure
      for number in list.steps.indices { look(at: number) }
      if measure == before { return }
    }
  }

  /// Grows as long as anything does.
  private var measure: [Int] {
    [steps.count, conditional.count, values.count, locals.count, globals.count]
      + [movesMatches, movesTokens, isImpossible].map { $0 ? 1 : 0 }
  }

  private mutating func look(at number: Int) {
    let step = list[number]
    let operation = step.operation
    let waits = dependsOnUserSide(operation)
    if let parent = step.parent, steps.contains(parent) { conditional.insert(number) }
    if waits, let value = operation.definedValue { values.insert(value) }
    guard waits || conditional.contains(number) || mustMove(number) else { return }
    steps.insert(number)
    note(operation, number, waits)
    if conditional.contains(number) { noteLeaving(operation, number) }
  }

  private func isKnownOnUserSide(_ operand: Operand) -> Bool {
    if case .value(let value) = operand { values.contains(value) } else { false }
  }

  private func dependsOnUserSide(_ operation: Operation) -> Bool {
    if operation.operands.contains(where: { isKnownOnUserSide($0) }) { return true }
    if let global = operation.global, globals.contains(global.index) { return true }
    switch operation {
    case .loadLocal(_, let local): return locals.contains(local)
    case .matchRegex: return movesMatches
    case .intrinsic(_, .matched, _), .intrinsic(_, .ngroups, _): return movesMatches
    case .intrinsic(_, .tokenize, _): return movesTokens
    case .intrinsic(_, let intrinsic, _): return intrinsic.needsUserSide
    default: return false
    }
  }

  /// Whether it moves for what is in it or around it.
  private func mustMove(_ number: Int) -> Bool {
    let operation = list[number].operation
    switch operation {
    case .print(let format, _): return movesPrints && !format.readsMemory
    case .tryCatch:
      // A fault on the user side cannot be caught in the kernel.
      return list.inside(number).contains { steps.contains($0) && list[$0].operation.hasEffect }
    default: break
    }
    if operation.locals.contains(where: { locals.contains($0) }) { return true }
    return list.inside(number).contains { inner in
      list[inner].operation.locals.contains { local in
        guard locals.contains(local), let mentions = list.mentions[local] else { return false }
        return mentions.lowerBound < number || mentions.upperBound >= list[number].end
      }
    }
  }

  /// What else moves with a step.
  private mutating func note(_ operation: Operation, _ number: Int, _ waits: Bool) {
    let isConditional = conditional.contains(number)
    if let global = operation.global {
      let takes = operation.operands.contains { isKnownOnUserSide($0) }
      if takes || (isConditional && !operation.readsOneElement) { globals.insert(global.index) }
    }
    switch operation {
    case .storeLocal(let local, _): locals.insert(local)
    case .foreach, .tryCatch: locals.formUnion(operation.locals)
    case .matchRegex: movesMatches = true
    case .intrinsic(_, .tokenize, _): movesTokens = true
    case .intrinsic(_, let intrinsic, _):
      let changesThread = intrinsic == .userWrite || intrinsic == .raiseSignal
      if waits && intrinsic.isOfTheHit || changesThread { isImpossible = true }
    case .read: if waits { isImpossible = true }
    case .print(let format, _), .format(_, let format, _): if format.readsMemory { isImpossible = true }
    case .storeEntry, .call: isImpossible = true
    default: break
    }
  }

  /// What follows a `next` that may or may not be reached waits for it; so does the loop of a `break`.
  private mutating func noteLeaving(_ operation: Operation, _ number: Int) {
    let ancestors = list.ancestors(of: number)
    switch operation {
    case .return, .next:
      steps.formUnion(ancestors)
      let outermost = ancestors.last ?? number
      for later in list.block(0, of: nil) where later > outermost {
        steps.insert(later)
        conditional.insert(later)
      }
    case .break, .continue:
      for ancestor in ancestors {
        steps.insert(ancestor)
        switch list[ancestor].operation {
        case .loop, .foreach: return
        default: break
        }
      }
    default: break
    }
  }
}

extension Operation {
  /// Whether it does anything but make values and choose ways.
  var hasEffect: Bool {
    switch self {
    case .if, .loop, .foreach, .tryCatch, .break, .continue, .return, .next, .storeLocal: false
    default: !isRemovable && !isReading
    }
  }

  /// Whether it only reads something that may not be there.
  private var isReading: Bool {
    switch self {
    case .read, .histogramBucket, .packHistogram, .extract, .binary, .matchRegex, .format: true
    case .intrinsic(.some, let intrinsic, _): intrinsic.isOfTheHit || intrinsic.isOfMatch
    default: false
    }
  }

  /// Whether the kernel can ask for it beforehand, whether or not it will be needed.
  var readsOneElement: Bool {
    switch self {
    case .loadGlobal, .loadElement, .contains, .extract, .histogramBucket: true
    default: false
    }
  }
}

extension Intrinsic {
  /// Whether only the user side can answer.
  var needsUserSide: Bool {
    switch self {
    case .userStackText, .userStackAddress, .userStackCallers, .userAddressDetail, .userAddressText,
      .kernelAddressDetail, .histogramText:
      true
    default: false
    }
  }

  /// Whether it needs the thread that was hit, or must be asked in its time.
  var isOfTheHit: Bool {
    switch self {
    case .userString, .userStringOr, .userStringQuoted, .userBufferQuoted, .userBytes, .userRead,
      .userReadOrZero, .kernelString, .kernelRead, .kernelStringOr, .kernelBytes, .userStack, .register,
      .uRegister, .randint, .cmdlineArg, .cmdlineStr, .envVar, .eventText:
      true
    default: false
    }
  }

  /// Whether it asks about the last `=~`.
  fileprivate var isOfMatch: Bool { self == .matched || self == .ngroups }
}
