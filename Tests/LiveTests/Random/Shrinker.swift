/// Makes a failing script smaller as long as it fails in the same way.
struct Shrinker {
  /// How often a script may be tried.
  var attempts = 400
  /// Whether this smaller script still fails so.
  let fails: (Fragment) throws -> Bool

  /// A script in which nothing can be left out or made simpler any more, unless the attempts ran out.
  mutating func smallest(_ script: Fragment) throws -> Fragment {
    var best = script
    while let smaller = try round(best), smaller.text() != best.text() { best = smaller }
    return best
  }

  /// One walk over all places; nil when nothing could be changed.
  private mutating func round(_ script: Fragment) throws -> Fragment? {
    var best = script
    var isChanged = false
    var index = 0
    while attempts > 0, index < best.places.count {
      guard let smaller = try step(best, at: best.places[index]) else {
        index += 1
        continue
      }
      // What stands there now may become smaller still.
      best = smaller
      isChanged = true
    }
    return isChanged ? best : nil
  }

  private mutating func step(_ script: Fragment, at place: [Int]) throws -> Fragment? {
    for replacement in script[place[...]]?.replacements ?? [] where attempts > 0 {
      var smaller = script
      smaller[place[...]] = replacement
      attempts -= 1
      if try fails(smaller) { return smaller }
    }
    return nil
  }
}
