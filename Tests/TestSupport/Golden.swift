import Foundation
import Testing

/// Compares what a stage makes of `Tests/Golden/STAGE/NAME.EXT` with `NAME.expected` beside it.
///
/// `UTRACE_BLESS=1 swift test` writes what was made instead, for the diff to be reviewed.
package func golden(
  _ stage: String,
  _ name: String,
  ext: String = "stp",
  sourceLocation: SourceLocation = #_sourceLocation,
  _ produce: (_ text: String) throws -> String
) throws {
  let folder = goldenFolder(stage)
  let input = try String(contentsOf: folder.appending(path: "\(name).\(ext)"), encoding: .utf8)
  let expectedFile = folder.appending(path: "\(name).expected")
  let made = try produce(input)
  if ProcessInfo.processInfo.environment["UTRACE_BLESS"] == "1" {
    return try made.write(to: expectedFile, atomically: true, encoding: .utf8)
  }
  let expected = try? String(contentsOf: expectedFile, encoding: .utf8)
  guard made != expected else { return }
  let difference = expected.map { firstDifference($0, made) } ?? "there is no \(name).expected yet"
  Issue.record("\(stage)/\(name): \(difference)", sourceLocation: sourceLocation)
}

/// The names of all golden inputs of a stage, sorted.
package func goldenNames(_ stage: String, ext: String = "stp") -> [String] {
  let files = try? FileManager.default.contentsOfDirectory(atPath: goldenFolder(stage).path)
  return (files ?? []).filter { $0.hasSuffix(".\(ext)") }.map { String($0.dropLast(ext.count + 1)) }.sorted()
}

private func goldenFolder(_ stage: String) -> URL {
  URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Golden").appending(path: stage)
}

private func firstDifference(_ expected: String, _ made: String) -> String {
  let (left, right) = (lines(expected), lines(made))
  let line = zip(left, right).prefix { $0 == $1 }.count
  let (wanted, found) = (line < left.count ? left[line] : "(end)", line < right.count ? right[line] : "(end)")
  return
    "line \(line + 1)\n  expected: \(wanted)\n  made:     \(found)\nUTRACE_BLESS=1 accepts what was made:\n\(made)"
}

private func lines(_ text: String) -> [Substring] {
  text.split(separator: "\n", omittingEmptySubsequences: false)
}
