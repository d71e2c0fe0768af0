import Synchronization

/// A regular expression as a table of states: no backtracking, one step a byte, usable in the kernel too.
///
/// The match is the leftmost, then the longest one (POSIX.1-2017, section 9.1); of several ways to match the
/// same text, the one in which earlier parts take more. Groups are followed in numbered registers that hold
/// positions: every step may move registers, and a state that matches says which register answers which bound
/// (Laurikari, “NFAs with tagged transitions”, SPIRE 2000).
package struct RegexTable: Hashable, Sendable {
  /// Moves a register, or the position behind the byte just read.
  package struct Move: Hashable, Sendable {
    package var destination: UInt16
    /// A register, or ``RegexTable/position``.
    package var source: UInt16
  }

  /// As a state: none follows, nothing more can match.
  package static let dead: UInt16 = 0xffff
  /// As a source: the position behind the byte just read.
  package static let position: UInt16 = 0xffff
  /// As a source: the group took no part.
  package static let unset: UInt16 = 0xfffe

  /// Bounds nest: `((a{255}){255}){255}` is short and means 16 million bytes.
  private static let maximumTreeStates = 4000

  /// Only used while moving in a circle.
  static let spareRegister: UInt16 = 0

  /// The class of each byte value.
  package internal(set) var classes: [UInt8]
  package internal(set) var classCount: Int
  /// The next state, or ``dead``, by `state * classCount + class`; the first state is 0.
  package internal(set) var transitions: [UInt16] = []
  /// By the same index: which of ``moveLists`` to run, in order, one after the other.
  package internal(set) var moveIndices: [UInt16] = []
  package internal(set) var moveLists: [[Move]] = [[]]
  /// By state: 0, or one more than the index in ``bounds`` of what has been matched on entering it.
  package internal(set) var accepts: [UInt16] = []
  /// By state: the same if the text ends there.
  package internal(set) var acceptsAtEnd: [UInt16] = []
  /// Sources of the bounds, two for each group: start, end.
  package internal(set) var bounds: [[UInt16]] = []
  /// Registers begin as 0.
  package internal(set) var registerCount = 0
  /// Parentheses and the whole match; 0 when the table only tells whether there is a match.
  package internal(set) var groupCount: Int

  /// Compiles `pattern`; without `captures` the table is smaller and only answers yes or no.
  /// - Throws: ``RegexError`` when the pattern is malformed or needs too many states.
  package init(_ pattern: String, captures: Bool = true) throws(RegexError) {
    var parser = RegexParser(pattern)
    let tree = try parser.parse()
    guard tree.stateCount <= Self.maximumTreeStates else {
      throw RegexError(message: "its repetitions make it too long", offset: 0)
    }
    let automaton = RegexAutomaton(tree, groupCount: captures ? parser.groupCount + 1 : 0)
    (classes, classCount) = automaton.byteClasses()
    groupCount = captures ? parser.groupCount + 1 : 0
    var builder = RegexDeterminizer(automaton)
    try builder.build(into: &self)
  }

  /// The table of `pattern`, compiled when somebody first asks: the translator does to find mistakes, and for its code.
  /// - Throws: as ``init(_:captures:)``.
  package static func compiled(_ pattern: String, captures: Bool = true) throws(RegexError) -> RegexTable {
    let key = Key(pattern: pattern, captures: captures)
    if let table = tables.withLock({ $0[key] }) { return table }
    let table = try RegexTable(pattern, captures: captures)
    tables.withLock { $0[key] = table }
    return table
  }

  private struct Key: Hashable, Sendable {
    let pattern: String
    let captures: Bool
  }

  private static let tables = Mutex<[Key: RegexTable]>([:])

  /// Whether `bytes` contain a match.
  package func matches(_ bytes: [UInt8]) -> Bool { match(bytes) != nil }

  /// Start and end of each group in the match, -1 for groups that took no part; nil when there is none.
  package func match(_ bytes: [UInt8]) -> [Int]? {
    var registers = [Int](repeating: 0, count: registerCount)
    var result: [Int]?
    var state = 0
    var position = 0
    if accepts[0] != 0 { result = answer(accepts[0], registers, 0) }
    while position < bytes.count {
      if groupCount == 0, result != nil { return result }
      let index = state * classCount + Int(classes[Int(bytes[position])])
      position += 1
      guard transitions[index] != Self.dead else { return result }
      state = Int(transitions[index])
      if moveIndices[index] != 0 {
        for move in moveLists[Int(moveIndices[index])] {
          registers[Int(move.destination)] =
            move.source == Self.position ? position : registers[Int(move.source)]
        }
      }
      if accepts[state] != 0 { result = answer(accepts[state], registers, position) }
    }
    return acceptsAtEnd[state] != 0 ? answer(acceptsAtEnd[state], registers, position) : result
  }

  private func answer(_ index: UInt16, _ registers: [Int], _ position: Int) -> [Int] {
    bounds[Int(index) - 1].map { source in
      switch source {
      case Self.position: position
      case Self.unset: -1
      default: registers[Int(source)]
      }
    }
  }
}
