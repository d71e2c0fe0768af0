import Diagnostics
import TestSupport
import Testing

@testable import StapSyntax

/// Text that was made to break a parser: it must end, in time, with a few diagnostics.
@Suite("Hostile scripts") struct HostileTests {
  private static func nest(
    _ opening: String,
    _ closing: String = "",
    inside: String = "",
    count: Int = 20_000
  ) -> String {
    String(repeating: opening, count: count) + inside + String(repeating: closing, count: count)
  }

  @Test(
    "nested without end",
    .timeLimit(.minutes(1)),
    arguments: [
      nest("(", count: 100_000), nest("(", ")", inside: "1", count: 100_000),
      nest("if (x) {", count: 100_000),
      nest("{"), nest("{", "}"), nest("["), nest("a["), nest("f("),
      nest("!"), nest("- "), nest("++"), nest("&"), nest("x = "), nest("x ? "), nest("x ? 1 : "),
      nest("if (x) "),
      nest("if (x) {} else "), nest("while (1) "), nest("for (;;) "), nest("foreach (k in a) "),
      nest("try {"),
      nest("$x["), nest("@count("), nest("@cast("), nest("@defined("), nest("print("), nest("[a] in b && "),
      nest("a || b && c | d ^ e & f < g << h . i + j * ("), nest("%("), nest("%( 1 == 1 %? "),
      nest("%( 1 == 2 %? "),
      nest("@define a %( "), nest("\""), nest("/*"), nest("%{"), nest("p->"), nest("return "),
      nest("delete "),
    ]
  )
  func nests(_ text: String) {
    let parsed = Parsed("probe begin { \(text) }")
    #expect(parsed.checked.diagnostics.count < 10)
  }

  @Test(
    "long chains",
    .timeLimit(.minutes(1)),
    arguments: [
      nest("1 + ", inside: "1"), nest("a . ", inside: "a"), nest("a = b; "), nest("x =~ \"a\" == "),
      nest("(1 + ", ")", inside: "1"),
      nest("if (x) y; else ", inside: "z"), nest("$x->y", inside: ""), nest("a, "), nest(";"), nest("a "),
      nest("\"a\" "),
    ]
  )
  func chains(_ text: String) {
    let parsed = Parsed("probe begin { x = \(text) }")
    #expect(parsed.checked.diagnostics.count <= 50)
  }

  @Test(
    "long declarations",
    .timeLimit(.minutes(1)),
    arguments: [
      nest("probe "), nest("probe a.{"), "probe " + nest("a.{b, "), "probe " + nest("a.{b,c}."),
      "probe " + nest("a = "),
      "probe " + nest("a, ", inside: "a {}"), "global " + nest("a, "), nest("function f("), nest("private "),
      nest("}"),
      "function f(" + nest("a, "), nest("@a"), "@define a(" + nest("x,"), nest("@define a %( %)"), nest("“"),
    ]
  )
  func declarations(_ text: String) {
    let parsed = Parsed(text)
    #expect(parsed.product == nil)
  }

  /// The tree of the deepest text that is accepted, walked by recursion as later stages do.
  @Test func acceptedTreesAreShallow() {
    for depth in [100, 300, 900] {
      let chain = String(repeating: "1 + ", count: depth) + "1"
      let brackets = String(repeating: "(", count: depth) + chain + String(repeating: ")", count: depth)
      if let printed = Parsed("probe begin { x = \(brackets) }").printed { #expect(!printed.isEmpty) }
    }
    #expect(Parsed("probe begin { x = " + String(repeating: "1 + ", count: 900) + "1 }").product != nil)
    #expect(
      Parsed("probe begin { x = \(String(repeating: "(", count: 60))1\(String(repeating: ")", count: 60)) }")
        .product != nil
    )
    let ladder = String(repeating: "if (a) { b } else ", count: 500)
    #expect(Parsed("probe begin { \(ladder) c }").product != nil)
  }

  @Test(
    "scripts cut at every byte",
    arguments: [
      #"@define m(a) %( @a + %( arch == "x86_64" %? 1 %: 2 %) %) global a%[3], b = "\x41\101" probe x.{y("z"),w(-1)}? if (a) {}"#,
      #"function f:string(a:long):2 { foreach (v = [k+, l] in a[*, 1] limit 3) { delete a[*]; try { next } catch (m) {} } }"#,
      #"probe a = b += c { printf("%-5s %*.*d %%\n", $x->y[1]$, @cast(p, "t", "m")->q, 1, 2) /* é */ %{ c %} # “"#,
      #"private global p private function q() %{ %} probe e { x = [1, "a"] in b ? @hist_log(s)[1] : $1 @1 $# >>> -~!i++ }"#,
    ]
  )
  func truncated(_ text: String) {
    let bytes = Array(text.utf8)
    let facts = environment(arguments: ["\"arg", "%("])
    for end in bytes.indices { _ = Parsed(bytes: Array(bytes[..<end]), facts).messages }
    for start in bytes.indices { _ = Parsed(bytes: Array(bytes[start...]), facts).messages }
    for index in bytes.indices {
      for byte in [0x00, 0x0a, 0x22, 0x25, 0x28, 0x7b, 0x7d, 0xc3, 0xff] as [UInt8] {
        var changed = bytes
        changed[index] = byte
        _ = Parsed(bytes: changed, facts).messages
      }
    }
  }

  /// Scripts with pieces moved, doubled, dropped and swapped, for some seconds.
  @Test("mutated scripts neither crash nor hang", .timeLimit(.minutes(2)))
  func mutated() {
    var random = SeededGenerator(seed: 20_260_801)
    let corpus = Corpus.files.map(Corpus.bytes) + Self.seeds.map { Array($0.utf8) }
    let facts = environment(arguments: ["1", "begin", "@count"])
    let clock = ContinuousClock()
    let end = clock.now + .seconds(5)
    var slowest = Duration.zero
    while clock.now < end {
      var text = corpus[Int.random(in: corpus.indices, using: &random)]
      for _ in 0..<Int.random(in: 1...8, using: &random) { mutate(&text, corpus, &random) }
      slowest = max(slowest, clock.measure { _ = Parsed(bytes: text, facts).messages })
    }
    #expect(slowest < .seconds(2))
  }

  private static let seeds = [
    "probe process(\"a\").function(\"b\").call { x[tid(), $p->q] <<< @entry(gettimeofday_us()) } global x",
    "%( kernel_v >= \"6.1\" && CONFIG_X == \"y\" %? probe begin { exit() } %: @define z(q) %( @q %) %)",
  ]

  private func mutate(_ text: inout [UInt8], _ corpus: [[UInt8]], _ random: inout SeededGenerator) {
    guard !text.isEmpty else { return }
    let start = Int.random(in: 0..<text.count, using: &random)
    let end = min(text.count, start + Int.random(in: 1...20, using: &random))
    switch Int.random(in: 0..<6, using: &random) {
    case 0: text.removeSubrange(start..<end)
    case 1: text.insert(contentsOf: text[start..<end], at: start)
    case 2: text[start] = UInt8.random(in: 0...255, using: &random)
    case 3:
      text.insert(Array("(){}[]%\"'@$#*.,;:?!&|<>=+-/\\".utf8).randomElement(using: &random) ?? 0, at: start)
    case 4: text.swapAt(start, Int.random(in: 0..<text.count, using: &random))
    default:
      let other = corpus[Int.random(in: corpus.indices, using: &random)]
      let from = Int.random(in: 0..<max(1, other.count), using: &random)
      text.insert(contentsOf: other[from..<min(other.count, from + 40)], at: start)
    }
  }
}
