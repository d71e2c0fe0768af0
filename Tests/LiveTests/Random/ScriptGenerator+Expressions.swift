// Random numbers and strings: expressions.
extension ScriptGenerator {
  mutating func long() -> Fragment {
    nested(.long) {
      $0.anyLong()
    } or: {
      $0.longLeaf()
    }
  }

  private mutating func anyLong() -> Fragment {
    switch number(below: 29) {
    case 0, 1: longLeaf()
    case 2, 3, 4: "(\(long()) \(one(of: ["+", "-", "*", "&", "|", "^"])) \(long()))"
    case 5: division()
    case 6: "(\(long()) \(one(of: ["<<", ">>", ">>>"])) \(shiftCount()))"
    case 7, 8: "(\(long()) \(relation()) \(long()))"
    case 9: "(\(long()) \(one(of: ["&&", "||"])) \(long()))"
    case 10: "(\(long()) ? \(long()) : \(long()))"
    case 11: "\(one(of: ["-", "~", "!"]))(\(long()))"
    case 12: "strlen(\(string()))"
    case 13: "(\(string()) \(relation()) \(string()))"
    case 14: longCall()
    case 15: textQuestion()
    case 16: "strpos(\(string()), \(string()))"
    case 17: "strtol(\(string()), \(one(of: ["0", "10", "16", "8"])))"
    case 18: statistic()
    case 19: "isinstr(\(string()), \(string()))"
    case 20: "(\(string()) \(one(of: ["=~", "!~"])) \(pattern()))"
    case 21: "strtol(\(string()), \(long()) & 31)"
    case 22: assignment()
    case 23: element()
    case 24: longCall()
    case 25: memoryNumber()
    default: membership()
    }
  }

  private mutating func relation() -> String { one(of: ["<", "<=", ">", ">=", "==", "!="]) }

  /// By zero now and then, and the one that overflows.
  private mutating func division() -> Fragment {
    let sign = one(of: ["/", "%"])
    if rarely(8) { return "(\(long()) \(sign) \(long()))" }
    if rarely(4) { return "(\(long()) \(sign) -1)" }
    return "(\(long()) \(sign) ((\(long()) & 15) + 1))"
  }

  private mutating func shiftCount() -> Fragment {
    rarely(5) ? "(\(long()) & 127)" : "(\(long()) & 63)"
  }

  private mutating func assignment() -> Fragment {
    switch number(below: 5) {
    case 0: "(n1 \(one(of: ["=", "+=", "^=", "<<="])) \(long()))"
    case 1: "(\(one(of: ["n2++", "n2--", "gn++"])))"
    case 2: "(\(one(of: ["++n2", "--n1", "--gn"])))"
    case 3 where !scope.walked.contains("an"): "(an[\(long()) & 7]\(one(of: ["++", "--"])))"
    case 4 where !scope.walked.contains("ao"): "(++ao[\(long()) & 3])"
    default: "(gn \(one(of: ["=", "-=", "|="])) \(long()))"
    }
  }

  private mutating func element() -> Fragment {
    switch number(below: 6) {
    case 0: "an[\(long())]"
    case 1: "ann[\(long()) & 7, \(string())]"
    case 2: "ao[\(long()) & 3]"
    case 3: "aw[\(long()) & 15]"
    case 4: "strlen(a3[\(string()), \(long()), \(string())])"
    default: "an[\(literal())]"
    }
  }

  private mutating func membership() -> Fragment {
    switch number(below: 7) {
    case 0: "(\(long()) in an)"
    case 1: "(\(string()) in \(one(of: ["as", "sts", "asw"])))"
    case 2: "([*, \(string())] in ann)"
    case 3: "([\(long()) & 7, *] in ann)"
    case 4: "([\(string()), *, \(string())] in a3)"
    case 5: "([\(long()) & 3, \(string())] in stn)"
    default: "([*, *] in stn)"
    }
  }

  private mutating func statistic() -> Fragment {
    let field = one(of: ["@count", "@sum", "@min", "@max", "@avg", "@variance"])
    return switch number(below: 11) {
    case 0, 1, 2: "\(field)(st)"
    case 3: "@count(sts[\(string())])"
    case 4: "@count(stn[\(long()) & 3, \(string())])"
    case 5: "@hist_log(st)[\(long()) & 127]"
    case 6: "@hist_linear(st, -10, 100, 10)[\(long()) & 7]"
    case 7: "@hist_log(sts[\(string())])[\(long()) & 127]"
    case 8: "@hist_linear(stn[\(long()) & 3, \(string())], 0, 50, 5)[\(long()) & 7]"
    case 9: "@variance(st, \(number(below: 6)))"
    default: "@count(sw[\(long()) & 7])"
    }
  }

  private mutating func longLeaf() -> Fragment {
    switch number(below: 9) {
    case 0, 1, 2: literal()
    case 3: "n1"
    case 4: "n2"
    case 5: "gn"
    case 6: "an[\(literal())]"
    case 7: "ann[\(literal()), \(text())]"
    default: "\(scope.counters.last ?? "n1")"
    }
  }

  mutating func string() -> Fragment {
    nested(.string) {
      $0.anyString()
    } or: {
      $0.stringLeaf()
    }
  }

  private mutating func anyString() -> Fragment {
    switch number(below: 17) {
    case 0, 1: stringLeaf()
    case 2, 3: "(\(string()) . \(string()))"
    case 4: stringCall()
    case 5: "(\(long()) ? \(string()) : \(string()))"
    case 6: "substr(\(string()), \(long()) & 7, \(long()) & 15)"
    case 7: rarely(3) ? "substr(\(string()), \(long()), \(long()))" : "as[\(string())]"
    case 8, 9, 10: textFunction()
    case 11, 12: formatted()
    case 13: "(s2 \(one(of: ["=", ".="])) \(string()))"
    case 14: rarely(2) ? "asw[\(string())]" : "a3[\(string()), \(long()), \(string())]"
    case 15: memoryText()
    default: "as[\(string())]"
    }
  }

  private mutating func stringLeaf() -> Fragment {
    switch number(below: 5) {
    case 0, 1: text()
    case 2: "s1"
    case 3: "\(scope.texts.last ?? "s2")"
    default: "gs"
    }
  }
}
