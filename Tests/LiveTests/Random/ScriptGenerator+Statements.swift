// Random statements.
extension ScriptGenerator {
  mutating func block() -> Fragment {
    "{\n\(Fragment((0..<Int.random(in: 1...3, using: &random)).map { _ in statement() }))}\n"
  }

  mutating func statement() -> Fragment {
    nested(.statement) {
      $0.anyStatement()
    } or: {
      $0.simpleStatement()
    }
  }

  private mutating func anyStatement() -> Fragment {
    switch number(below: 25) {
    case 0: "if (\(long())) \(block()) else \(block())"
    case 1: "if (\(long())) \(block())"
    case 2, 3: loop()
    case 4: "try { n1 = \(long()) / (\(long()) & 3)\n n2 += n1 } catch (m) { println(m) }\n"
    case 5: "if (\(long()) == 12345) \(leave())\n"
    case 6 where scope.loopDepth > 0: "if (\(long())) \(one(of: ["break", "continue"]))\n"
    case 7: matchStatement()
    case 8: tokenStatement()
    case 9, 10, 11: foreach()
    case 12: guarded()
    case 13: failure()
    case 14: procedure()
    case 15: conditional()
    default: simpleStatement()
    }
  }

  /// Ends the function or the probe.
  private mutating func leave() -> Fragment {
    switch scope.result {
    case .long: "return \(long())"
    case .string: "return \(string())"
    case .plain: "return;"
    default: "next;"
    }
  }

  /// `for` and `while` over a counter that nothing else touches.
  private mutating func loop() -> Fragment {
    let counter = "i\(freshNumber())"
    let bound = Int.random(in: 1...6, using: &random)
    let kind = number(below: 8)
    let body = inside {
      $0.counters.append(counter)
      $0.loopDepth += 1
    } _: {
      $0.block()
    }
    switch kind {
    case 0: return "\(counter) = \(bound)\nwhile (\(counter)-- > 0) \(body)"
    case 1: return "\(counter) = 0\nwhile (\(counter) < \(bound) && \(long())) { \(counter)++\n\(body)}\n"
    case 2: return "\(counter) = 0\nfor (;;) { if (\(counter)++ >= \(bound)) break\n\(body)}\n"
    case 3 where scope.loopDepth == 0 && rarely(3):
      // Only MAXACTION ends it; printing 10,000 times would lose records.
      let change: Fragment = rarely(2) ? "n2 += \(counter) * \(literal())" : "gn ^= \(counter)"
      return "try { for (\(counter) = 0; ; \(counter)++) \(change) } catch (m) { println(m) }\n"
    default: return "for (\(counter) = 0; \(counter) < \(bound); \(counter)++) \(body)"
    }
  }

  private mutating func guarded() -> Fragment {
    switch number(below: 4) {
    case 0: "try \(block()) catch (m) { printf(\"<%s>\\n\", m)\n\(statement())}\n"
    case 1: "try \(block()) catch \(block())"
    case 2: "try { try \(block()) catch (m) { error(m . \(string())) } } catch (m) { gs = m }\n"
    default: "try { \(statement())error(\(string())) } catch (m) { s1 = m }\n"
    }
  }

  /// An error that nobody may catch, now and then.
  private mutating func failure() -> Fragment {
    switch number(below: 5) {
    case 0: "if (\(long()) == \(literal())) error(\(string()))\n"
    case 1: "try { ao[\(long())] = \(long()) } catch (m) { println(m) }\n"
    case 2: "try { n1 = \(long()) % \(long()) } catch { n2++ }\n"
    case 3: "if (\(long()) > \(long())) { try { error(\(string())) } catch (m) { s2 = m } }\n"
    default: caughtExtract()
    }
  }

  private mutating func caughtExtract() -> Fragment {
    let field = one(of: ["@sum", "@min", "@max", "@avg", "@variance"])
    return "try { n1 = \(field)(sts[\(string())]) } catch (e) { println(e) }\n"
  }

  /// One of two branches, which the preprocessor takes.
  private mutating func conditional() -> Fragment {
    let condition = one(of: [
      "arch == \"x86*\"", "1 > 2 || \"a\" < \"b\"", "systemtap_v < \"1.0\"", "CONFIG_NONE == \"y\"",
    ])
    return "%( \(condition) %? \(statement()) %: \(statement()) %)\n"
  }

  private mutating func procedure() -> Fragment {
    guard scope.functions.contains("act") else { return simpleStatement() }
    return rarely(3) && scope.mayRecur ? "n2 = again(\(long()) & 15, \(string()))\n" : "act(\(long()))\n"
  }

