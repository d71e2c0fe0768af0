// Random expressions and statements that are about strings.
extension ScriptGenerator {
  private static let patterns = [
    "a", "^a", "z$", "^$", "(a|b)+c?", "([a-z]+)[ =]([0-9a-z]*)", "[[:digit:]]{2,}(.)", "(x|(y)|z)*1",
    "^(.*)(l+)(.*)$", "(a+|b+|ab)*", "[^a-f ]+", ".", "b*", "((a)|(b)|c)+", "0x([0-9a-f]+)",
  ]

  mutating func pattern() -> Fragment {
    "\"\(one(of: Self.patterns))\""
  }

  /// A function from strings to a number.
  mutating func textQuestion() -> Fragment {
    switch Int.random(in: 0..<4, using: &random) {
    case 0: "isdigit(\(string()))"
    case 1: "stringat(\(string()), \(long()) & 63)"
    case 2: "strpos(\(string()), \(string()))"
    default: "strlen(\(string()))"
    }
  }

  /// A function from strings and numbers to a string.
  mutating func textFunction() -> Fragment {
    switch number(below: 12) {
    case 7: "ctime(\(long()))"
    case 0: "string_quoted(\(string()))"
    case 1: "text_str(\(string()))"
    case 2: "text_strn(\(string()), \(long()) & 31, \(long()))"
    case 3: "str_replace(\(string()), \(string()), \(string()))"
    case 4: "tokenize(\(string()), \(string()))"
    case 5: "tokenize(\(string()))"
    case 6: "errno_str(\(long()) & 255)"
    case 8: "\(one(of: ["usecs_to_string", "msecs_to_string", "bytes_to_string"]))(\(long()))"
    case 9: "sprint(\(one(of: ["ntohll", "htonl", "ntohs"]))(\(long())))"
    default: "return_str(\(long()) & 3, \(long()))"
    }
  }

  /// `sprint` and its kin, and `sprintf` of random directives.
  mutating func formatted() -> Fragment {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return "sprint(\(long()), \(string()))"
    case 1: return "sprintln(\(string()), \(long()))"
    case 2: return "sprintd(\",\", \(string()), \(long()), \(string()))"
    default: return "sprintf(\(format()))"
    }
  }

  /// A format of random directives, and what they show.
  mutating func format() -> Fragment {
    var format = ""
    var operands: [Fragment] = []
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      format += one(of: ["", " ", "|", "x=", "%%"]) + directive(&operands)
    }
    return "\"\(format)\"\(Fragment(operands.map { ", \($0)" }))"
  }

  private mutating func directive(_ operands: inout [Fragment]) -> String {
    let conversion = one(of: ["d", "i", "u", "o", "x", "X", "p", "c", "b", "s", "s", "s"])
    if conversion == "b" {
      operands.append(long())
      return "%" + one(of: ["", "1", "2", "4", "8"]) + conversion
    }
    let flag = one(of: ["", "", "", "0", "+", "-", " ", "#"])
    let width = size(&operands)
    let precision = Int.random(in: 0..<3, using: &random) == 0 ? "." + size(&operands) : ""
    operands.append(conversion == "s" ? string() : long())
    // A flag that is a space or a zero needs no width, a dot needs a number.
    return "%" + flag + width + (precision == "." ? ".0" : precision) + conversion
  }

  private mutating func size(_ operands: inout [Fragment]) -> String {
    switch Int.random(in: 0..<6, using: &random) {
    case 0, 1: return ""
    case 2:
      operands.append("(\(long()) & 63) - 16")
      return "*"
    case 3:
      operands.append(long())
      return "*"
    default: return "\(Int.random(in: 1...40, using: &random))"
    }
  }

  /// Matches, and asks for the groups, whether there are any or not.
  mutating func matchStatement() -> Fragment {
    let group: Fragment = rarely(4) ? "\(long()) & 3" : "\(number(below: 3))"
    let asked: Fragment = rarely(3) ? one(of: ["matched_str()", "sprint(ngroups())"]) : "matched(\(group))"
    switch Int.random(in: 0..<3, using: &random) {
    case 0: return "if (\(string()) =~ \(pattern())) { try { s1 = \(asked) } catch (m) { s1 = m } }\n"
    case 1: return "try { n1 = \(string()) =~ \(pattern()); s2 = \(asked) } catch (m) { println(m) }\n"
    default: return "try { gs = \(asked) } catch (m) { gs = m }\n"
    }
  }

  /// Takes a string apart.
  mutating func tokenStatement() -> Fragment {
    let delimiters = rarely(5) ? string() : one(of: ["\" \"", "\";=\"", "\"abc\"", "\"\""])
    let head: Fragment = "t = tokenize(\(string()), \(delimiters)); t != \"\" && strlen(s2) < 200"
    return "for (\(head); t = tokenize(\(delimiters))) s2 .= t . \":\"\n"
  }
}
