/// From an offset on, the DIEs of a unit are in that scope; -1 is the top.
struct ScopeChange {
  var offset: Int
  var scope: Int32

  /// The scope of the DIE at `offset`, by changes in the order of their offsets.
  static func scope(at offset: Int, in changes: ContiguousArray<ScopeChange>) -> Int32 {
    var low = 0
    var high = changes.count
    while low < high {
      let middle = low + (high - low) / 2
      if changes[middle].offset <= offset { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? changes[low - 1].scope : -1
  }
}
