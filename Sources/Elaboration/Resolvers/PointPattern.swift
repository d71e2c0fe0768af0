import DwarfIndex

/// The text of `.function("…")` and `.statement("…")`: `name`, `name@file`, `name@file:line`
/// (stapprobes(3stap), "DWARF").
struct PointPattern {
  let name: String
  let file: String?
  let line: FunctionPattern.LineSpec?
  /// As it was written behind the `@`.
  let place: String

  /// Nil when it is malformed.
  init?(_ text: String) {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard !parts[0].isEmpty else { return nil }
    name = parts[0]
    place = parts.count > 1 ? parts[1] : ""
    guard parts.count > 1 else {
      (file, line) = (nil, nil)
      return
    }
    guard let source = SourcePlace(parts[1]) else { return nil }
    (file, line) = (source.file, source.line)
  }
}

extension FunctionPattern {
  /// The functions of `pattern` that `.call`, `.inline`, `.exported` and `.return` leave.
  init(_ pattern: PointPattern, _ modifiers: Set<String>) {
    self.init(
      name: pattern.name,
      file: pattern.file,
      line: pattern.line,
      includeInlines: modifiers.isDisjoint(with: ["call", "return"]),
      includeOutOfLine: !modifiers.contains("inline"),
      exportedOnly: modifiers.contains("exported")
    )
  }
}

/// `file`, `file:12`, `file+3` or `file:+3`, `file:*`, `file:10-20,30`.
private struct SourcePlace {
  var file: String
  var line: FunctionPattern.LineSpec?

  init?(_ text: String) {
    file = text
    guard let separator = text.lastIndex(where: { $0 == ":" || $0 == "+" }) else { return }
    let rest = String(text[text.index(after: separator)...])
    guard let first = rest.first, first.isNumber || rest == "*" else {
      if text[separator] == ":" { return nil }
      return
    }
    file = String(text[..<separator])
    // As people write it who think of `:12`.
    if text[separator] == "+", file.hasSuffix(":") { file.removeLast() }
    guard let line = Self.line(rest, isRelative: text[separator] == "+"), !file.isEmpty else { return nil }
    self.line = line
  }

  private static func line(_ text: String, isRelative: Bool) -> FunctionPattern.LineSpec? {
    if isRelative { return Int(text).map { .relative($0) } }
    if text == "*" { return .all }
    if let number = Int(text) { return .absolute(number) }
    var ranges: [ClosedRange<Int>] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let low = ends.first ?? nil, let high = ends.last ?? nil, ends.count <= 2, low <= high else {
        return nil
      }
      ranges.append(low...high)
    }
    return .ranges(ranges)
  }
}
