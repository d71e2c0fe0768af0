import Foundation
import TestSupport
import Testing

/// Damaged copies of a real program, through the real tool: an answer or an error, never a trap or a hang.
@Suite("Hostile binaries")
struct HostileBinaryTests {
  private static let source = """
    struct point { int x, y; struct point *next; };
    static inline int twice(int n) { return 2 * n; }
    int take_point(struct point *where, char c) { return twice(where->x) + c; }
    int main(int argc, char **argv) { struct point p = {argc, 2, 0}; return take_point(&p, 1); }

    """

  @Test("cut short or changed are told apart or refused", arguments: 0..<4)
  func survives(_ seed: Int) throws {
    let scratch = try ScratchDirectory()
    let program = try scratch.compileC(Self.source, to: "demo", flags: ["-g", "-O1"])
    let good = try Data(contentsOf: URL(filePath: program))
    var random = SeededGenerator(seed: UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 &+ 1)
    for number in 0..<12 {
      let path = scratch.path + "/bad\(number)"
      try damaged(good, &random).write(to: URL(filePath: path))
      for arguments in asking(path) {
        let outcome = try Tool.run(arguments, shell: "ulimit -v 8000000; exec \"$@\"")
        #expect([0, 1].contains(outcome.status), "\(arguments) of \(path): \(outcome.errors)")
      }
    }
  }

  private func asking(_ path: String) -> [[String]] {
    let script = """
      probe process("\(path)").function("*").call { log($$vars) }
      probe process("\(path)").function("*").return? { log($$return) }
      """
    return [["-L", "process(\"\(path)\").function(\"*\")"], ["--pass", "3", "-w", "-e", script]]
  }

  private func damaged(_ good: Data, _ random: inout SeededGenerator) -> Data {
    if Int.random(in: 0..<5, using: &random) == 0 {
      return good.prefix(Int.random(in: 0..<good.count, using: &random))
    }
    var bytes = good
    for _ in 0..<Int.random(in: 1...40, using: &random) {
      // The headers are worth as much as everything else.
      let end = Bool.random(using: &random) ? good.count : 1024
      let values: [UInt8] = [0, 1, 0x7f, 0x80, 0xff]
      bytes[Int.random(in: 0..<end, using: &random)] = values.randomElement(using: &random) ?? 0
    }
    return bytes
  }
}
