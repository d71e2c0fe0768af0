import Platform
import TargetModel
import TraceIR

/// Runs compiled code.
///
/// A value with mutating functions, so that the hot loop pays no exclusivity checks.
struct Machine {
  /// How a body ended.
  enum Exit {
    case returned
    /// `next`: the probe is over.
    case next
    /// `next` in one of several functions of a name: the following one is asked.
    case declined
    /// `abort()`: the session is over.
    case aborted
  }

  /// The elements a `foreach` has still to visit.
  struct Iterator {
    var rows: [(keys: [Datum], value: Datum)] = []
    var index = 0
  }

  /// What the last `=~` that matched found.
  struct RegexMatch {
    var subject: ByteString
    var bounds: [Int]
  }

  let program: TraceProgram
  let functions: [CodeUnit]
  /// By function.
  private let isRecursive: [Bool]
  let handlers: [CodeUnit]
  let store: any GlobalStore
  let texts: FaultTexts
  let stringLimit: Int
  /// Where the session began.
  let zone = LocalTime.now
  /// Read when a script first asks.
  lazy var kernelSymbols = KernelSymbols.running()

  var longs: [Int64] = []
  var strings: [ByteString] = []
  var iterators: [Iterator] = []
  var output = ByteBuffer()
  /// Where outer formats were in `output` when an inner one began.
  var formatStarts: [Int] = []
  var context: any HitContext
  var requests: [SessionRequest] = []
  var match: RegexMatch?
  var tokens = Tokens()
  var randomness = SystemRandomNumberGenerator()

  private var actionsLeft = 0
  /// Calls of recursive functions that are under way.
  private var depth = 0
  private(set) var longResult: Int64 = 0
  private var stringResult = ByteString()

  init(
    _ program: TraceProgram,
    functions: [CodeUnit],
    handlers: [CodeUnit],
    store: any GlobalStore,
    context: any HitContext
  ) {
    self.program = program
    self.functions = functions
    let recursive = program.recursiveFunctions
    isRecursive = program.functions.indices.map { recursive.contains($0) }
    self.handlers = handlers
    self.store = store
    self.context = context
    texts = FaultTexts(program)
    stringLimit = max(0, program.limits.maxStringLength - 1)
  }

  /// Begins a hit: budgets are full again, what `matched` and `tokenize` remember is gone.
  mutating func begin(in context: any HitContext) {
    self.context = context
    actionsLeft = program.limits.maxAction
    depth = 0
    match = nil
    tokens = Tokens()
    formatStarts.removeAll(keepingCapacity: true)
  }

  /// Makes room for a frame and clears its locals.
  mutating func enter(_ unit: CodeUnit, _ longBase: Int, _ stringBase: Int, _ iteratorBase: Int) {
    while longs.count < longBase + unit.longCount { longs.append(0) }
    while strings.count < stringBase + unit.stringCount { strings.append(ByteString()) }
    while iterators.count < iteratorBase + unit.iteratorCount { iterators.append(Iterator()) }
    for index in longBase..<(longBase + unit.localLongCount) { longs[index] = 0 }
    for index in stringBase..<(stringBase + unit.localStringCount) { strings[index] = ByteString() }
  }

  /// Runs a unit whose frame has been entered.
  mutating func run(_ unit: CodeUnit, _ frame: Frame) throws(ScriptFault) -> Exit {
    var counter = 0
    while true {
      do {
        return try loop(unit, frame, &counter)
      } catch {
        dropOpenFormats()
        guard let handler = unit.tries.first(where: { $0.range.contains(counter) }) else { throw error }
        if let message = handler.message {
          strings[frame.strings + Int(message)] = texts.message(error).cut(to: stringLimit)
        }
        counter = handler.handler
      }
    }
  }

  /// Forgets the string that was being formatted when a fault came.
  private mutating func dropOpenFormats() {
    guard let start = formatStarts.first else { return }
    output.truncate(to: start)
    formatStarts.removeAll(keepingCapacity: true)
  }

  // MARK: Slots

  @inline(__always)
  func long(_ slot: Int32, _ unit: CodeUnit, _ frame: Frame) -> Int64 {
    slot >= 0 ? longs[frame.longs + Int(slot)] : unit.longConstants[Int(~slot)]
  }

