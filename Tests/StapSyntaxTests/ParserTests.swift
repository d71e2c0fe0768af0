import Diagnostics
import TestSupport
import Testing

@testable import StapSyntax

@Suite("Parser") struct ParserTests {
  @Test("golden files", arguments: goldenNames("parse"))
  func golden(_ name: String) throws {
    try TestSupport.golden("parse", name) { text in
      let arguments = text.contains("$1") ? ["1", "two"] : []
      let parsed = Parsed(text, environment(arguments: arguments, guru: !name.contains("no-guru")))
      return (parsed.printed ?? "") + parsed.messages
    }
  }

  @Test(
    "groups operators",
    arguments: [
      ("a = b = c", "a = (b = c)"),
      ("a <<< b ? c : d", "a <<< (b ? c : d)"),
      ("a ? b : c ? d : e", "a ? b : (c ? d : e)"),
      ("a ? b = 1 : c", "a ? (b = 1) : c"),
      ("a || b && c", "a || (b && c)"),
      ("a && b | c", "a && (b | c)"),
      ("a | b ^ c & d", "a | (b ^ (c & d))"),
      ("a & b == c", "a & (b == c)"),
      ("a == b < c", "(a == b) < c"),
      ("a & b in c", "a & (b in c)"),
      ("a == b in c", "(a == b) in c"),
      ("a < b << c", "a < (b << c)"),
      ("a << b . c", "a << (b . c)"),
      ("a . b + c", "a . (b + c)"),
      ("a + b * c", "a + (b * c)"),
      ("a - b - c", "(a - b) - c"),
      ("a >>> b >> c", "(a >>> b) >> c"),
      ("-a * !b", "(-a) * (!b)"),
      ("-a++", "-(a++)"),
      ("a =~ \"x\" && b !~ \"y\"", "(a =~ \"x\") && (b !~ \"y\")"),
      ("a . b =~ \"x\" \"y\"", "(a . b) =~ \"xy\""),
      ("&$x->y + 1", "(&$x->y) + 1"),
      ("a & &$x", "a & (&$x)"),
      ("[a, *] in b || c", "([a, *] in b) || c"),
    ]
  )
  func groups(_ text: String, _ grouped: String) throws {
    let plain = try #require(statements("x = \(text);"))
    let explicit = try #require(statements("x = \(grouped);"))
    #expect(withoutParentheses(plain) == withoutParentheses(explicit))
    #expect(try tree("x = \(text);") == tree("x = \(grouped);"))
  }

  private func withoutParentheses(_ lines: [String]) -> [String] {
    lines.map { $0.filter { $0 != "(" && $0 != ")" } }
  }

  /// The tree of a statement without its `.parenthesized` nodes.
  private func tree(_ text: String) throws -> String {
    let script = try #require(Parsed("probe begin { \(text) }").product)
    guard case .probe(let probe) = script.declarations[0], case .block(let body) = probe.body.kind,
      case .expression(let expression) = body[0].kind
    else { return "" }
    return structure(unwrapped(expression))
  }

  private func unwrapped(_ expression: Expression) -> Expression {
    var result = expression
    switch expression.kind {
    case .parenthesized(let inner): return unwrapped(inner)
    case .binary(let op, let left, let right): result.kind = .binary(op, unwrapped(left), unwrapped(right))
    case .assign(let op, let left, let right): result.kind = .assign(op, unwrapped(left), unwrapped(right))
    case .unary(let op, let operand): result.kind = .unary(op, unwrapped(operand))
    case .regexMatch(let text, let pattern, let negated):
      result.kind = .regexMatch(unwrapped(text), pattern: pattern, negated: negated)
    case .membership(let indexes, let array):
      let inner = indexes.map { index in
        if case .value(let value) = index { return IndexPattern.value(unwrapped(value)) }
        return index
      }
      result.kind = .membership(inner, array: array)
    case .ternary(let condition, let then, let otherwise):
      result.kind = .ternary(unwrapped(condition), then: unwrapped(then), else: unwrapped(otherwise))
    default: break
    }
    return result
  }

