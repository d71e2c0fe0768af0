import TargetModel
import TraceIR

/// The regular expressions of a module's kernel side as bytes of one map value, and the memory that matching takes.
///
/// Tables say in 32-bit words where in the image the rest of them is. Moves are copies between the words of the
/// match area: what a step moves, and then, when it enters a state that matches, where the groups are.
///
///     table        classes, transitions, ends, start, bounds   the class of each byte (256 bytes)
///     transitions  next state, moves                           by state and class
///     ends         moves                                       by state, when the text ends there
///     moves        count                                       then destination and source, 16 bits each
struct RegexImage {
  /// Words of the match area before the bounds.
  enum Word {
    /// How many bounds the last match has; 0: there was none.
    static let boundCount = 0
    static let position = 1
    static let unset = 2
    /// What `boundCount` becomes by a match.
    static let allBounds = 3
    static let nextMove = 4
    static let moveCount = 5
    static let table = 6
    static let zero = 7
    static let bounds = 8
  }

  /// Offsets in a table.
  enum Table {
    static let classCount = 0
    static let transitions = 4
    static let ends = 8
    static let start = 12
    static let boundCount = 16
    static let classes = 24
    static let byteCount = classes + 256
  }

  /// As a next state: nothing more can match; what has been found is the answer.
  static let stop: UInt32 = 0xffff_ffff
  /// As a next state: there is a match, and nobody asks where.
  static let found: UInt32 = 0xffff_fffe

  /// What one value of a map holds at most, so that the kernel can copy it.
  private static let maximumByteCount = 2 << 20

  private(set) var contents: [UInt8] = []
  /// Where the table of a pattern begins.
  private(set) var offsets: [String: Int] = [:]
  /// Patterns that have no table, and why.
  private(set) var refused: [String: String] = [:]
  /// Words of the match area; a power of two.
  private(set) var wordCount = 16
  private var moveLists: [[UInt32]: UInt32] = [:]

  /// What masks an offset in the image.
  var mask: Int32 { Int32(max(contents.count, 8).roundedUpToPowerOfTwo - 1) }

  /// Bytes of the map's value: whatever is masked, and a table's head behind it.
  var byteCount: Int { Int(mask) + 1 + Table.byteCount + 8 }

  /// The patterns that kernel-side code of `program` matches, with groups when it asks for them anywhere.
  init(_ program: TraceProgram) {
    var patterns: [String] = []
    var hasCaptures = false
    for body in program.kernelSideBodies {
      body.block.forEach { instruction in
        switch instruction.operation {
        case .matchRegex(_, _, let pattern): patterns.append(pattern)
        case .intrinsic(_, .matched, _), .intrinsic(_, .ngroups, _): hasCaptures = true
        default: break
        }
      }
    }
    for pattern in patterns where offsets[pattern] == nil && refused[pattern] == nil {
      add(pattern, captures: hasCaptures)
    }
  }

  private mutating func add(_ pattern: String, captures: Bool) {
    do throws(RegexError) {
      let table = try RegexTable.compiled(pattern, captures: captures)
      let words = Word.bounds + 2 * table.groupCount + table.registerCount
      let size = contents.count + table.transitions.count * 8 + table.accepts.count * 4 + Table.byteCount
      guard words <= 4096, size + table.moveLists.count * 64 <= Self.maximumByteCount else {
        refused[pattern] = "its \(table.accepts.count) states take \(size) bytes, more than a map may hold"
        return
      }
      wordCount = max(wordCount, words.roundedUpToPowerOfTwo)
      offsets[pattern] = append(table)
    } catch {
      refused[pattern] = error.message
    }
  }

  // MARK: Tables

  private mutating func append(_ table: RegexTable) -> Int {
    let isSearch = table.groupCount == 0
    var transitions: [UInt32] = []
    for (index, next) in table.transitions.enumerated() {
      if next == RegexTable.dead {
        transitions += [Self.stop, 0]
      } else if isSearch, table.accepts[Int(next)] != 0 {
        transitions += [Self.found, 0]
      } else {
        let moves = table.moveLists[Int(table.moveIndices[index])]
        transitions += [UInt32(next), list(moves, accepting: table.accepts[Int(next)], table)]
      }
    }
    let ends = table.acceptsAtEnd.map { list([], accepting: $0, table) }
    // The first state's tags are all in the register that was filled first: where the text begins.
    let beginning = table.registerCount > 1 ? [copy(register(1, table), Word.zero)] : []
    let start = list(beginning + accepting(table.accepts[0], table))
    let transitionsOffset = append(transitions)
    let endsOffset = append(ends)
    let boundCount = max(1, 2 * table.groupCount)
    let offset = append(
      [UInt32(table.classCount), transitionsOffset, endsOffset, start, UInt32(boundCount), 0]
    )
    contents += table.classes
    return Int(offset)
  }

  private mutating func append(_ words: [UInt32]) -> UInt32 {
    let offset = UInt32(contents.count)
    for word in words {
      for shift in [0, 8, 16, 24] as [UInt32] { contents.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    return offset
  }

  // MARK: Moves

  private func register(_ number: UInt16, _ table: RegexTable) -> Int {
    Word.bounds + 2 * table.groupCount + Int(number)
  }

  private func source(_ source: UInt16, _ table: RegexTable) -> Int {
    switch source {
    case RegexTable.position: Word.position
    case RegexTable.unset: Word.unset
    default: register(source, table)
    }
  }

  private func copy(_ destination: Int, _ source: Int) -> UInt32 {
    UInt32(destination) | UInt32(source) << 16
  }

  private func accepting(_ accept: UInt16, _ table: RegexTable) -> [UInt32] {
    guard accept != 0 else { return [] }
    let bounds = table.bounds[Int(accept) - 1].enumerated().map { index, bound in
      copy(Word.bounds + index, source(bound, table))
    }
    return bounds + [copy(Word.boundCount, Word.allBounds)]
  }

  private mutating func list(
    _ moves: [RegexTable.Move],
    accepting accept: UInt16,
    _ table: RegexTable
  ) -> UInt32 {
    let copies = moves.map { copy(register($0.destination, table), source($0.source, table)) }
    return list(copies + accepting(accept, table))
  }

  /// Where a list of moves is; 0 when there are none.
  private mutating func list(_ moves: [UInt32]) -> UInt32 {
    if moves.isEmpty { return 0 }
    if let known = moveLists[moves] { return known }
    // Nothing else may be at 0.
    if contents.isEmpty { _ = append([0]) }
    let offset = append([UInt32(moves.count)] + moves)
    moveLists[moves] = offset
    return offset
  }
}
