import TraceIR

/// One `foreach` of a probe: what is kept of each element, and in which order.
///
/// The elements that match are copied into *rows* of an array map before the first round, because the hash map may
/// change meanwhile and because a sorted walk must have seen all. A hit that walks owns a *slot*: as many rows as the
/// walks that may be under way at once take. A walk's rows begin behind those that walks around it have filled, also where
/// those belong to callers.
struct Walk: Hashable {
  let content: WalkContent
  /// Where its rows begin.
  let first: LocalID
  /// The most rows that are ever looked at.
  let capacity: Int
  /// The most rows of the same class that walks around it in the same function fill.
  let rowsAround: Int
  /// Whether it is in a recursive function.
  let isRecursive: Bool

  var row: RowLayout { content.row }
  var order: RowOrder? { content.order }

  /// Rows up to its last: one more than are kept, for the element that is being looked at.
  var lastRow: Int { rowsAround + capacity + 1 }
}

/// A walk as those inside of it see it.
struct WalkAround {
  let first: LocalID
  /// How many rows it has filled.
  let count: ValueID
  /// The most that it and those around it may have filled.
  let lastRow: Int
}

/// What a walk takes of each element.
struct WalkContent: Hashable {
  /// What rows are ordered by, before their keys.
  enum Rank: Hashable {
    case none
    case key(Int)
    /// What a `foreach` with a value sees.
    case shown
    case field(StatisticField)
  }

  let global: GlobalID
  let rank: Rank
  let isDescending: Bool
  let row: RowLayout

  /// How rows are compared; nil when they stay as they come.
  var order: RowOrder? {
    switch rank {
    case .none: nil
    case .key(let index):
      RowOrder(row, by: row.keyOffset + row.keys.offsets[index], row.keys.fields[index], isDescending)
    case .shown: RowOrder(row, by: RowLayout.shownOffset, row.shownLayout.fields.first ?? nil, isDescending)
    case .field: RowOrder(row, by: row.rankOffset, nil, isDescending)
    }
  }
}

/// Where things lie in a row.
struct RowLayout: Hashable {
  /// A 64-bit word that belongs to the row's place: the number of the row that comes there.
  static let orderOffset = 0
  static let shownOffset = 8

  /// Nil when nobody asks for the value.
  let shown: ValueType?
  let shownLayout: FieldLayout
  /// Of a long that rows are ordered by.
  let rankOffset: Int
  let keyOffset: Int
  let keys: FieldLayout

  init(keys: FieldLayout, shown: ValueType?, hasRank: Bool, _ limits: Limits) {
    self.shown = shown
    self.keys = keys
    shownLayout = FieldLayout(shown.map { [$0] } ?? [], limits)
    rankOffset = Self.shownOffset + shownLayout.byteCount
    keyOffset = rankOffset + (hasRank ? 8 : 0)
  }

  var byteCount: Int { keyOffset + keys.byteCount }

  var rowClass: RowClass { RowClass(byteCount: byteCount) }
}

/// Rows of about one size, which have a map of their own: among few rows with long strings and many small ones, the many
/// stay small.
struct RowClass: Hashable, Comparable {
  let number: Int

  private static let count = 8
  static let all = (0..<count).map { RowClass(number: $0) }

  private init(number: Int) { self.number = number }

  /// Each class takes rows four times as large as those of the one before.
  init(byteCount: Int) {
    let fitting = (0..<Self.count).first { byteCount <= 64 << (2 * $0) }
    number = fitting ?? Self.count - 1
  }

  static func < (left: RowClass, right: RowClass) -> Bool { left.number < right.number }
}

/// Ascending or descending by one field, then ascending by the keys, so that no two rows are alike.
struct RowOrder: Hashable {
  let offset: Int
  /// Nil: a long.
  let field: StringField?
  let isDescending: Bool
  let keyOffset: Int
  let keys: FieldLayout
  let rowClass: RowClass

  init(_ row: RowLayout, by offset: Int, _ field: StringField?, _ isDescending: Bool) {
    self.offset = offset
    self.field = field
    self.isDescending = isDescending
    keyOffset = row.keyOffset
    keys = row.keys
    rowClass = row.rowClass
  }
}

/// A step of a walk.
enum WalkStep {
  /// The first row of the hit's slot.
  case slotRow(RowClass, ValueID)
  /// No rows yet; `limit` of them at most.
  case begin(Walk, limit: Operand?)
  /// Takes the elements that match: nil matches anything, no keys all.
  case collect(Walk, slice: [Operand?])
  /// Takes one row.
  case add(Walk, key: Operand, shown: Operand)
  /// Puts the rows in order; the result is how many there are.
  case seal(Walk, ValueID)
  /// Fills the variables from the row that comes at a place.
  case load(Walk, Operand, keys: [LocalID], shown: LocalID?)

  /// What is walked over.
  var global: GlobalID? {
    switch self {
    case .begin(let walk, _), .collect(let walk, _), .add(let walk, _, _), .seal(let walk, _),
      .load(let walk, _, _, _):
      walk.content.global
    case .slotRow: nil
    }
  }
}

/// What a hit that walks claims: a word that is nonzero while it is claimed, and the slot's first row of each class.
enum WalkSlot {
  static let byteCount = 8 + 8 * RowClass.all.count

  static func firstRowOffset(_ rowClass: RowClass) -> Int { 8 + 8 * rowClass.number }
}

/// 64-bit words in scratch memory that walks, slices and statistics work with: offsets from ``FrameLayout/stateOffset``.
enum WalkState {
  /// The slot, a 32-bit index.
  static let slot = 0
  /// When the walk may take fewer rows than it wants: how many; else nothing that a count can be.
  static let room = 8
  /// The walk's first row.
  static let first = 16
  /// Rows so far; of a slice that is only looked for: whether one matched.
  static let count = 24
  /// How many are wanted.
  static let capacity = 32
  /// The row, counted from `first`, that the next element is put into.
  static let spare = 40
  /// Where statistics of several CPUs and elements are merged: a ``Gathered``.
  static let gathered = 48
  static let byteCount = 48 + Gathered.byteCount
}

/// Statistics of several CPUs and elements, merged: offsets of 64-bit words, as ``StatisticLayout`` has them.
enum Gathered {
  static let count = 0
  static let sum = 8
  static let minimum = 16
  static let maximum = 24
  static let squares = 32
  /// Where in each share the bucket lies that is added up in `count`.
  static let bucketOffset = 56
  /// Eight words that the variance is computed in.
  static let work = 64
  static let byteCount = 128
}
