import TestSupport

/// Makes well-typed scripts whose body can run in any kind of probe.
///
/// The body works on locals, globals, arrays and statistics and prints on the way; what it left in the globals is
/// printed by `end`. Every loop ends by itself. Two runs of one script must print the same wherever the body runs.
struct ScriptGenerator {
  var random: SeededGenerator
  private var depth = 0
  private var loops = 0
  private var openLoops: [String] = []
  /// String variables of the `foreach` around.
  private var openTexts: [String] = []
  /// Arrays and statistics that a `foreach` walks: the language forbids to change them there.
  private var walked: [String] = []

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// Everything but the probe around the body.
  struct Script {
    let declarations: String
    let body: String
    let end: String

    /// The script with its body in a probe at `point`, once.
    func text(at point: String) -> String {
      "\(declarations)\nprobe \(point) {\n\(body)}\nprobe end {\n\(end)}\n"
    }
  }

  mutating func script() -> Script {
    let declarations = """
      global gn = \(literal()), gs = "\(text())"
      global an, as, ann, st, sts, aw%[5], asw%[4], sw%[3]
      function twice(n) { return n + n }
      function pick:string(c, a:string, b:string) { if (c) return a; return b }
      function steps(n, s:string) { if (n < 0) return strlen(s) \(mutated("gn")) return n & 1023 }
      """
    // Every name is used and typed, whatever the random statements do.
    var body = """
        n1 = \(literal()); n2 = \(literal()); s1 = "\(text())"; s2 = ""
        an[n1] = 1; as[s1] = "x"; aw[n1] = 1; asw[s1] = "w"; sw[n1 & 7] <<< 1; ann[n1 & 7, s1] = 2; st <<< n1; sts[s1] <<< n2; gn += twice(1)
        gs = pick(n1, s1, gs); n2 += steps(n1, s2)

      """
    for _ in 0..<Int.random(in: 3...10, using: &random) { body += statement() }
    body += "  printf(\"%d %d [%s] [%s]\\n\", n1, n2, s1, s2)\n"
    let end = """
        printf("gn=%d gs=%s\\n", gn, gs)
        foreach (k+ in an) printf("an[%d]=%d\\n", k, an[k])
        foreach (t+ in as) printf("as[%s]=%s\\n", t, as[t])
        foreach ([a, b] in ann) sum += a * 3 + strlen(b) + ann[a, b]
        println(sum)
        printf("st %d %d %d %d %d\\n", @count(st), @sum(st), @min(st), @max(st), @avg(st))
        foreach (u+ in sts) printf("sts[%s] %d %d\\n", u, @count(sts[u]), @sum(sts[u]))
        print(@hist_log(st))
        foreach (w+ in aw) printf("aw[%d]=%d\\n", w, aw[w])
        foreach (x+ in asw) printf("asw[%s]=%s\\n", x, asw[x])
        foreach (w+ in sw) printf("sw[%d]=%d,%d\\n", w, @count(sw[w]), @sum(sw[w]))

      """
    return Script(declarations: declarations, body: body, end: end)
  }

  mutating func one<Choice>(of choices: [Choice]) -> Choice {
    choices[Int.random(in: 0..<choices.count, using: &random)]
  }

  private mutating func mutated(_ name: String) -> String {
    Bool.random(using: &random) ? "\(name)++" : "\(name) += 3"
  }

  mutating func literal() -> String {
    one(of: [
      "0", "1", "-1", "2", "7", "10", "255", "-256", "4096", "0x7fffffff", "-0x80000000", "1000000007",
      "0x7fffffffffffffff", "-9223372036854775807", "0xffffffffffffffff",
    ])
  }

  mutating func text() -> String {
    one(of: [
      "", "a", "abc", "hello world", "x=1;y=2", "0123456789abcdef0123456789abcdef", "Zz", "\\t", "ab", "0x1f",
      "-12z", "\\001\\377\\\\",
    ])
  }

  private mutating func nested(_ make: (inout Self) -> String, or leaf: (inout Self) -> String) -> String {
    guard depth < 4 else { return leaf(&self) }
    depth += 1
    defer { depth -= 1 }
    return make(&self)
  }

