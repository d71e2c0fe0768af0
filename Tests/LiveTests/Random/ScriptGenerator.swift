import TestSupport

/// Makes well-typed scripts whose probes can run anywhere.
///
/// The probes work on locals, globals, arrays and statistics and print on the way; what they left in the globals is
/// printed by `end`. Every loop ends by itself or by MAXACTION. Two runs of one script must print the same and
/// report the same errors wherever the probes run.
struct ScriptGenerator {
  /// Names that a script declares.
  static let names = [
    "gn", "gs", "an", "as", "ann", "a3", "ao", "st", "sts", "stn", "aw", "asw", "sw", "twice", "pick",
    "steps", "tell", "scale", "number", "words", "again", "spell", "bounce", "choose", "act",
  ]

  /// What may be said at some place of a script.
  struct Scope {
    /// Counters of the loops around.
    var counters: [String] = []
    /// String variables of the `foreach` around.
    var texts: [String] = []
    /// Arrays and statistics that a `foreach` walks: the language forbids to change them there.
    var walked: [String] = []
    var loopDepth = 0
    /// In a function that returns this.
    var result: Fragment.Role?
    /// Functions that may be called: those that are declared before.
    var functions: Set<String> = []
    /// Recursion from inside a `foreach` is refused in the kernel.
    var mayRecur = false
  }

  var random: SeededGenerator
  var scope = Scope()
  private(set) var depth = 0
  private var variables = 0

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// A script of one or two probes, which run one after the other, and `end`.
  mutating func script() -> RandomScript {
    let declarations = declarations()
    scope = Scope(functions: Set(Self.names), mayRecur: true)
    let probes = Int.random(in: 0..<3, using: &random) == 0 ? 2 : 1
    var text: Fragment = "\(declarations)\n"
    for probe in 0..<probes { text.parts.append(.fragment(probeText(probe))) }
    text.parts += Self.end.map { .fragment(Fragment("probe end { \($0) }\n").playing(.statement)) }
    return RandomScript(text: text, probes: probes)
  }

  private mutating func probeText(_ number: Int) -> Fragment {
    // Every name is used and typed, whatever the random statements do.
    let start: Fragment = """
        n1 = \(literal()); n2 = \(literal()); s1 = \(text()); s2 = ""
        an[n1] = 1; as[s1] = "x"; aw[n1] = 1; asw[s1] = "w"; sw[n1 & 7] <<< 1; ann[n1 & 7, s1] = 2; st <<< n1
        a3[s1, n2, s2] .= "3"; ao[n1 & 3] = 5; stn[n1 & 3, s1] <<< n2; sts[s1] <<< n2

      """
    let statements = Fragment((0..<Int.random(in: 2...6, using: &random)).map { _ in statement() })
    return """
      probe \(point: number) {
      \(start)\(statements)  printf("%d %d [%s] [%s]\\n", n1, n2, s1, s2)
      }

      """
  }

  private static let end: [Fragment] = [
    #"printf("gn=%d gs=%s\n", gn, gs)"#,
    #"foreach (k+ in an) printf("an[%d]=%d\n", k, an[k])"#,
    #"foreach (t+ in as) printf("as[%s]=%s\n", t, as[t])"#,
    "foreach ([a, b] in ann) sum += a * 3 + strlen(b) + ann[a, b]; println(sum)",
    "foreach ([x+, y, z] in a3) sum += strlen(x . z . a3[x, y, z]) + y; println(sum)",
    #"foreach (k+ in ao) printf("ao[%d]=%d\n", k, ao[k])"#,
    #"printf("st %d\n", @count(st)); printf("%d %d %d %d\n", @sum(st), @min(st), @max(st), @avg(st))"#,
    #"foreach (u+ in sts) printf("sts[%s] %d %d\n", u, @count(sts[u]), @sum(sts[u]))"#,
    "foreach ([k, u] in stn) sum += @max(stn[k, u]) ^ k; println(sum)",
    "print(@hist_log(st))",
    #"foreach (w+ in aw) printf("aw[%d]=%d\n", w, aw[w])"#,
    #"foreach (x+ in asw) printf("asw[%s]=%s\n", x, asw[x])"#,
    #"foreach (w+ in sw) printf("sw[%d]=%d,%d\n", w, @count(sw[w]), @sum(sw[w]))"#,
  ]
}

// MARK: - Choices

extension ScriptGenerator {
  mutating func one<Choice>(of choices: [Choice]) -> Choice {
    choices[Int.random(in: 0..<choices.count, using: &random)]
  }

  /// Whether something that happens once in so many times happens.
  mutating func rarely(_ times: Int) -> Bool { Int.random(in: 0..<times, using: &random) == 0 }

  mutating func number(below limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }

  /// A number for names of variables that are nobody else's.
  mutating func freshNumber() -> Int {
    variables += 1
    return variables
  }

  /// What `make` makes one level deeper, or a leaf where it is deep enough.
  mutating func nested(
    _ role: Fragment.Role,
    _ make: (inout Self) -> Fragment,
    or leaf: (inout Self) -> Fragment
  ) -> Fragment {
    guard depth < 4 else { return leaf(&self).playing(role) }
    depth += 1
    defer { depth -= 1 }
    return make(&self).playing(role)
  }

  /// What `make` makes in another scope.
  mutating func inside(_ change: (inout Scope) -> Void, _ make: (inout Self) -> Fragment) -> Fragment {
    let outside = scope
    defer { scope = outside }
    change(&scope)
    return make(&self)
  }

  mutating func literal() -> Fragment {
    one(of: [
      "0", "1", "-1", "2", "7", "10", "255", "-256", "4096", "0x7fffffff", "-0x80000000", "1000000007",
      "0x7fffffffffffffff", "-9223372036854775807", "0xffffffffffffffff", "0x8000000000000000",
    ])
  }

  /// A string literal.
  mutating func text() -> Fragment {
    let text = one(of: [
      "", "a", "abc", "hello world", "x=1;y=2", "0123456789abcdef0123456789abcdef", "Zz", "\\t", "ab", "0x1f",
      "-12z", "\\001\\377\\\\", "\\\"q\\\" %d", "\u{e9}\u{20ac}", "9223372036854775808", "l\\nm",
      "The quick brown fox jumps over the lazy dog, again and again and again; 0123456789",
    ])
    return "\"\(text)\""
  }
}
