/// File-name patterns as `fnmatch(3)` with `FNM_NOESCAPE` has them: `*`, `?`, `[a-z]`, `[!a-z]`.
package enum Glob {
  /// Whether `text` holds a character that makes it a pattern.
  package static func isPattern(_ text: String) -> Bool {
    text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
  }

  /// Whether `pattern` covers all of `text`.
  ///
  /// Takes time proportional to the product of both lengths at worst: only the last `*` is ever tried again.
  package static func matches(_ text: String, pattern: String) -> Bool {
    if !isPattern(pattern) { return text.utf8.elementsEqual(pattern.utf8) }
    let text = Array(text.unicodeScalars)
    let pattern = Array(pattern.unicodeScalars)
    var (here, at) = (0, 0)
    var retry: (here: Int, at: Int)?
    while here < text.count {
      if at < pattern.count, pattern[at] == "*" {
        at += 1
        retry = (here, at)
      } else if let next = step(text[here], pattern, at) {
        (here, at) = (here + 1, next)
      } else if let last = retry {
        retry = (last.here + 1, last.at)
        (here, at) = (last.here + 1, last.at)
      } else {
        return false
      }
    }
    return pattern[at...].allSatisfy { $0 == "*" }
  }

  /// Where the pattern goes on when its element at `at` covers `scalar`.
  private static func step(_ scalar: Unicode.Scalar, _ pattern: [Unicode.Scalar], _ at: Int) -> Int? {
    guard at < pattern.count else { return nil }
    switch pattern[at] {
    case "?": return at + 1
    case "[":
      guard let set = bracket(pattern, at) else { return scalar == "[" ? at + 1 : nil }
      return set.ranges.contains { $0.contains(scalar) } != set.isNegated ? set.end : nil
    default: return pattern[at] == scalar ? at + 1 : nil
    }
  }

  /// `[…]`; nil when nothing closes it, and `[` then stands for itself.
  private static func bracket(
    _ pattern: [Unicode.Scalar],
    _ start: Int
  ) -> (ranges: [ClosedRange<Unicode.Scalar>], isNegated: Bool, end: Int)? {
    var at = start + 1
    let isNegated = at < pattern.count && (pattern[at] == "!" || pattern[at] == "^")
    if isNegated { at += 1 }
    let first = at
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    while at < pattern.count {
      if pattern[at] == "]", at > first { return (ranges, isNegated, at + 1) }
      let isRange = at + 2 < pattern.count && pattern[at + 1] == "-" && pattern[at + 2] != "]"
      let upper = isRange ? pattern[at + 2] : pattern[at]
      if pattern[at] <= upper { ranges.append(pattern[at]...upper) }
      at += isRange ? 3 : 1
    }
    return nil
  }
}
