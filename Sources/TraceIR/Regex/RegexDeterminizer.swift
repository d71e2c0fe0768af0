/// Makes a ``RegexTable`` out of an automaton by following all its ways at once.
struct RegexDeterminizer {
  /// One way through the automaton that is still alive.
  private struct Thread: Hashable {
    var state: Int
    /// Ways that began earlier have a lower rank and win.
    var rank: Int
    /// Where each tag's position is: a register of the state before, ``RegexTable/position`` or `unset`.
    var tags: [UInt16]
  }

  /// A state of the table: its threads with the best first.
  private struct Key: Hashable {
    var threads: [Thread]
    /// Whether a match may still begin later.
    var isSearching: Bool
  }

  /// Tables above are refused: they would not fit where the kernel needs them.
  private static let maximumStates = 2000
  /// Ways looked at in all: what takes more would take seconds, and is refused in the end.
  private static let maximumWays = 1_000_000

  /// Registers are numbered in 16 bits, some of which mean something else.
  private static let maximumRegisters = 0xff00

  private var wayCount = 0
  private let automaton: RegexAutomaton
  private var known: [Key: Int] = [:]
  private var keys: [Key] = []
  private var moveLists: [[RegexTable.Move]: UInt16] = [[]: 0]
  private var boundLists: [[UInt16]: UInt16] = [:]

  init(_ automaton: RegexAutomaton) { self.automaton = automaton }

  /// Fills `table`, whose classes are known.
  mutating func build(into table: inout RegexTable) throws(RegexError) {
    let samples = (0..<table.classCount).map { number in
      UInt8(table.classes.firstIndex(of: UInt8(number)) ?? 0)
    }
    var threads: [Thread] = []
    follow(automaton.entry, unsetTags, rank: 0, isAtStart: true, into: &threads)
    // Registers begin as 0, which is what the first state's tags must say: its moves need not run.
    _ = try intern(key(threads, isSearching: true), &table)
    var index = 0
    while index < keys.count {
      for sample in samples { try addTransition(from: keys[index], on: sample, &table) }
      index += 1
    }
  }

  private var unsetTags: [UInt16] { [UInt16](repeating: RegexTable.unset, count: automaton.tagCount) }

  /// Adds everything reachable without reading; first come, first served.
  private func follow(
    _ state: Int,
    _ tags: [UInt16],
    rank: Int,
    isAtStart: Bool,
    into threads: inout [Thread]
  ) {
    var visited = [Bool](repeating: false, count: automaton.states.count)
    for thread in threads { visited[thread.state] = true }
    visit(state, tags, rank, isAtStart, &visited, &threads)
  }

  private func visit(
    _ state: Int,
    _ tags: [UInt16],
    _ rank: Int,
    _ isAtStart: Bool,
    _ visited: inout [Bool],
    _ threads: inout [Thread]
  ) {
    if visited[state] { return }
    visited[state] = true
    switch automaton.states[state] {
    case .byte, .accept, .end: threads.append(Thread(state: state, rank: rank, tags: tags))
    case .split(let ways): for way in ways { visit(way, tags, rank, isAtStart, &visited, &threads) }
    case .start(let next): if isAtStart { visit(next, tags, rank, isAtStart, &visited, &threads) }
    case .tag(let number, let next):
      var tags = tags
      tags[number] = RegexTable.position
      visit(next, tags, rank, isAtStart, &visited, &threads)
    }
  }

  /// Drops ways that began after one that matches.
  private func key(_ threads: [Thread], isSearching: Bool) -> Key {
    guard let match = threads.first(where: { automaton.states[$0.state] == .accept }) else {
      return Key(threads: threads, isSearching: isSearching)
    }
    return Key(threads: threads.filter { $0.rank <= match.rank }, isSearching: false)
  }

  private mutating func addTransition(
    from source: Key,
    on byte: UInt8,
    _ table: inout RegexTable
  ) throws(RegexError) {
    var threads: [Thread] = []
    for thread in source.threads {
      guard case .byte(let set, let next) = automaton.states[thread.state], set.contains(byte) else {
        continue
      }
      follow(next, thread.tags, rank: thread.rank, isAtStart: false, into: &threads)
    }
    if source.isSearching {
      follow(automaton.entry, unsetTags, rank: Int.max, isAtStart: false, into: &threads)
    }
    wayCount += threads.count + source.threads.count
    let next = key(threads, isSearching: source.isSearching)
    guard !next.threads.isEmpty || next.isSearching else {
      table.transitions.append(RegexTable.dead)
      table.moveIndices.append(0)
      return
    }
    let (state, moves) = try intern(next, &table)
    guard keys.count <= Self.maximumStates, wayCount <= Self.maximumWays else {
      throw RegexError(message: "it needs too many states", offset: 0)
    }
    table.transitions.append(UInt16(state))
    table.moveIndices.append(index(of: moves, &table))
  }

