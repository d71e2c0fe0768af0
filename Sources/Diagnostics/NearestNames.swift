/// The names that a person who wrote `name` most likely meant, nearest first, then alphabetical.
///
/// A name is near when at most a third of its letters are wrong (at least one may be); swapping two neighbours
/// counts as one mistake. An empty answer means that a suggestion would be a guess.
package func nearestNames(
  to name: String,
  among candidates: some Sequence<String>,
  limit: Int = 3
) -> [String] {
  let wanted = Array(name.utf8)
  var nearest: [(distance: Int, name: String)] = []
  var seen: Set<String> = [name]
  for candidate in candidates where !wanted.isEmpty {
    let allowed = max(1, max(wanted.count, candidate.utf8.count) / 3)
    guard abs(candidate.utf8.count - wanted.count) <= allowed else { continue }
    let distance = editDistance(wanted, Array(candidate.utf8), atMost: allowed)
    guard distance <= allowed, distance < wanted.count, seen.insert(candidate).inserted else { continue }
    nearest.append((distance, candidate))
  }
  nearest.sort { ($0.distance, $0.name) < ($1.distance, $1.name) }
  return nearest.prefix(limit).map(\.name)
}

/// Damerau–Levenshtein distance with neighbour swaps; any number above `bound` means "farther than that".
private func editDistance(_ left: [UInt8], _ right: [UInt8], atMost bound: Int) -> Int {
  var beforeLast = [Int](repeating: 0, count: right.count + 1)
  var last = Array(0...right.count)
  for row in left.indices {
    var current = [row + 1]
    for column in right.indices {
      let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
      var cost = min(replaced, last[column + 1] + 1, current[column] + 1)
      if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
        cost = min(cost, beforeLast[column - 1] + 1)
      }
      current.append(cost)
    }
    if current.allSatisfy({ $0 > bound }) { return bound + 1 }
    (beforeLast, last) = (last, current)
  }
  return last[right.count]
}
