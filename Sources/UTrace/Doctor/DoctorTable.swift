/// Lays a report out for a terminal: a mark, a name, and what there is to say, broken at blanks.
struct DoctorTable {
  /// Columns of the terminal; nil: lines are as long as they are.
  let width: Int?
  /// Whether the terminal shows more than ASCII.
  let isUnicode: Bool

  /// The text of `report`.
  func text(of report: DoctorReport) -> String {
    let nameWidth = report.groups.flatMap(\.checks).map(\.name.count).max() ?? 0
    var lines = wrapped(report.title, indent: 0)
    for group in report.groups where !group.checks.isEmpty {
      lines += ["", group.title]
      for check in group.checks { lines += self.lines(of: check, nameWidth) }
    }
    lines += [""] + wrapped(report.verdict, indent: 0)
    return lines.joined(separator: "\n") + "\n"
  }

  /// On a terminal too narrow for two columns, what there is to say stands below the name.
  private func lines(of check: DoctorReport.Check, _ nameWidth: Int) -> [String] {
    let words = [check.detail, check.advice ?? ""].filter { !$0.isEmpty }.joined(separator: ": ")
    let start = "  \(mark(check.state)) \(check.name)"
    guard !words.isEmpty else { return [start] }
    let column = 2 + markWidth + 1 + nameWidth + 2
    if let width, width < column + 24 { return [start] + wrapped(words, indent: 6) }
    var lines = wrapped(words, indent: column)
    let gap = String(repeating: " ", count: nameWidth - check.name.count + 2)
    lines[0] = start + gap + lines[0].drop { $0 == " " }
    return lines
  }

  private func mark(_ state: DoctorReport.State) -> String {
    switch state {
    case .good: isUnicode ? "✓" : "ok"
    case .missing: isUnicode ? "✗" : "NO"
    case .neutral: isUnicode ? "·" : "--"
    }
  }

  private var markWidth: Int { isUnicode ? 1 : 2 }

  /// `text` in lines that fit, each after `indent` blanks; a word that is too long keeps a line of its own.
  private func wrapped(_ text: String, indent: Int) -> [String] {
    let blanks = String(repeating: " ", count: indent)
    let text = isUnicode ? text : text.asciiOnly
    guard let width else { return [blanks + text] }
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, indent + line.count + 1 + word.count > width {
        lines.append(blanks + line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return lines + [blanks + line]
  }
}

extension String {
  /// The same with a question mark for what is not ASCII.
  fileprivate var asciiOnly: String { String(map { $0.isASCII ? $0 : "?" }) }
}
