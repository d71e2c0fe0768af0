/// The expression as states with ordered choices; choices earlier in a split are preferred.
struct RegexAutomaton {
  /// One state.
  enum State: Hashable {
    case byte(ByteSet, Int)
    case split([Int])
    /// Notes the position in a tag.
    case tag(Int, Int)
    case start(Int)
    case end(Int)
    case accept
  }

  private(set) var states: [State] = []
  private(set) var entry = 0
  let tagCount: Int

  /// Groups at or above `groupCount` are not followed.
  init(_ tree: RegexNode, groupCount: Int) {
    tagCount = 2 * groupCount
    let accept = add(.accept)
    entry = groupCount > 0 ? build(.group(tree, 0), accept) : build(tree, accept)
  }

  private mutating func add(_ state: State) -> Int {
    states.append(state)
    return states.count - 1
  }

  /// Adds states for `node` that go on to `next`; gives the first.
  private mutating func build(_ node: RegexNode, _ next: Int) -> Int {
    switch node {
    case .empty: return next
    case .set(let set): return add(.byte(set, next))
    case .start: return add(.start(next))
    case .end: return add(.end(next))
    case .sequence(let parts): return parts.reversed().reduce(next) { build($1, $0) }
    case .alternatives(let branches): return add(.split(branches.map { build($0, next) }))
    case .group(let body, let number):
      guard 2 * number < tagCount else { return build(body, next) }
      let closing = add(.tag(2 * number + 1, next))
      return add(.tag(2 * number, build(body, closing)))
    case .repeated(let body, let minimum, let maximum): return buildRepeated(body, minimum, maximum, next)
    }
  }

  private mutating func buildRepeated(_ body: RegexNode, _ minimum: Int, _ maximum: Int?, _ next: Int) -> Int
  {
    var first: Int
    if let maximum {
      first = next
      for _ in minimum..<maximum { first = add(.split([build(body, first), next])) }
    } else {
      let loop = add(.split([]))
      let bodyStart = build(body, loop)
      states[loop] = .split([bodyStart, next])
      first = loop
    }
    for _ in 0..<minimum { first = build(body, first) }
    return first
  }

  /// Splits the byte values into classes that no set tells apart.
  func byteClasses() -> (classes: [UInt8], count: Int) {
    var sets: [ByteSet] = []
    for case .byte(let set, _) in states where !sets.contains(set) { sets.append(set) }
    var classes = [UInt8](repeating: 0, count: 256)
    var count = 1
    for set in sets { count = split(&classes, by: set) }
    return (classes, count)
  }

  /// Splits each class into what is in `set` and what is not; numbers them in the order of their first bytes.
  private func split(_ classes: inout [UInt8], by set: ByteSet) -> Int {
    var numbers = [Int](repeating: -1, count: 512)
    var count = 0
    for byte in classes.indices {
      let part = 2 * Int(classes[byte]) + (set.contains(UInt8(byte)) ? 1 : 0)
      if numbers[part] < 0 {
        numbers[part] = count
        count += 1
      }
      classes[byte] = UInt8(numbers[part])
    }
    return count
  }
}