  @inline(__always)
  func string(_ slot: Int32, _ unit: CodeUnit, _ frame: Frame) -> ByteString {
    slot >= 0 ? strings[frame.strings + Int(slot)] : unit.stringConstants[Int(~slot)]
  }

  func datum(_ slot: Slot, _ unit: CodeUnit, _ frame: Frame) -> Datum {
    switch slot {
    case .long(let number): .long(long(number, unit, frame))
    case .string(let number): .string(string(number, unit, frame))
    }
  }

  func keys(_ slots: [Slot], _ unit: CodeUnit, _ frame: Frame) -> [Datum] {
    slots.map { datum($0, unit, frame) }
  }

  func pattern(_ slots: [Slot?], _ unit: CodeUnit, _ frame: Frame) -> [Datum?] {
    slots.map { $0.map { datum($0, unit, frame) } }
  }

  mutating func set(_ slot: Slot, _ value: Datum, _ frame: Frame, isCut: Bool = true) {
    switch slot {
    case .long(let number): longs[frame.longs + Int(number)] = value.long
    case .string(let number):
      strings[frame.strings + Int(number)] = isCut ? value.string.cut(to: stringLimit) : value.string
    }
  }

  // MARK: The loop

  /// Runs from step `counter`, which on a fault stays at the step that failed.
  private mutating func loop(
    _ unit: CodeUnit,
    _ frame: Frame,
    _ counter: inout Int
  ) throws(ScriptFault) -> Exit {
    let steps = unit.steps
    while true {
      let step = steps[counter]
      switch step.opcode {
      case .moveLong: longs[frame.longs + Int(step.a)] = long(step.b, unit, frame)
      case .moveString: strings[frame.strings + Int(step.a)] = string(step.b, unit, frame)
      case .negate: longs[frame.longs + Int(step.a)] = 0 &- long(step.b, unit, frame)
      case .complement: longs[frame.longs + Int(step.a)] = ~long(step.b, unit, frame)
      case .not: longs[frame.longs + Int(step.a)] = long(step.b, unit, frame) == 0 ? 1 : 0
      case .add, .subtract, .multiply, .and, .or, .xor, .shiftLeft, .shiftRight, .shiftRightLogical, .equal,
        .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
        longs[frame.longs + Int(step.a)] = step.opcode.apply(
          long(step.b, unit, frame),
          long(step.c, unit, frame)
        )
      case .divide, .remainder: try divide(step, unit, frame)
      case .jump:
        counter = Int(step.a)
        continue
      case .jumpIfZero:
        if long(step.a, unit, frame) == 0 {
          counter = Int(step.b)
          continue
        }
      case .charge: try charge(step)
      case .printText: output.append(unit.text[Int(step.a)..<Int(step.b)])
      case .printDecimal: output.append(decimal: long(step.a, unit, frame))
      case .printString: output.append(string(step.a, unit, frame))
      case .printLong: output.append(long(step.a, unit, frame), as: unit.directives[Int(step.b)])
      case .printFormatted: output.append(string(step.a, unit, frame), as: unit.directives[Int(step.b)])
      case .beginFormat: formatStarts.append(output.count)
      case .endFormat: endFormat(step, frame)
      case .perform: if try perform(unit.operations[Int(step.a)], step, unit, frame) { return .aborted }
      case .call:
        let exit = try call(unit.operations[Int(step.a)], step, unit, frame)
        if exit != .returned { return exit }
      case .foreachNext:
        if !advance(unit.operations[Int(step.a)], frame) {
          counter = Int(step.b)
          continue
        }
      case .returnLong:
        longResult = long(step.a, unit, frame)
        return .returned
      case .returnString:
        stringResult = string(step.a, unit, frame)
        return .returned
      case .returnNothing:
        longResult = 0
        stringResult = ByteString()
        return .returned
      case .next: return unit.isOverload ? .declined : .next
      }
      counter += 1
    }
  }

