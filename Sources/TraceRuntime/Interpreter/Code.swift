import TargetModel
import TraceIR

/// One step of compiled code: an operation on numbered slots of the frame.
///
/// Slots at or above 0 are the frame's, below 0 the unit's constants (slot -1 is constant 0). Flat steps of
/// plain numbers instead of closures: calling a stored closure retains its context, which costs more than the
/// step.
struct Step {
  var opcode: Opcode
  var a: Int32 = 0
  var b: Int32 = 0
  var c: Int32 = 0
  var location: Int32 = -1
}

/// What a step does; `a` is where a result goes.
enum Opcode: UInt8 {
  case moveLong, moveString
  case negate, complement, not
  case add, subtract, multiply, divide, remainder
  case and, or, xor
  case shiftLeft, shiftRight, shiftRightLogical
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  /// To step `a`.
  case jump
  /// To step `b` when `a` is 0.
  case jumpIfZero
  /// One round of a loop.
  case charge
  /// Bytes `a..<b` of the unit's text.
  case printText
  case printDecimal, printString
  /// Directive `b`.
  case printLong, printFormatted
  /// What is printed until `endFormat` becomes a string.
  case beginFormat, endFormat
  /// Complex operation `a`.
  case perform
  case call
  /// Complex operation `a`; to step `b` when there is no further element.
  case foreachNext
  case returnLong, returnString, returnNothing
  case next
}

/// A slot with its type.
enum Slot: Hashable {
  case long(Int32)
  case string(Int32)
}

/// Operations that are no step by themselves, with their slots.
indirect enum ComplexOperation {
  case compareStrings(Int32, Relation, Int32, Int32)
  case concatenate(Int32, [Int32])
  case matchRegex(Int32, Int32, RegexTable)
  case formatSite(Int32, Int, [Slot])
  /// A directive with `*`: width, precision, value.
  case printDynamic(PrintfDirective, Int32?, Int32?, Slot)
  /// `%m`, `%M`.
  case printMemory(PrintfDirective, Int32?, Int32?, Int32)
  case loadGlobal(Slot, GlobalID)
  case storeGlobal(GlobalID, Slot)
  case addGlobal(Int32, GlobalID, Int32)
  case loadElement(Slot, GlobalID, [Slot])
  case storeElement(GlobalID, [Slot], Slot)
  case addElement(Int32, GlobalID, [Slot], Int32)
  case contains(Int32, GlobalID, [Slot?])
  case delete(GlobalID, [Slot?])
  case aggregate(GlobalID, [Slot], Int32)
  case extract(Int32, StatisticField, GlobalID, [Slot?])
  case histogramBucket(Int32, HistogramShape, GlobalID, [Slot?], Int32)
  /// Buckets from a first one on.
  case packHistogram(Int32, HistogramShape, GlobalID, [Slot?], first: Int, count: Int)
  case printBuckets(HistogramShape, [Int32])
  case foreach(ForeachPlan)
  case intrinsic(Slot?, Intrinsic, [Slot])
  case call(Slot?, FunctionID, [Slot])
  case context(Slot, ContextField)
  case read(Int32, LocationPlan, [Slot])
  case storeEntry(Int, Slot)
  case loadEntry(Slot, Int)
  case printHistogram(HistogramShape, GlobalID, [Slot?])
  case emit(RecordID, [Slot])
}

/// A `foreach` with its slots.
struct ForeachPlan {
  var global: GlobalID
  var slice: [Slot?]
  var keys: [Slot]
  var value: Slot?
  var order: ForeachOperation.Order
  var limit: Int32?
  var histogram: HistogramShape?
  /// Which of the frame's iterators it uses.
  var iterator: Int
}

/// Steps `range` are inside a `try`.
struct TryRange {
  var range: Range<Int>
  var handler: Int
  var message: Int32?
}

/// A compiled body.
final class CodeUnit {
  let steps: [Step]
  let longConstants: [Int64]
  let stringConstants: [ByteString]
  /// Literal text of formats.
  let text: [UInt8]
  let directives: [PrintfDirective]
  let operations: [ComplexOperation]
  /// Innermost first.
  let tries: [TryRange]
  /// The slots of the body's locals, by index.
  let locals: [Slot]
  let longCount: Int
  let stringCount: Int
  /// Locals come first in a frame.
  let localLongCount: Int
  let localStringCount: Int
  let iteratorCount: Int
  /// How many locals are parameters.
  let parameterCount: Int
  let result: ValueType?
  let fallback: FunctionID?
  /// Whether it is one of several functions of a name that may say `next`.
  let isOverload: Bool

  init(
    _ builder: CodeBuilder,
    parameterCount: Int,
    result: ValueType?,
    fallback: FunctionID?,
    isOverload: Bool
  ) {
    steps = builder.steps
    longConstants = builder.longConstants
    stringConstants = builder.stringConstants
    text = builder.text
    directives = builder.directives
    operations = builder.operations
    tries = builder.tries
    locals = builder.localSlots
    longCount = builder.longCount
    stringCount = builder.stringCount
    localLongCount = builder.localLongCount
    localStringCount = builder.localStringCount
    iteratorCount = builder.iteratorCount
    self.parameterCount = parameterCount
    self.result = result
    self.fallback = fallback
    self.isOverload = isOverload
  }
}
