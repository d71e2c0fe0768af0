import Testing

@Suite("Mistakes in scripts")
struct MistakeTests {
  @Test(
    "are named by their ID",
    arguments: [
      ("probe begin { println(long_arg(1)) }", "no-registers"),
      ("global a probe begin { a[1] = 1; println(a) }", "array-as-scalar"),
      ("global m probe begin { try { } catch (m) { } println(m) }", "catch-into-global"),
      ("global a probe begin if (f()) { } function f() { return a }", "condition-calls"),
      ("global a probe begin if (a++) { }", "condition-has-effects"),
      ("probe begin { println(@uderef(3, 1)) }", "dereference-size"),
      ("global a global a probe begin { println(a++) }", "duplicate-global"),
      ("probe begin { f(1, 2) } function f(a, a) { println(a) }", "duplicate-parameter"),
      ("probe begin { println(@entry(1)) }", "entry-outside-return"),
      ("global s probe begin { s <<< 1; print(@hist_linear(s, 5, 1, 1)) }", "histogram-bounds"),
      ("global s probe begin { s <<< 1; print(@hist_linear(s, 0, 1000, 1)) }", "histogram-too-wide"),
      ("probe begin { s <<< 1 }", "local-statistic"),
      ("global a, k probe begin { foreach (k in a) { println(k) } }", "loop-variable-global"),
      ("global a probe begin { foreach (k in a) { a[k] = 1 } }", "modified-during-foreach"),
      ("global a probe begin { foreach (k in a) { delete a } }", "modified-during-foreach"),
      ("probe begin { count[1] = 2 }", "no-such-array"),
      ("probe begin { printline(\"a\") }", "no-such-script-function"),
      ("probe begin { println(f()) } function f() { }", "no-value"),
      ("probe begin { x = log(\"a\") println(x) }", "no-value"),
      ("probe begin { pid() = 3 }", "not-assignable"),
      ("global a probe begin { println(a + @count(a)) }", "type-mismatch"),
      ("probe begin { println(@count(a)) }", "not-statistic"),
      ("probe begin { break }", "outside-loop"),
      ("probe begin { return 1 }", "return-outside-function"),
      ("global a probe begin { a = 1; a[1] = 2 }", "scalar-as-array"),
      ("global s probe begin { s <<< 1; println(s) }", "statistic-as-value"),
      ("global s probe begin { s <<< 1; s = 2 }", "statistic-assigned"),
      ("probe begin { println($x) }", "no-target-variables"),
      ("probe begin { x = 1; x = \"a\"; println(x) }", "type-mismatch"),
      ("probe begin { println(1 . \"a\") }", "type-mismatch"),
      ("probe begin { f(1) f(\"a\") } function f(x) { println(x) }", "type-mismatch"),
      ("probe begin { printf(\"%s\", 1) }", "type-mismatch"),
      ("global a probe begin { a[1] = 1; a[\"x\"] = 2 }", "type-mismatch"),
      ("probe begin { f(x) } function f(a) { }", "unknown-type"),
      ("global s probe begin { s <<< 1; println(@variance(s, 70)) }", "variance-shift"),
      ("probe begin { strlen(\"a\", \"b\") }", "wrong-argument-count"),
      ("probe begin { f(1) } function f() { println(1) }", "wrong-argument-count"),
      ("global a probe begin { a[1] = 1; println(a[1, 2]) }", "wrong-key-count"),
      ("probe a = b { } probe b = a { } probe a { }", "alias-loop"),
      ("global a", "no-probes"),
      ("probe beginn { }", "no-such-probe"),
      ("probe timer.minutes(1) { }", "no-such-timer"),
      ("probe timer.ms(10).randomize(20) { }", "randomize-range"),
      ("probe begin(\"a\") { }", "sequence-number"),
      ("probe timer.ms { }", "timer-count"),
      ("probe timer { }", "timer-unit"),
      ("probe begin.end { }", "unexpected-component"),
      ("probe kprobe.function(\"f\") { }", "unsupported-probe"),
    ]
  )
  func names(_ script: String, _ id: String) {
    let elaborated = Elaborated(script)
    #expect(elaborated.checked.product == nil)
    let errors = elaborated.checked.diagnostics.filter { $0.severity == .error }
    #expect(errors.map(\.id) == [id], "\(elaborated.messages)")
  }

  @Test(
    "that are only suspicious are warnings",
    arguments: [
      ("probe begin { x = 1 }", "unused-local"),
      ("probe begin { println(x + 1) }", "never-assigned"),
      ("probe begin { 1 + 2 }", "no-effect"),
      ("function f() { } probe begin { }", "unused-function"),
      ("global a probe begin { }", "unused-global"),
    ]
  )
  func warns(_ script: String, _ id: String) {
    let elaborated = Elaborated(script)
    #expect(elaborated.checked.product != nil, "\(elaborated.messages)")
    #expect(elaborated.ids == [id], "\(elaborated.messages)")
  }

  @Test("Near-misses are accepted in silence")
  func acceptsNearMisses() {
    let script = """
      global a, s, last
      probe begin { foreach (k in a) { last = k } s <<< 1; delete s; a["x"] = 1 }
      probe end { if ("x" in a) println(@count(s)) }
      probe never if (last == "x") { x = 1; println(x); next }
      """
    let elaborated = Elaborated(script)
    #expect(elaborated.messages == "")
  }

  @Test("A mistake shows where it is and what else is involved")
  func showsPlaces() {
    let elaborated = Elaborated("global hits\nprobe begin { hits[1] = 1\n  hit[2] = 2 }")
    #expect(elaborated.messages.contains("did you mean 'hits'?"))
    #expect(elaborated.messages.contains("test.stp:3:3: error: "))
  }
}