  @Test(
    "statements in canonical form",
    arguments: [
      ("a b; c", ["a;", "b;", "c;"]),
      ("a\n++b", ["a++;", "b;"]),
      ("a; ++b", ["a;", "++b;"]),
      ("return", ["return;"]),
      ("if (a) b; else c", ["if (a)", "b;", "else", "c;"]),
      ("if (a) {} else if (b) {} else {}", ["if (a) {} else if (b) {} else {}"]),
      ("for (;;) ;", ["for (;;)", ";"]),
      ("for (i = 0; i < 3; i++) {}", ["for (i = 0; i < 3; i++) {}"]),
      ("try {} catch {}", ["try {} catch {}"]),
      ("try {} catch (m) {}", ["try {} catch (m) {}"]),
      ("delete a[*, 1] delete b", ["delete a[*, 1];", "delete b;"]),
      ("foreach (k in a) {}", ["foreach ([k] in a) {}"]),
      ("foreach (k+ in a limit 2+3) {}", ["foreach ([k+] in a limit 2 + 3) {}"]),
      ("foreach ([k, l-] in a) {}", ["foreach ([k, l-] in a) {}"]),
      ("foreach (v = [k] in a+) {}", ["foreach (v = [k] in a+) {}"]),
      ("foreach (v+ = [k] in a) {}", ["foreach (v = [k] in a+) {}"]),
      ("foreach (v-= k in a) {}", ["foreach (v = [k] in a-) {}"]),
      ("foreach (k in a[*, x] @avg -) {}", ["foreach ([k] in a[*, x] @avg-) {}"]),
      ("foreach (b in @hist_log(s)) {}", ["foreach ([b] in @hist_log(s)) {}"]),
      ("print(@hist_linear(s, -1, 010, 2))", ["print(@hist_linear(s, -1, 8, 2));"]),
      ("x = @hist_log(s[1])[2]", ["x = @hist_log(s[1])[2];"]),
      ("println()", ["println();"]),
      ("printdln(\",\" \" \", 1, 2)", ["printdln(\", \", 1, 2);"]),
      ("x = 18446744073709551615 + 0xFF", ["x = 0xffffffffffffffff + 255;"]),
      ("x = - -1 - --y", ["x = - -1 - --y;"]),
      ("x = [1]", ["x = (1);"]),
      ("(x)++", ["(x)++;"]),
      ("x = string(1) . long", nil),
      ("print = 1", ["print = 1;"]),
      ("x = $a->b->c[1]->d$$ + $$vars$", ["x = $a->b->c[1]->d$$ + $$vars$;"]),
      ("x = $a[1] $ + p->q + f(x)->y[2]", ["x = $a[1]$ + p->q + f(x)->y[2];"]),
      ("x = p $", ["x = p $;"]),
      (
        "x = &@cast(p, \"struct s\", \"m\")->f + @var(\"v@u.c\", \"m\")",
        [
          "x = &@cast(p, \"struct s\", \"m\")->f + @var(\"v@u.c\", \"m\");"
        ]
      ),
      ("$x->next->in = @entry($y) + @defined($z)", ["$x->next->in = @entry($y) + @defined($z);"]),
      (
        "x = @uderef(4, p) + @uregister(7) + @kderef(8, q) + @kregister(1)",
        [
          "x = @uderef(4, p) + @uregister(7) + @kderef(8, q) + @kregister(1);"
        ]
      ),
      (
        "x = @enum(\"A\") . @enumname(1, \"e\") . @enumname(2) . @enumname(3, \"e\", \"m\")",
        [
          "x = @enum(\"A\") . @enumname(1, \"e\") . @enumname(2) . @enumname(3, \"e\", \"m\");"
        ]
      ),
      ("x = @variance(s, 3) + @count(s)", ["x = @variance(s, 3) + @count(s);"]),
      (
        "x = @perf(\"a\") + @const(\"B\") + @probewrite(c) + %{ 1 %}",
        [
          "x = @perf(\"a\") + @const(\"B\") + @probewrite(c) + %{ 1 %};"
        ]
      ),
    ] as [(String, [String]?)]
  )
  func printsStatements(_ text: String, _ expected: [String]?) {
    #expect(statements(text) == expected, "\(Parsed("probe begin { \(text) }").messages)")
  }

