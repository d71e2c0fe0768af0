import Platform

/// Collects the names with the smallest edit distance to a misspelled one.
struct NearestNames {
  private let target: [UInt8]
  private let limit: Int
  private var found: [(distance: Int, name: String)] = []
  /// No suggestion is better than a wild one.
  private let mostEdits: Int

  /// Distances of longer names cost too much to be worth it.
  private static let longest = 128

  init(to name: String, limit: Int) {
    target = Array(name.utf8.prefix(Self.longest))
    self.limit = limit
    mostEdits = max(1, min(target.count / 3, 6))
  }

  /// Closest first, then by alphabet.
  var names: [String] { found.map(\.name) }

  /// Takes `name` in when it is close enough.
  mutating func consider(_ name: RawSpan) {
    guard limit > 0, !target.isEmpty, abs(name.byteCount - target.count) <= mostEdits else { return }
    let bound = found.count == limit ? min(mostEdits, (found.last?.distance ?? 0) - 1) : mostEdits
    guard bound >= 0, let distance = distance(to: name, atMost: bound) else { return }
    let text = String(copying: name)
    guard !found.contains(where: { $0.name == text }) else { return }
    let place = found.firstIndex { ($0.distance, $0.name) > (distance, text) } ?? found.count
    found.insert((distance, text), at: place)
    if found.count > limit { found.removeLast() }
  }

  /// Levenshtein's distance, a swap of neighbours counted once; nil above `most`.
  private func distance(to name: RawSpan, atMost most: Int) -> Int? {
    let other = name.copied()
    var before = [Int](repeating: 0, count: other.count + 1)
    var last = Array(0...other.count)
    for row in target.indices {
      var current = [row + 1]
      for column in other.indices {
        let isSame = target[row] == other[column]
        var cost = min(last[column] + (isSame ? 0 : 1), last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, target[row] == other[column - 1], target[row - 1] == other[column] {
          cost = min(cost, before[column - 1] + 1)
        }
        current.append(cost)
      }
      guard (current.min() ?? 0) <= most else { return nil }
      before = last
      last = current
    }
    guard let distance = last.last, distance <= most else { return nil }
    return distance
  }
}
