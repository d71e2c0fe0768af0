// Random walks over arrays, statistics and histograms.
extension ScriptGenerator {
  /// A `foreach` of any kind; those without an order do what any order does alike.
  mutating func foreach() -> Fragment {
    let fresh = freshNumber()
    let (key, text, value) = ("k\(fresh)", "t\(fresh)", "v\(fresh)")
    let sign = one(of: ["+", "-"])
    let limit = limit()
    let field = one(of: ["@count", "@sum", "@min", "@max", "@avg", "@variance"])
    switch number(below: 17) {
    case 0: return walk("an", "\(key)\(sign) in an\(limit)", [key], [])
    case 1: return walk("an", "\(value) = \(key) in an\(sign)\(limit)", [value, key], [])
    case 2: return walk("as", "\(text)\(sign) in as\(limit)", [], [text])
    case 3: return walk("as", "\(text)x = \(text) in as\(sign)\(limit)", [], [text, text + "x"])
    case 4:
      let slice: Fragment = rarely(3) ? "" : rarely(2) ? "[*, \(string())]" : "[\(long()) & 7, *]"
      return walk("ann", "\(value) = [\(key), \(text)\(sign)] in ann\(slice)\(limit)", [value, key], [text])
    case 5: return walk("sts", "\(text) in sts \(field) \(sign)\(limit)", [], [text])
    case 6: return walk("sts", "\(value) = \(text)\(sign) in sts\(limit)", [value], [text])
    case 7:
      let histogram = one(of: ["@hist_log(st)", "@hist_linear(st, -10, 100, 10)"])
      return walk("st", "\(value) = \(key) in \(histogram)\(sign) limit 5", [value, key], [])
    case 8:
      let slice: Fragment = rarely(2) ? "" : "[*, *, \(string())]"
      let keys = "[\(text), \(key)\(sign), \(text)z]"
      return walk("a3", "\(text)v = \(keys) in a3\(slice)\(limit)", [key], [text, text + "z", text + "v"])
    case 9: return walk("stn", "[\(key), \(text)] in stn \(field) \(sign)\(limit)", [key], [text])
    case 10: return walk("aw", "\(value) = \(key)\(sign) in aw\(limit)", [value, key], [])
    case 11: return walk("asw", "\(text) in asw\(sign)\(limit)", [], [text])
    case 12: return walk("sw", "\(key) in sw @sum \(sign)\(limit)", [key], [])
    case 13:
      let slice: Fragment = rarely(2) ? "[*, \(string())]" : "[\(long()) & 3, *]"
      return walk("stn", "[\(key), \(text)] in stn\(slice) \(field) \(sign)\(limit)", [key], [text])
    case 14:
      let head: Fragment = "\(value) = \(key) in @hist_log(sts[\(string())])\(sign) limit 4"
      return "try { \(walk("sts", head, [value, key], []))} catch (m) { println(m) }\n"
    case 15: return walk("asw", "\(text)v = \(text)\(sign) in asw\(limit)", [], [text, text + "v"])
    default: return "foreach (\(key) in an) n2 += \(key) * an[\(key)]\n"
    }
  }

  private mutating func limit() -> Fragment {
    // Inside other loops few rounds are enough.
    guard scope.loopDepth == 0 else { return " limit \(number(below: 4))" }
    return switch number(below: 4) {
    case 0: ""
    case 1: " limit 3"
    case 2: " limit n1"
    default: " limit (\(long()) & 7)"
    }
  }

  private mutating func walk(
    _ array: String,
    _ head: Fragment,
    _ longs: [String],
    _ texts: [String]
  ) -> Fragment {
    let shown = (longs + texts).map { "print(\($0), \" \")\n" }.joined()
    let block = inside { scope in
      scope.counters += longs.isEmpty ? ["n1"] : longs
      scope.texts += texts
      scope.walked.append(array)
      scope.loopDepth += 1
    } _: {
      $0.block()
    }
    return "foreach (\(head)) {\n\(shown)\(block)}\n"
  }
}
