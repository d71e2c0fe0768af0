import Testing

@testable import Diagnostics

@Suite("DiagnosticRenderer") struct DiagnosticRendererTests {
  private func render(_ text: [UInt8], _ bytes: Range<Int>, width: Int? = nil, color: Bool = false) -> String
  {
    var sources = SourceSet()
    let file = sources.add(SourceFile(name: "a.stp", text: text))
    let diagnostic = Diagnostic(.error, "odd", "this is odd", at: SourceRange(file, bytes))
    return DiagnosticRenderer(sources: sources, usesColor: color, width: width).text(diagnostic)
  }

  private func render(_ text: String, _ bytes: Range<Int>, width: Int? = nil, color: Bool = false) -> String {
    render(Array(text.utf8), bytes, width: width, color: color)
  }

  @Test func showsLineCaretsNotesAndFixIt() {
    var sources = SourceSet()
    let text = #"probe process("libc.so.6").function("mallco") { n++ }"#
    let file = sources.add(SourceFile(name: "heap.stp", text: Array(text.utf8)))
    let diagnostic = Diagnostic(
      .error,
      "no-such-function",
      "no function 'mallco' in /usr/lib/libc.so.6",
      at: SourceRange(file, 37..<43),
      notes: [.note("debug info from /usr/lib/debug/x.debug")],
      fixIt: "malloc"
    )
    #expect(
      DiagnosticRenderer(sources: sources).text(diagnostic) == """
        heap.stp:1:38: error: no function 'mallco' in /usr/lib/libc.so.6 [no-such-function]
          1 │ probe process("libc.so.6").function("mallco") { n++ }
            │                                      ^~~~~~
        fix-it: replace with "malloc"
        note: debug info from /usr/lib/debug/x.debug

        """
    )
    #expect(
      DiagnosticRenderer(sources: sources).json(diagnostic)
        == #"{"severity":"error","id":"no-such-function","#
        + #""message":"no function 'mallco' in /usr/lib/libc.so.6","file":"heap.stp","line":1,"column":38,"#
        + #""endLine":1,"endColumn":44,"startByte":37,"endByte":43,"fixIt":"malloc","#
        + #""notes":[{"severity":"note","id":"note","message":"debug info from /usr/lib/debug/x.debug"}]}"#
    )
  }

  @Test(
    "carets stand under what they mark",
    arguments: [
      ("a\tbc d", 2..<4, "a       bc d", "        ^~"),
      ("\t\tx", 2..<3, "                x", "                ^"),
      ("ä € x", 7..<8, "ä € x", "    ^"),
      ("日本 x", 7..<8, "日本 x", "     ^"),
      ("日本 x", 0..<3, "日本 x", "^~"),
      ("e\u{301}x", 3..<4, "e\u{301}x", " ^"),
      ("👩‍👩‍👧 x", 19..<20, "👩‍👩‍👧 x", "   ^"),
      ("x\u{1b}[31my", 6..<7, "x␛[31my", "      ^"),
      ("x\u{202e}y", 4..<5, "x\u{fffd}y", "  ^"),
      ("ab", 2..<2, "ab", "  ^"),
      ("ab\ncd", 1..<5, "ab", " ^"),
      ("ab\r\ncd", 1..<2, "ab", " ^"),
      ("ab", 7..<9, "ab", "  ^"),
      ("", 0..<0, "", "^"),
    ]
  )
  func alignsCarets(_ text: String, _ bytes: Range<Int>, _ line: String, _ carets: String) {
    let lines = render(text, bytes).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[1] == (line.isEmpty ? "  1 │" : "  1 │ \(line)"))
    #expect(lines[2] == "    │ \(carets)")
  }

  @Test func bytesThatAreNotTextKeepTheirColumns() {
    let lines = render([0x61, 0xff, 0xfe, 0x62], 3..<4).split(separator: "\n")
    #expect(lines[1] == "  1 │ a\u{fffd}\u{fffd}b")
    #expect(lines[2] == "    │    ^")
  }

  @Test("long lines are cut around the caret", arguments: [0, 5, 60, 150, 295])
  func cutsLongLines(_ start: Int) {
    let text = String((0..<300).map { Character(Unicode.Scalar(UInt8(97 + $0 % 26))) })
    let lines = render(text, start..<start + 3, width: 60).split(separator: "\n")
    let (shown, carets) = (Array(lines[1]), Array(lines[2]))
    #expect(shown.count <= 60)
    let marked = carets.indices.filter { carets[$0] == "^" || carets[$0] == "~" }
    #expect(String(marked.map { shown[$0] }) == String(Array(text)[start..<start + 3]))
  }

  @Test func lineNumbersWidenTheGutter() {
    let text = String(repeating: "x\n", count: 99) + "yz"
    #expect(render(text, 199..<200) == "a.stp:100:2: error: this is odd [odd]\n  100 │ yz\n      │  ^\n")
  }

  @Test func colorsAreOptional() {
    #expect(!render("x", 0..<1).contains("\u{1b}"))
    #expect(render("x", 0..<1, color: true).contains("\u{1b}[1;31merror:\u{1b}[0m this is odd"))
  }

  @Test(
    "JSON strings",
    arguments: [
      ("a\"b\\c", #""a\"b\\c""#), ("\n\r\t\0\u{1b}\u{7f}", #""\n\r\t\u0000\u001b\u007f""#),
      ("ä\u{2028}", #""ä\u2028""#),
    ]
  )
  func escapesJSON(_ text: String, _ expected: String) {
    #expect(JSONText.quoted(text) == expected)
  }
}

@Suite("nearestNames") struct NearestNamesTests {
  @Test(
    "finds what was meant",
    arguments: [
      ("mallco", ["malloc", "calloc", "free"], ["malloc", "calloc"]),
      (
        "gettimeofday", ["gettimeofday_us", "gettimeofday_ms", "getpid"],
        ["gettimeofday_ms", "gettimeofday_us"]
      ),
      ("pdi", ["pid", "tid", "uid", "ppid"], ["pid"]),
      ("x", ["y", "z", "ab"], []),
      ("foo", ["foo"], []),
      ("", ["a"], []),
      ("usr_string", ["user_string", "user_string_n", "string"], ["user_string", "user_string_n"]),
      ("completely", ["different", "words", "here"], []),
    ] as [(String, [String], [String])]
  )
  func finds(_ name: String, _ candidates: [String], _ expected: [String]) {
    #expect(nearestNames(to: name, among: candidates) == expected)
  }

  @Test func isQuickAmongManyNames() {
    let names = (0..<20_000).map { "function_number_\($0)" } + ["SendQuery"]
    let clock = ContinuousClock()
    var found: [String] = []
    let time = clock.measure { found = nearestNames(to: "SendQeury", among: names) }
    #expect(found == ["SendQuery"])
    #expect(time < .seconds(1))
  }
}
