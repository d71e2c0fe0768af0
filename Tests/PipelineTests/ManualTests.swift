import Foundation
import Testing

@Suite("The manual")
struct ManualTests {
  @Test("has a page for every message, and none for others")
  func isComplete() throws {
    let manual = Tool.root + "docs/manual"
    let pages = try FileManager.default.contentsOfDirectory(atPath: manual)
      .filter { $0.hasSuffix(".md") && $0 != "README.md" }.map { String($0.dropLast(3)) }
    let identifiers = try identifiers()
    #expect(identifiers.count > 100)
    #expect(identifiers.subtracting(pages).sorted() == [], "docs/manual lacks these pages")
    #expect(Set(pages).subtracting(identifiers).sorted() == [], "no message has these names any more")
    let list = try String(contentsOfFile: manual + "/README.md", encoding: .utf8)
    for page in pages {
      #expect(list.contains("(\(page).md)"), "docs/manual/README.md does not list \(page)")
    }
  }

  /// The IDs of all diagnostics: the second argument of `Diagnostic`, and what stands for it elsewhere.
  private func identifiers() throws -> Set<String> {
    let name = #""([a-z]+(?:-[a-z0-9]+)*)""#
    let patterns = [
      try Regex<(Substring, Substring)>(#"Diagnostic\(\s*\.(?:error|warning),\s*"# + name),
      try Regex<(Substring, Substring)>(#"(?:reporter\.(?:fail|warn)\(|\bid:|\bproblem\()\s*"# + name),
    ]
    var result: Set<String> = []
    let files = FileManager.default.enumerator(atPath: Tool.root + "Sources")
    while let file = files?.nextObject() as? String {
      guard file.hasSuffix(".swift") else { continue }
      let text = try String(contentsOfFile: Tool.root + "Sources/" + file, encoding: .utf8)
      for pattern in patterns { result.formUnion(text.matches(of: pattern).map { String($0.1) }) }
    }
    return result
  }
}
