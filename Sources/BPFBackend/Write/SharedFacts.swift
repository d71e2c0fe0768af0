import BPFObject
import TraceIR

/// What the programs of a module may ask while they are written, which none of them changes.
///
/// One object: what holds it is copied often, by threads that write side by side.
final class SharedFacts: Sendable {
  let program: TraceProgram
  let target: BPFTarget
  let module: ModuleLayout
  let survey: ProgramSurvey
  /// Globals that conditions of probes read.
  let conditionGlobals: Set<Int>
  /// By location index.
  let positions: [SourcePosition]

  init(_ program: TraceProgram, _ target: BPFTarget) {
    self.program = program
    self.target = target
    module = ModuleLayout(program)
    survey = ProgramSurvey(program)
    conditionGlobals = program.conditionGlobals
    positions = program.locations.map { SourcePosition(file: $0.file, line: $0.line, column: $0.column) }
  }
}

/// What is true of a whole program, found out once.
struct ProgramSurvey {
  /// The script changes memory of the program: what was read before may not be true any more.
  let writesUserMemory: Bool
  let recursiveFunctions: Set<Int>

  init(_ program: TraceProgram) {
    writesUserMemory = program.writesUserMemory
    recursiveFunctions = program.recursiveFunctions
  }
}

/// What programs need of the module that they are in; found out while they are written.
struct ModuleNeeds {
  var literals: LiteralPool
  /// Bytes of scratch memory that programs of each kind need.
  var taskScratchByteCount = 0
  var poolScratchByteCount = 0
  /// Bytes of scratch memory behind the frames of the probe's entries.
  var scratchBehindFrames: Int?
  /// What the rows of `foreach` take: bytes of one, and how many a hit may use.
  private(set) var rows: [RowClass: (byteCount: Int, count: Int)] = [:]

  init(_ module: ModuleLayout) { literals = LiteralPool(capacity: module.field.capacity) }

  /// Rows of that many bytes, as many of them.
  mutating func take(_ byteCount: Int, _ count: Int, of rowClass: RowClass) {
    let known = rows[rowClass, default: (0, 0)]
    rows[rowClass] = (max(known.byteCount, byteCount), max(known.count, count))
  }

  /// Makes room for what the programs of one more probe need; gives where its literals are now.
  mutating func take(_ other: ModuleNeeds) -> (Int32) -> Int32 {
    taskScratchByteCount = max(taskScratchByteCount, other.taskScratchByteCount)
    poolScratchByteCount = max(poolScratchByteCount, other.poolScratchByteCount)
    for (rowClass, wanted) in other.rows { take(wanted.byteCount, wanted.count, of: rowClass) }
    return literals.take(other.literals)
  }
}