  /// Renumbers ranks and registers in the order of appearance, so that equal states are found again.
  private mutating func intern(
    _ key: Key,
    _ table: inout RegexTable
  ) throws(RegexError) -> (state: Int, moves: [RegexTable.Move]) {
    // By register of the state before, the position last: which one takes its place; 0 for none yet.
    var registers = [UInt16](repeating: 0, count: table.registerCount + 1)
    var moves: [RegexTable.Move] = []
    var canonical = key
    var rank = 0
    for index in canonical.threads.indices {
      // Ways are in the order of their ranks.
      if index > 0, key.threads[index].rank != key.threads[index - 1].rank { rank += 1 }
      canonical.threads[index].rank = automaton.tagCount == 0 ? 0 : rank
      for tag in canonical.threads[index].tags.indices {
        let source = canonical.threads[index].tags[tag]
        guard source != RegexTable.unset else { continue }
        let place = source == RegexTable.position ? registers.count - 1 : Int(source)
        if registers[place] == 0 {
          guard moves.count < Self.maximumRegisters else {
            throw RegexError(message: "it follows too many groups at once", offset: 0)
          }
          registers[place] = UInt16(moves.count + 1)
          moves.append(RegexTable.Move(destination: registers[place], source: source))
        }
        canonical.threads[index].tags[tag] = registers[place]
      }
    }
    table.registerCount = max(table.registerCount, moves.count + 1)
    if let state = known[canonical] { return (state, moves) }
    let state = keys.count
    known[canonical] = state
    keys.append(canonical)
    addAccepts(canonical, &table)
    return (state, moves)
  }

  private mutating func addAccepts(_ key: Key, _ table: inout RegexTable) {
    let match = key.threads.first { automaton.states[$0.state] == .accept }
    table.accepts.append(match.map { index(ofBounds: $0.tags, &table) } ?? 0)
    var atEnd = match
    for thread in key.threads {
      if thread == match { break }
      guard case .end = automaton.states[thread.state], let found = matchAtEnd(thread) else { continue }
      atEnd = found
      break
    }
    table.acceptsAtEnd.append(atEnd.map { index(ofBounds: $0.tags, &table) } ?? 0)
  }

  /// The way from an end assertion to the accepting state, if the text ends here.
  private func matchAtEnd(_ thread: Thread) -> Thread? {
    var pending = [thread]
    var visited: Set<Int> = []
    while let next = pending.popLast() {
      switch automaton.states[next.state] {
      case .accept: return next
      case .end(let state):
        guard visited.insert(next.state).inserted else { continue }
        var reached: [Thread] = []
        follow(state, next.tags, rank: next.rank, isAtStart: false, into: &reached)
        pending += reached.reversed()
      case .byte, .split, .tag, .start: continue
      }
    }
    return nil
  }

  private mutating func index(ofBounds list: [UInt16], _ table: inout RegexTable) -> UInt16 {
    if let old = boundLists[list] { return old }
    table.bounds.append(list)
    let index = UInt16(table.bounds.count)
    boundLists[list] = index
    return index
  }

  private mutating func index(of moves: [RegexTable.Move], _ table: inout RegexTable) -> UInt16 {
    let list = sequential(moves)
    if let old = moveLists[list] { return old }
    let index = UInt16(table.moveLists.count)
    table.moveLists.append(list)
    moveLists[list] = index
    return index
  }

  /// Orders moves that happen at once so that they can run one after the other; cycles go over a spare register.
  private func sequential(_ moves: [RegexTable.Move]) -> [RegexTable.Move] {
    var pending = moves.filter { $0.destination != $0.source }.sorted { $0.destination < $1.destination }
    var ordered: [RegexTable.Move] = []
    while !pending.isEmpty {
      if let free = pending.firstIndex(where: { move in
        !pending.contains { $0.source == move.destination }
      }) {
        ordered.append(pending.remove(at: free))
      } else {
        let spare = RegexTable.spareRegister
        ordered.append(RegexTable.Move(destination: spare, source: pending[0].destination))
        for index in pending.indices where pending[index].source == pending[0].destination {
          pending[index].source = spare
        }
      }
    }
    return ordered
  }
}
