/// What later DIEs of a unit refer back to: functions and variables without code or place of their own.
struct DeclarationTable {
  /// One declaration or abstract instance.
  struct Row {
    var die: UInt64
    var name: StringReference
    var linkageName: StringReference
    var scope: Int32
    /// Index in the unit's file table, 0 for none.
    var file: UInt32
    var line: UInt32
    var origin: UInt64
    var isExternal: Bool
    /// DW_AT_inline says that it was inlined.
    var isInlined: Bool
  }

  /// In the order of the DIEs, so that a search may halve it.
  private(set) var rows: ContiguousArray<Row> = []

  mutating func append(_ row: Row) { rows.append(row) }

  mutating func removeAll() { rows.removeAll(keepingCapacity: true) }

  /// The row of a DIE.
  func row(of die: UInt64) -> Row? {
    var low = 0
    var high = rows.count
    while low < high {
      let middle = low + (high - low) / 2
      if rows[middle].die < die { low = middle + 1 } else { high = middle }
    }
    return low < rows.count && rows[low].die == die ? rows[low] : nil
  }
}