  mutating func long() -> String {
    nested { generator in
      switch Int.random(in: 0..<22, using: &generator.random) {
      case 0, 1: return generator.longLeaf()
      case 2, 3, 4:
        let operation = generator.one(of: ["+", "-", "*", "&", "|", "^"])
        return "(\(generator.long()) \(operation) \(generator.long()))"
      case 5: return "(\(generator.long()) \(generator.one(of: ["/", "%"])) ((\(generator.long()) & 15) + 1))"
      case 6:
        return "(\(generator.long()) \(generator.one(of: ["<<", ">>", ">>>"])) (\(generator.long()) & 63))"
      case 7, 8:
        let relation = generator.one(of: ["<", "<=", ">", ">=", "==", "!="])
        return "(\(generator.long()) \(relation) \(generator.long()))"
      case 9: return "(\(generator.long()) \(generator.one(of: ["&&", "||"])) \(generator.long()))"
      case 10: return "(\(generator.long()) ? \(generator.long()) : \(generator.long()))"
      case 11: return generator.one(of: ["-", "~", "!"]) + "(\(generator.long()))"
      case 12: return "strlen(\(generator.string()))"
      case 13:
        let relation = generator.one(of: ["<", "<=", ">", ">=", "==", "!="])
        return "(\(generator.string()) \(relation) \(generator.string()))"
      case 14: return "twice(\(generator.long()))"
      case 15: return generator.textQuestion()
      case 20: return "(\(generator.string()) \(generator.one(of: ["=~", "!~"])) \(generator.pattern()))"
      case 21: return "strtol(\(generator.string()), \(generator.long()) & 31)"
      case 19: return "isinstr(\(generator.string()), \(generator.string()))"
      case 16: return "strpos(\(generator.string()), \(generator.string()))"
      case 17: return "strtol(\(generator.string()), \(generator.one(of: ["0", "10", "16", "8"])))"
      case 18: return generator.statistic()
      default:
        return generator.one(of: [
          "(\(generator.long()) in an)", "([*, \(generator.string())] in ann)",
          "([\(generator.long()) & 7, *] in ann)",
        ])
      }
    } or: {
      $0.longLeaf()
    }
  }

  private mutating func statistic() -> String {
    one(of: [
      "@count(st)", "@sum(st)", "@min(st)", "@max(st)", "@avg(st)", "@variance(st)",
      "@count(sts[\(string())])",
      "@hist_log(st)[\(long()) & 127]", "@hist_linear(st, -10, 100, 10)[\(long()) & 7]",
      "@hist_log(sts[\(string())])[\(long()) & 127]",
    ])
  }

  private mutating func longLeaf() -> String {
    switch Int.random(in: 0..<8, using: &random) {
    case 0, 1: literal()
    case 2: "n1"
    case 3: "n2"
    case 4: "gn"
    case 5: "an[\(literal())]"
    case 6: "ann[\(literal()), \"\(text())\"]"
    default: openLoops.last ?? "n1"
    }
  }

  mutating func string() -> String {
    nested { generator in
      switch Int.random(in: 0..<14, using: &generator.random) {
      case 0, 1: return generator.stringLeaf()
      case 8, 9, 10: return generator.textFunction()
      case 11, 12, 13: return generator.formatted()
      case 2, 3: return "(\(generator.string()) . \(generator.string()))"
      case 4: return "pick(\(generator.long()), \(generator.string()), \(generator.string()))"
      case 5: return "(\(generator.long()) ? \(generator.string()) : \(generator.string()))"
      case 6: return "substr(\(generator.string()), \(generator.long()) & 7, \(generator.long()) & 15)"
      default: return "as[\(generator.string())]"
      }
    } or: {
      $0.stringLeaf()
    }
  }

  private mutating func stringLeaf() -> String {
    switch Int.random(in: 0..<5, using: &random) {
    case 0, 1: "\"\(text())\""
    case 2: "s1"
    case 3: openTexts.last ?? "s2"
    default: "gs"
    }
  }

  private mutating func block() -> String {
    var result = "{\n"
    for _ in 0..<Int.random(in: 1...3, using: &random) { result += statement() }
    return result + "}\n"
  }

  private mutating func statement() -> String {
    nested { generator in
      switch Int.random(in: 0..<20, using: &generator.random) {
      case 0: return "if (\(generator.long())) \(generator.block()) else \(generator.block())"
      case 1: return "if (\(generator.long())) \(generator.block())"
      case 2, 3: return generator.loop()
      case 4:
        return
          "try { n1 = \(generator.long()) / (\(generator.long()) & 3)\n n2 += n1 } catch (m) { println(m) }\n"
      case 5: return "if (\(generator.long()) == 12345) next\n"
      case 6 where !generator.openLoops.isEmpty:
        return "if (\(generator.long())) \(generator.one(of: ["break", "continue"]))\n"
      case 7: return generator.matchStatement()
      case 8: return generator.tokenStatement()
      case 9, 10: return generator.foreach()
      default: return generator.simpleStatement()
      }
    } or: {
      $0.simpleStatement()
    }
  }

  /// `for` and `while` over a counter that nothing else touches.
  private mutating func loop() -> String {
    loops += 1
    let counter = "i\(loops)"
    openLoops.append(counter)
    defer { openLoops.removeLast() }
    let bound = Int.random(in: 1...6, using: &random)
    return "for (\(counter) = 0; \(counter) < \(bound); \(counter)++) \(block())"
  }