  @Test(
    "probe points",
    arguments: [
      ("a.b", ["a.b"]), ("a . b ( \"c\" \"d\" )", ["a.b(\"cd\")"]), ("a(-0x10)", ["a(-16)"]),
      ("process.function(\"f\").return?", ["process.function(\"f\").return?"]),
      ("a*b.*.**", ["a*b.*.**"]), ("a * b", nil), ("sys*64_x", ["sys*64_x"]),
      ("a! , b? if (x == 1)", ["a!", "b? if (x == 1)"]), ("a if (x && y)", ["a if (x && y)"]),
      ("a.{b,c(1)}.{d,e.f}", ["a.b.d", "a.b.e.f", "a.c(1).d", "a.c(1).e.f"]),
      ("{a,b.{c,d}}.e", ["a.e", "b.c.e", "b.d.e"]), ("a.{b!, c? if (x), d}", ["a.b!", "a.c? if (x)", "a.d"]),
      ("a.{b!, c}.d", nil), ("a.{b!, c}?", nil), ("a.", nil), ("a(1, 2)", nil), ("a()", nil), ("a b", nil),
      ("", nil), ("a,", nil), ("a.{b", nil), ("a.{b,c}x", nil), ("@a", nil), ("8", nil), ("a{b}", nil),
    ] as [(String, [String]?)]
  )
  func readsProbePoints(_ text: String, _ expected: [String]?) {
    var sources = SourceSet()
    let file = sources.add(SourceFile(name: "-l", text: Array(text.utf8)))
    let checked = parseProbePoints(file, in: sources, environment: environment())
    #expect(checked.product.map { $0.map { ASTPrinter.text($0) } } == expected)
    #expect(checked.diagnostics.count == (expected == nil ? 1 : 0), "\(checked.diagnostics)")
  }

  @Test(
    "near misses are told once",
    arguments: [
      ("x = ", "syntax", "}"), ("f(1", "syntax", "}"), ("x = (1 + 2", "syntax", "}"), ("if a", "syntax", "a"),
      ("else {}", "syntax", "else"), ("catch {}", "syntax", "catch"), ("1 = 2", "not-assignable", "1"),
      ("f()++; y", "syntax", ";"), ("++f()", "not-assignable", "f()"),
      ("a == b = c", "not-assignable", "a == b"),
      ("x = a[*]", "wildcard-index", "*"), ("x = [1, 2]", "syntax", "}"), ("x = [*]", "syntax", "}"),
      ("x = @hist_log(s)", "whole-histogram", "@hist_log(s)"),
      ("print(@hist_log(s), 1)", "whole-histogram", ","),
      ("x = @count(1)", "not-a-statistic", "1"), ("x = @count(f())", "not-a-statistic", "f()"),
      ("x = @variance(s, 63)", "variance-shift", "63"),
      ("print(@hist_linear(s, 1, 2, 0))", "histogram-step", "0"),
      ("printf(x)", "literal-format", "x"), ("printf()", "literal-format", ")"),
      ("printd(x, 1)", "literal-format", "x"),
      ("print()", "print-argument-count", "print"), ("printd(\",\", 1)", "print-argument-count", "printd"),
      ("printf(\"%d\")", "print-argument-count", "\"%d\""),
      ("print_char(1, 2)", "print-argument-count", "print_char"),
      ("printf(\"a%*d\", 1)", "print-argument-count", "\"a%*d\""),
      ("printf(\"a\\t%lld\", 1)", "print-format", "%ll"),
      ("foreach (k+ in a-) {}", "several-orders", "-"),
      ("foreach (k in a @hist_log) {}", "syntax", "@hist_log"),
      ("foreach (k in a @count) {}", "syntax", ")"), ("foreach (k in 3) {}", "syntax", "3"),
      ("delete f()", "not-deletable", "f()"), ("delete $x", "not-deletable", "$x"),
      ("x = 08", "invalid-number", "08"),
      ("x = 1f", "invalid-number", "1f"),
      ("x = 18446744073709551616", "invalid-number", "18446744073709551616"),
      ("x = &y", "no-address", "&"), ("x = $y$->z", "syntax", "->"), ("x = $$", "syntax", "$$"),
      ("s =~ t", "syntax", "t"), ("x = 1 in a in b", "syntax", "in"), ("x = @cast(p, t)->u", "syntax", "t"),
      ("try { }", "syntax", "}"), ("try x catch {}", "syntax", "x"), ("return else", "syntax", "else"),
      ("x >>>= 1", "syntax", "="), ("x = \"a", "unterminated-string", "\"a }"), ("x ? 1", "syntax", "}"),
      ("x = 'a'", "syntax", "'"), ("x = é", "unknown-character", "é"),
      ("x = $1", "argument-out-of-range", "$1"),
      ("for (a; b) {}", "syntax", ")"), ("x = @uderef(p, 4)", "syntax", "p"),
      ("probe end {}", "syntax", "probe"),
    ]
  )
  func refuses(_ text: String, _ id: String, _ marked: String) {
    let parsed = Parsed("probe begin { \(text) }")
    #expect(parsed.ids == [id], "\(parsed.messages)")
    #expect(parsed.marked.first == marked)
  }

