import Glibc
import TestSupport
import Testing
import TraceIR

@Suite struct RegexTableTests {
  /// The texts of all groups; nil for a group that took no part, no array when nothing matches.
  private func groups(_ pattern: String, _ text: String) throws -> [String?]? {
    let bytes = Array(text.utf8)
    guard let bounds = try RegexTable(pattern).match(bytes) else { return nil }
    return stride(from: 0, to: bounds.count, by: 2).map { index in
      bounds[index] < 0 ? nil : String(decoding: bytes[bounds[index]..<bounds[index + 1]], as: UTF8.self)
    }
  }

  @Test(
    "finds the leftmost, longest match and its groups",
    arguments: [
      ("str(ing)", "an example string", ["string", "ing"]),
      ("a|(b)", "xa", ["a", nil]),
      ("a|(b)", "xb", ["b", "b"]),
      ("a|ab|abc", "xabcd", ["abc"]),
      ("(a|ab)(c|bcd)(d*)", "abcd", ["abcd", "a", "bcd", ""]),
      ("x*", "aaa", [""]),
      ("x+", "aaxxxa", ["xxx"]),
      ("^ab", "abab", ["ab"]),
      ("^b", "ab", nil),
      ("b$", "ab", ["b"]),
      ("a$", "ab", nil),
      ("^$", "", [""]),
      ("(a)(b)?", "ac", ["a", "a", nil]),
      ("(ab)*c", "ababc", ["ababc", "ab"]),
      ("([a-z]+)=([0-9]+)", "k: abc=12345;", ["abc=12345", "abc", "12345"]),
      ("[[:digit:]]{2,3}", "a1b1234", ["123"]),
      ("a{3}", "aaaa", ["aaa"]),
      ("a{2,}", "baaaa", ["aaaa"]),
      ("[^a-c]+", "abxyzc", ["xyz"]),
      ("[]a]+", "x]a]", ["]a]"]),
      ("\\.\\*", "a.*b", [".*"]),
      ("a.c", "a\nc", ["a\nc"]),
      ("\\x41\\n", "A\n", ["A\n"]),
      ("(a*)*", "b", ["", nil]),
      ("(a|b)*abb", "babaabb", ["babaabb", "a"]),
      ("abcd|bc", "abce", ["bc"]),
      ("(^|/)([^/]+)$", "/usr/bin/ls", ["/ls", "/", "ls"]),
      ("SELECT|INSERT", "explain SELECT 1", ["SELECT"]),
    ] as [(String, String, [String?]?)]
  )
  func matches(_ pattern: String, _ text: String, _ expected: [String?]?) throws {
    #expect(try groups(pattern, text) == expected)
    #expect(try RegexTable(pattern, captures: false).matches(Array(text.utf8)) == (expected != nil))
  }

  @Test(
    "refuses what is malformed and says where",
    arguments: [
      ("a(b", "unmatched '('", 1), ("a)b", "unmatched ')'", 1), ("[ab", "unmatched '['", 0),
      ("*a", "nothing to repeat", 0), ("a{3,1}", "invalid repetition", 2), ("a\\", "trailing backslash", 2),
      ("(a)\\1", "back references are not supported", 3),
      ("[[:nope:]]", "unknown character class '[:nope:]'", 1),
    ] as [(String, String, Int)]
  )
  func refuses(_ pattern: String, _ message: String, _ offset: Int) {
    let error = #expect(throws: RegexError.self) { try RegexTable(pattern) }
    #expect(error?.message == message)
    #expect(error?.offset == offset)
  }

  @Test("agrees with regexec(3) on random patterns")
  func agreesWithTheCLibrary() throws {
    var random = SeededGenerator(seed: 42)
    for _ in 0..<400 {
      // Anchors only at the ends: inside repetitions the C library gets them wrong.
      var pattern = randomPattern(&random, depth: 3)
      if Int.random(in: 0..<4, using: &random) == 0 { pattern = "^" + pattern }
      if Int.random(in: 0..<4, using: &random) == 0 { pattern += "$" }
      var compiled = regex_t()
      guard regcomp(&compiled, pattern, REG_EXTENDED) == 0 else { continue }
      defer { regfree(&compiled) }
      let table = try RegexTable(pattern)
      for _ in 0..<10 {
        let text = String(
          (0..<Int.random(in: 0...8, using: &random)).map { _ in "abc".randomElement(using: &random) ?? "a" }
        )
        var found = [regmatch_t](repeating: regmatch_t(), count: 1)
        let isMatch = regexec(&compiled, text, 1, &found, 0) == 0
        let bounds = table.match(Array(text.utf8))
        let expected = isMatch ? [Int(found[0].rm_so), Int(found[0].rm_eo)] : nil
        #expect(bounds.map { Array($0.prefix(2)) } == expected, "\(pattern) on \(text)")
      }
    }
  }

  private func randomPattern(_ random: inout SeededGenerator, depth: Int) -> String {
    let part = { (self: Self, random: inout SeededGenerator) in self.randomPattern(&random, depth: depth - 1)
    }
    guard depth > 0 else { return ["a", "b", "c", ".", "[ab]", "[^a]"].randomElement(using: &random) ?? "a" }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return "(" + part(self, &random) + "|" + part(self, &random) + ")"
    case 1: return "(" + part(self, &random) + ")*"
    case 2: return "(" + part(self, &random) + ")?"
    case 3: return "(" + part(self, &random) + "){1,2}"
    default: return part(self, &random) + part(self, &random)
    }
  }
}