  /// A `foreach` of any kind; those without an order do what any order does alike.
  private mutating func foreach() -> String {
    loops += 1
    let (key, text, value) = ("k\(loops)", "t\(loops)", "v\(loops)")
    let sign = one(of: ["+", "-"])
    let inner = " limit \(Int.random(in: 0...3, using: &random))"
    let limit = openLoops.isEmpty ? one(of: ["", " limit 3", " limit n1"]) : inner
    let field = one(of: ["@count", "@sum", "@min", "@max", "@avg", "@variance"])
    let histogram = one(of: ["@hist_log(st)", "@hist_linear(st, -10, 100, 10)"])
    switch Int.random(in: 0..<9, using: &random) {
    case 0: return walk("an", "\(key)\(sign) in an\(limit)", [key], [])
    case 1: return walk("an", "\(value) = \(key) in an\(sign)\(limit)", [value, key], [])
    case 2: return walk("as", "\(text)\(sign) in as\(limit)", [], [text])
    case 3: return walk("as", "\(text)x = \(text) in as\(sign)\(limit)", [], [text, text + "x"])
    case 4:
      let slice = one(of: ["", "[*, \(string())]", "[\(long()) & 7, *]"])
      return walk("ann", "\(value) = [\(key), \(text)\(sign)] in ann\(slice)\(limit)", [value, key], [text])
    case 5: return walk("sts", "\(text) in sts \(field) \(sign)\(limit)", [], [text])
    case 6: return walk("sts", "\(value) = \(text)\(sign) in sts\(limit)", [value], [text])
    case 7: return walk("st", "\(value) = \(key) in \(histogram)\(sign) limit 5", [value, key], [])
    default: return "foreach (\(key) in an) n2 += \(key) * an[\(key)]\n"
    }
  }

  private mutating func walk(
    _ array: String,
    _ head: String,
    _ longs: [String],
    _ texts: [String]
  ) -> String {
    let outside = (openLoops, openTexts, walked)
    openLoops += longs.isEmpty ? ["n1"] : longs
    openTexts += texts
    walked.append(array)
    defer { (openLoops, openTexts, walked) = outside }
    let shown = longs.map { "print(\($0), \" \")\n" } + texts.map { "print(\($0), \" \")\n" }
    return "foreach (\(head)) {\n\(shown.joined())\(block())}\n"
  }

  /// Changes what no `foreach` around walks.
  private mutating func simpleStatement() -> String {
    while true {
      let statement = anyStatement()
      if !walked.contains(where: { changes(statement, $0) }) { return statement }
    }
  }

  /// Whether a statement begins by naming `array`, or deletes from it.
  private func changes(_ statement: String, _ array: String) -> Bool {
    let ends = ["[", " ", "\n"]
    return ends.contains { statement.hasPrefix(array + $0) || statement.hasPrefix("delete \(array)" + $0) }
  }

  private mutating func deletion() -> String {
    one(of: [
      "delete an[\(long()) & 7]\n", "delete as[\(string())]\n", "delete ann[1, \(string())]\n",
      "delete an\n", "delete as\n", "delete ann\n",
      "delete ann[*, \(string())]\n", "delete ann[\(long()) & 7, *]\n",
      "delete sts\n", "delete sts[\(string())]\n", "delete gn\n", "delete gs\n",
      "delete aw[\(long()) & 15]\n", "delete asw\n", "delete sw[\(long()) & 7]\n",
      "delete st\nst <<< \(literal())\n",
    ])
  }

  private mutating func caughtExtract() -> String {
    let field = one(of: ["@sum", "@min", "@max", "@avg", "@variance"])
    return "try { n1 = \(field)(sts[\(string())]) } catch (e) { println(e) }\n"
  }

  private mutating func anyStatement() -> String {
    switch Int.random(in: 0..<19, using: &random) {
    case 0: "n1 = \(long())\n"
    case 1: "n2 \(one(of: ["+=", "-=", "*=", "^=", "|=", "&="])) \(long())\n"
    case 2: "gn \(one(of: ["=", "+=", "-="])) \(long())\n"
    case 3: "s1 = \(string())\n"
    case 4: "s2 .= \(string())\n"
    case 5: "gs = \(string())\n"
    case 6: "an[\(long()) & 15] \(one(of: ["=", "+=", "-="])) \(long())\n"
    case 7: "an[\(long()) & 3]\(one(of: ["++", "--"]))\n"
    case 8: "as[\(string())] = \(string())\n"
    case 9: "ann[\(long()) & 7, \(string())] += \(long())\n"
    case 10: "st <<< \(long())\n"
    case 11: "sts[\(string())] <<< \(long())\n"
    case 12: deletion()
    case 13: caughtExtract()
    case 15: "aw[\(long()) & 15] \(one(of: ["=", "+="])) \(long())\n"
    case 16: "asw[\(string())] = \(string())\n"
    case 17: "sw[\(long()) & 7] <<< \(long())\n"
    case 18:
      "print(\(one(of: ["@hist_log(st)", "@hist_linear(st, -10, 100, 10)", "@hist_log(sts[\(string())])"])))\n"
    default: "printf(\"%d %s %x|\\n\", \(long()), \(string()), \(long()))\n"
    }
  }
}