  /// Changes what no `foreach` around walks.
  mutating func simpleStatement() -> Fragment {
    while true {
      let (target, statement) = change()
      if !scope.walked.contains(target) { return statement.playing(.statement) }
    }
  }

  private mutating func deletion() -> (String, Fragment) {
    switch number(below: 19) {
    case 0: ("an", "delete an[\(long()) & 7]\n")
    case 1: ("as", "delete as[\(string())]\n")
    case 2: ("ann", "delete ann[1, \(string())]\n")
    case 3: ("an", "delete an\n")
    case 4: ("as", "delete as\n")
    case 5: ("ann", "delete ann\n")
    case 6: ("ann", "delete ann[*, \(string())]\n")
    case 7: ("ann", "delete ann[\(long()) & 7, *]\n")
    case 8: ("sts", "delete sts\n")
    case 9: ("sts", "delete sts[\(string())]\n")
    case 10: ("gn", "delete gn\n")
    case 11: ("gs", "delete gs\n")
    case 12: ("aw", "delete aw[\(long()) & 15]\n")
    case 13: ("asw", "delete asw\n")
    case 14: ("sw", "delete sw[\(long()) & 7]\n")
    case 15: ("ao", "delete ao[\(long()) & 3]\n")
    case 16: ("a3", "delete a3[\(string()), *, *]\n")
    case 17: ("stn", "delete stn[*, \(string())]\n")
    default: ("st", "delete st\nst <<< \(literal())\n")
    }
  }

  /// A statement, and the name of what it changes.
  private mutating func change() -> (String, Fragment) {
    switch number(below: 27) {
    case 0: ("", "n1 = \(long())\n")
    case 1: ("", "n2 \(one(of: ["+=", "-=", "*=", "^=", "|=", "&="])) \(long())\n")
    case 2: ("gn", "gn \(one(of: ["=", "+=", "-="])) \(long())\n")
    case 3: ("", "s1 = \(string())\n")
    case 4: ("", "s2 .= \(string())\n")
    case 5: ("gs", "gs \(one(of: ["=", "=", ".="])) \(string())\n")
    case 6: ("an", "an[\(long()) & 15] \(one(of: ["=", "+=", "-=", "*=", "|="])) \(long())\n")
    case 7: ("an", "an[\(long()) & 3]\(one(of: ["++", "--"]))\n")
    case 8: ("as", "as[\(string())] \(one(of: ["=", ".="])) \(string())\n")
    case 9: ("ann", "ann[\(long()) & 7, \(string())] += \(long())\n")
    case 10, 11: ("st", "st <<< \(long())\n")
    case 12: ("sts", "sts[\(string())] <<< \(long())\n")
    case 13, 14: deletion()
    case 15: ("aw", "aw[\(long()) & 15] \(one(of: ["=", "+="])) \(long())\n")
    case 16: ("asw", "asw[\(string())] = \(string())\n")
    case 17: ("sw", "sw[\(long()) & 7] <<< \(long())\n")
    case 18: ("", histogram())
    case 19: ("a3", "a3[\(string()), \(long()), \(string())] \(one(of: ["=", ".="])) \(string())\n")
    case 20: ("stn", "stn[\(long()) & 3, \(string())] <<< \(long())\n")
    case 21: ("ao", "ao[\(long()) & 3] \(one(of: ["=", "+="])) \(long())\n")
    case 22: ("", printed())
    default: ("", "printf(\"%d %s %x|\\n\", \(long()), \(string()), \(long()))\n")
    }
  }

  private mutating func histogram() -> Fragment {
    switch number(below: 5) {
    case 0: "print(@hist_log(st))\n"
    case 1: "print(@hist_linear(st, -10, 100, 10))\n"
    case 2: "println(@hist_log(sts[\(string())]))\n"
    case 3: "print(@hist_linear(sts[\(string())], 0, 4000, 500))\n"
    default: "print(@hist_log(stn[\(long()) & 3, \(string())]))\n"
    }
  }

  private mutating func printed() -> Fragment {
    switch number(below: 9) {
    case 0: "print(\(string()), \(long()))\n"
    case 1: "println(\(long()), \(string()), \(string()))\n"
    case 2: "printd(\"::\", \(long()), \(string()))\n"
    case 3: "printdln(\", \", \(string()), \(string()), \(long()))\n"
    case 4: "print_char(\(long()) & 127)\n"
    case 5, 6: "printf(\(format()))\n"
    case 7: "log(\(string()))\n"
    default: "print(\(formatted()))\n"
    }
  }
}
