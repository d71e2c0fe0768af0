// Random functions, and calls of them.
extension ScriptGenerator {
  /// Globals and functions.
  mutating func declarations() -> Fragment {
    let fixed: Fragment = """
      global gn = \(literal()), gs = \(text())
      global an, as, ann, a3, ao[4], st, sts, stn, aw%[5], asw%[4], sw%[3]
      function twice(n) { return n + n }
      function pick:string(c, a:string, b:string) { if (c) return a; return b }
      function steps(n, s:string) { if (n < 0) return strlen(s) \(one(of: ["gn++", "gn += 3"])) return n & 1023 }
      function choose(a) { return a * 3 }
      function choose:long(a, b):1 { if (a < b) next; return a - b }
      function choose:long(a, b):2 { if (a & 1) next; return \(literal()) }
      function tell:string(a, s:string):1 { if (a > 5) next; return s . "1" }
      function tell:string(a, s:string):2 { if (s == "") next; return sprint(a, s) }
      @define scale(x, y) %( ((@x) * 3 - (@y)) %)
      function bounce(a, b) { return b <= 0 ? a : bounce(b ^ a, b - 2) + 1 }

      """
    scope = Scope(functions: ["twice", "pick", "steps", "choose", "tell", "scale"])
    return Fragment([
      fixed, numberFunction(), wordsFunction(), actFunction(), againFunction(), spellFunction(),
    ])
  }

  /// The body of a function: it may not change arrays, because some `foreach` that calls it may walk them.
  private mutating func body(of name: String, returning result: Fragment.Role?) -> Fragment {
    let body = inside { scope in
      scope.walked = ["an", "as", "ann", "a3", "ao", "st", "sts", "stn", "aw", "asw", "sw"]
      scope.result = result
    } _: { generator in
      Fragment((0..<Int.random(in: 1...2, using: &generator.random)).map { _ in generator.statement() })
    }
    scope.functions.insert(name)
    return body
  }

  private mutating func numberFunction() -> Fragment {
    """
    function number:long(n1:long, s1:string) {
    n2 = 3; s2 = "b"
    \(body(of: "number", returning: .long))return n1 - n2 + strlen(s2 . s1)
    }

    """
  }

  private mutating func wordsFunction() -> Fragment {
    """
    function words:string(n1:long, s1:string) {
    n2 = n1; s2 = s1
    \(body(of: "words", returning: .string))return s1 . sprint(n2, s2)
    }

    """
  }

  private mutating func actFunction() -> Fragment {
    """
    function act(n1:long) {
    n2 = 1; s1 = "act"; s2 = ""
    \(body(of: "act", returning: .plain))gn += n1 + n2
    gs = substr(gs . s1 . s2, 0, 40)
    }

    """
  }

  private mutating func againFunction() -> Fragment {
    """
    function again:long(n1:long, s1:string) {
    if (n1 <= 0) return strlen(s1)
    n2 = n1; s2 = "r"
    \(body(of: "again", returning: .long))return again((n1 & 7) - 1, s1 . s2) \(one(of: ["+", "-", "^"])) n2
    }

    """
  }

  private mutating func spellFunction() -> Fragment {
    """
    function spell:string(n1:long, s1:string) {
    if (n1 <= 0) return s1
    n2 = n1; s2 = "s"
    \(body(of: "spell", returning: .string))return spell((n1 & 3) - 1, s2) . s1
    }

    """
  }

  // MARK: Calls

  mutating func longCall() -> Fragment {
    let functions = ["number", "choose", "twice", "steps", "scale"].filter { scope.functions.contains($0) }
    if scope.mayRecur, rarely(3) {
      let count: Fragment = rarely(4) ? long() : "(\(long()) & 7)"
      return rarely(2) ? "again(\(count), \(string()))" : "bounce(\(long()), \(count))"
    }
    return switch one(of: functions) {
    case "number": "number(\(long()), \(string()))"
    case "choose":
      rarely(2) ? "choose(\(long()))" : "choose(\(long()), \(long()))"
    case "twice": "twice(\(long()))"
    case "scale": "@scale(\(long()), \(long()))"
    default: "steps(\(long()), \(string()))"
    }
  }

  mutating func stringCall() -> Fragment {
    if scope.mayRecur, rarely(3) { return "spell(\(long()) & 3, \(string()))" }
    guard scope.functions.contains("words"), rarely(2) else {
      let arguments: Fragment = "\(long()), \(string())"
      return rarely(2) ? "tell(\(arguments))" : "pick(\(arguments), \(string()))"
    }
    return "words(\(long()), \(string()))"
  }
}
