extension RandomAccessCollection where Index == Int {
  /// How many elements at the start fulfil `isBefore`, which none behind them does.
  package func countAtStart(where isBefore: (Element) -> Bool) -> Int {
    var (low, high) = (startIndex, endIndex)
    while low < high {
      let middle = low + (high - low) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low - startIndex
  }
}
