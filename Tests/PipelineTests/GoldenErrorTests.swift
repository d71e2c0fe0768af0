import Foundation
import TestSupport
import Testing

@Suite("Errors as people see them")
struct GoldenErrorTests {
  /// Probed by the scripts of Tests/Golden/errors: `demo` has DWARF, `plain` symbols only, `stripped` nothing.
  private static let demo = """
    struct point { int x, y; struct point *next; };
    int add_numbers(int first, int second) { return first + second; }
    int take_point(struct point *where) { return where->x; }
    int main(int argc, char **argv) { struct point p = {argc, 2, 0}; return add_numbers(take_point(&p), 1); }

    """

  @Test("Golden", arguments: goldenNames("errors"))
  func matches(_ name: String) throws {
    try golden("errors", name) { text in
      let scratch = try ScratchDirectory()
      _ = try scratch.compileC(Self.demo, to: "demo", flags: ["-g", "-O0"])
      _ = try scratch.compileC(Self.demo, to: "plain", flags: ["-O0"])
      _ = try scratch.compileC(Self.demo, to: "stripped", flags: ["-O0", "-s"])
      _ = try scratch.write("no program", to: "text")
      _ = try scratch.write(text, to: "\(name).stp")
      let outcome = try Tool.run(["--pass", "3", "\(name).stp"], in: scratch)
      #expect(outcome.status == 1)
      #expect(outcome.output == "")
      let canonical = URL(filePath: scratch.path).resolvingSymlinksInPath().path(percentEncoded: false)
      return outcome.errors.replacing(canonical, with: "DIR")
        .replacing(/[0-9a-f]{2}\/[0-9a-f]{38}/, with: "BUILD-ID")
    }
  }
}