  private mutating func divide(_ step: Step, _ unit: CodeUnit, _ frame: Frame) throws(ScriptFault) {
    let dividend = long(step.b, unit, frame)
    let divisor = long(step.c, unit, frame)
    guard divisor != 0 else { throw ScriptFault(.divisionByZero, location: step.place) }
    longs[frame.longs + Int(step.a)] =
      step.opcode == .divide
      ? dividend.dividedReportingOverflow(by: divisor).partialValue
      : dividend.remainderReportingOverflow(dividingBy: divisor).partialValue
  }

  private mutating func charge(_ step: Step) throws(ScriptFault) {
    guard actionsLeft > 0 else { throw ScriptFault(.actionBudget, location: step.place) }
    actionsLeft -= 1
  }

  private mutating func endFormat(_ step: Step, _ frame: Frame) {
    let start = formatStarts.removeLast()
    let end = min(output.count, start + stringLimit)
    strings[frame.strings + Int(step.a)] = ByteString(Array(output.bytes[start..<end]))
    output.truncate(to: start)
  }

  // MARK: Calls

  /// Calls a script function, and its fallbacks when it says `next`.
  private mutating func call(
    _ operation: ComplexOperation,
    _ step: Step,
    _ unit: CodeUnit,
    _ frame: Frame
  ) throws(ScriptFault) -> Exit {
    guard case .call(let destination, var function, let arguments) = operation else { return .returned }
    let isRecursive = isRecursive[function.index]
    if isRecursive {
      try charge(step)
      guard depth < program.limits.maxNesting else { throw ScriptFault(.nesting, location: step.place) }
      depth += 1
    }
    defer { if isRecursive { depth -= 1 } }
    let callee = Frame(
      longs: frame.longs + unit.longCount,
      strings: frame.strings + unit.stringCount,
      iterators: frame.iterators + unit.iteratorCount
    )
    while true {
      let target = functions[function.index]
      enter(target, callee.longs, callee.strings, callee.iterators)
      for (index, argument) in arguments.enumerated() where index < target.parameterCount {
        set(target.locals[index], datum(argument, unit, frame), callee)
      }
      let exit = try run(target, callee)
      if exit == .declined {
        guard let fallback = target.fallback else {
          throw ScriptFault(.functionsExhausted, location: step.place)
        }
        function = fallback
        continue
      }
      guard exit == .returned else { return exit }
      switch destination {
      case .long(let number): longs[frame.longs + Int(number)] = longResult
      case .string(let number): strings[frame.strings + Int(number)] = stringResult
      case nil: break
      }
      return .returned
    }
  }

  /// Runs a record's handler at once, as if the record had been sent.
  mutating func emit(
    _ record: RecordID,
    _ arguments: [Slot],
    _ unit: CodeUnit,
    _ frame: Frame
  ) throws(ScriptFault) {
    let target = handlers[record.index]
    let callee = Frame(
      longs: frame.longs + unit.longCount,
      strings: frame.strings + unit.stringCount,
      iterators: frame.iterators + unit.iteratorCount
    )
    enter(target, callee.longs, callee.strings, callee.iterators)
    for (index, argument) in arguments.enumerated() where index < target.locals.count {
      set(target.locals[index], datum(argument, unit, frame), callee)
    }
    _ = try run(target, callee)
  }
}

/// Where a body's slots begin.
struct Frame {
  var longs = 0
  var strings = 0
  var iterators = 0
}

extension Step {
  /// The place in the script.
  var place: Int? { location >= 0 ? Int(location) : nil }
}

extension Opcode {
  /// Operators that cannot fail.
  @inline(__always)
  fileprivate func apply(_ left: Int64, _ right: Int64) -> Int64 {
    switch self {
    case .add: left &+ right
    case .subtract: left &- right
    case .multiply: left &* right
    case .and: left & right
    case .or: left | right
    case .xor: left ^ right
    case .shiftLeft: left &<< right
    case .shiftRight: left &>> right
    case .shiftRightLogical: Int64(bitPattern: UInt64(bitPattern: left) &>> UInt64(bitPattern: right))
    case .equal: left == right ? 1 : 0
    case .notEqual: left != right ? 1 : 0
    case .less: left < right ? 1 : 0
    case .lessOrEqual: left <= right ? 1 : 0
    case .greater: left > right ? 1 : 0
    case .greaterOrEqual: left >= right ? 1 : 0
    default: 0
    }
  }
}
