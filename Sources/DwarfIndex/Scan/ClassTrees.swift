/// The classes that a thread of the scan has walked, so that it may step over them in other units.
///
/// Every C++ unit repeats the classes of its headers, and they are most of what it holds. Two classes are taken for
/// the same when name, scope, tag, line and the size of all that is in them agree.
struct ClassTrees {
  private var numbers = KeyTable()
  /// By number: a function with code was found in it, so that every copy must be walked.
  private var hasCode: ContiguousArray<Bool> = []
  /// By number: there are classes in it.
  private var hasScopes: ContiguousArray<Bool> = []
  /// By number: the scope that its members are in.
  private var scopes: ContiguousArray<Int32> = []
  private var isEntering = false
  /// The outermost class that is being walked, and the first number that was given within.
  private var current: (depth: Int, firstNumber: Int)?

  /// A class that was walked.
  struct Walked {
    /// What its members are in.
    let scope: Int32
    /// There are classes in it.
    let hasScopes: Bool
  }

  /// A class like this one that was walked before; nil, and it is remembered, when there is none.
  ///
  /// A class without a name is walked each time.
  mutating func walked(
    like name: StringReference,
    scope: Int32,
    tag: UInt16,
    line: UInt32,
    byteCount: Int,
    depth: Int
  ) -> Walked? {
    leave(depth)
    isEntering = false
    guard !name.isNone else { return nil }
    let key = KeyTable.Key(
      first: name.raw,
      second: UInt64(UInt32(bitPattern: scope)) << 32 | UInt64(line),
      third: UInt64(truncatingIfNeeded: byteCount) << 16 | UInt64(tag)
    )
    let (number, isNew) = numbers.number(of: key)
    guard isNew else {
      return hasCode[number] ? nil : Walked(scope: scopes[number], hasScopes: hasScopes[number])
    }
    hasCode.append(false)
    hasScopes.append(false)
    scopes.append(-1)
    isEntering = true
    if current == nil { current = (depth, number) }
    return nil
  }

  /// The class just remembered, if it was, is walked as `scope`.
  mutating func enter(_ scope: Int32) {
    if isEntering { scopes[scopes.count - 1] = scope }
    isEntering = false
  }

  /// A function with code of its own is at `depth`.
  mutating func noteCode(depth: Int) {
    leave(depth)
    guard let current else { return }
    for number in current.firstNumber..<hasCode.count { hasCode[number] = true }
  }

  /// A class with members is at `depth`, one that has not been asked for yet.
  mutating func noteScope(depth: Int) {
    leave(depth)
    guard let current else { return }
    for number in current.firstNumber..<hasScopes.count { hasScopes[number] = true }
  }

  /// A new unit begins.
  mutating func leaveUnit() { current = nil }

  /// The walk is at a DIE of `depth`: what is not above it is over.
  private mutating func leave(_ depth: Int) {
    if let open = current, depth <= open.depth { current = nil }
  }
}