  @Test(
    "declarations that are refused",
    arguments: [
      ("prob begin {}", "syntax", "prob"), ("probe begin", "syntax", ""),
      ("probe a, b = c {}", "alias-name", "="),
      ("probe a? = c {}", "alias-name", "a?"), ("probe a += b {}, {}", "syntax", ","),
      ("probe a {}, {}", "syntax", ","),
      ("global", "syntax", ""), ("global a[0]", "array-size", "0"), ("global a[-1]", "array-size", "-1"),
      ("global a[2147483648]", "array-size", "2147483648"), ("global a[2] = 3", "array-initializer", "="),
      ("global a% = 3", "array-initializer", "="), ("global a = b", "syntax", "b"),
      ("global next", "syntax", "next"),
      ("function f {}", "syntax", "{"), ("function f(a, a) {}", "duplicate-parameter", "a"),
      ("function f:int() {}", "syntax", "int"), ("function f(a):0 {}", "function-priority", "0"),
      ("function f(a) b", "syntax", "b"), ("private probe x {}", "syntax", "probe"), ("x = 1", "syntax", "x"),
      ("probe a.{b,c}.{d,e {} probe end {}", "syntax", "{"),
      ("probe begin { x = 1 probe end {}", "syntax", "probe"),
    ]
  )
  func refusesDeclaration(_ text: String, _ id: String, _ marked: String) {
    let parsed = Parsed(text)
    #expect(parsed.ids == [id], "\(parsed.messages)")
    #expect(parsed.marked.first == marked)
  }

  @Test(
    "guru mode",
    arguments: [
      "%{ int x; %} probe begin {}", "function f() %{ %} probe begin {}", "probe begin { x = @const(\"A\") }",
      "probe begin { x = @kderef(4, 1) }", "probe begin { x = @kregister(1) }", "probe begin { %{ %} }",
    ]
  )
  func asksForGuruMode(_ text: String) {
    #expect(Parsed(text, environment(guru: false)).ids == ["needs-guru-mode"])
    #expect(Parsed(text, environment(guru: true)).ids == [])
    #expect(Parsed(text, environment(guru: false), origin: .tapset).ids == [])
  }

  @Test func everyMistakeOfAScriptIsFound() {
    let parsed = Parsed(
      """
      global a[0]
      probe begin {
        x = 
        if (y { z }
        while (1) { w = * }
        good = 1
      }
      function f( { }
      probe end { printf("%y") }
      """
    )
    #expect(parsed.ids == ["array-size", "syntax", "syntax", "syntax", "syntax", "print-format"])
  }

  @Test func fixItsMendWhatTheyMark() {
    let mistakes = ["prob begin {}", "function f:integer() {}", "probe begin { x = @cuont(y) }"]
    let mended = ["probe begin {}", "function f:long() {}", "probe begin { x = @count(y) }"]
    for (mistake, result) in zip(mistakes, mended) {
      let parsed = Parsed(mistake)
      let range = parsed.checked.diagnostics[0].range?.bytes ?? 0..<0
      var bytes = Array(mistake.utf8)
      bytes.replaceSubrange(range, with: Array((parsed.checked.diagnostics[0].fixIt ?? "").utf8))
      #expect(String(decoding: bytes, as: UTF8.self) == result)
    }
  }
}
