import Diagnostics
import Elaboration
import TargetModel
import TraceIR

/// Builds one body, block by block.
struct BodyBuilder {
  private var body = Body()
  private var current: [Instruction] = []
  let locations: LocationTable
  /// What `@entry` asked for.
  private(set) var entryCaptures = EntryCaptures()
  /// Whether the body runs where the function is entered: what `@entry` asks for is there.
  private let isEntry: Bool
  /// Bytes of the longest string.
  let longestString: Int
  /// The regular expressions that it matches with.
  var patterns: [(text: String, range: SourceRange)] = []

  init(locals: [ValueType], locations: LocationTable, _ limits: Limits, isEntry: Bool = false) {
    self.isEntry = isEntry
    longestString = limits.longestString
    body.locals = locals
    self.locations = locations
  }

  /// The finished body.
  consuming func finish() -> Body {
    body.block = Block(current)
    return body
  }

  /// Adds an instruction that `range` of the script asked for.
  mutating func emit(_ operation: Operation, at range: SourceRange) {
    current.append(Instruction(operation, at: locations.index(of: range)))
  }

  /// Adds an instruction and gives its result.
  mutating func emit(
    _ type: ValueType,
    at range: SourceRange,
    _ operation: (ValueID) -> Operation
  ) -> Operand {
    let value = newValue(type)
    emit(operation(value), at: range)
    return .value(value)
  }

  /// A number for one more value.
  mutating func newValue(_ type: ValueType) -> ValueID {
    body.values.append(type)
    return ValueID(body.values.count - 1)
  }

  /// A variable that no script names.
  mutating func newLocal(_ type: ValueType) -> LocalID {
    body.locals.append(type)
    return LocalID(body.locals.count - 1)
  }

  /// What `build` emits, as a block of its own, and what it gives.
  mutating func block<Result>(_ build: (inout BodyBuilder) -> Result) -> (Block, Result) {
    let outer = current
    current = []
    let result = build(&self)
    let inner = Block(current)
    current = outer
    return (inner, result)
  }

  /// The slot for `capture`.
  ///
  /// Nil at the entry itself, where `capture` is evaluated on the spot: `@entry(user_string($s))` has one inside
  /// another, because `$s` in a return probe is what it was at the entry.
  mutating func entrySlot(for capture: ElaboratedExpression) -> Int? {
    if isEntry { return nil }
    return entryCaptures.slot(for: capture)
  }
}
