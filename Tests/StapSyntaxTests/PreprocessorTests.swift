import Diagnostics
import Glibc
import Testing

@testable import StapSyntax

@Suite("Preprocessor") struct PreprocessorTests {
  /// The values that `probe begin { x = … }` lists after preprocessing; nil after an error.
  private func value(_ text: String, _ facts: PreprocessorEnvironment = environment()) -> String? {
    statements(of: Parsed("probe begin { x = \(text) }", facts))
  }

  private func statements(of parsed: Parsed) -> String? {
    parsed.printed.map { $0.split(separator: "\n").dropFirst().dropLast().joined(separator: " ") }
      .map { String($0.trimmingPrefix { $0 == " " }) }
  }

  @Test(
    "conditions that hold",
    arguments: [
      #"kernel_v >= "6.1""#, #"kernel_v == "6.1.0""#, #"kernel_v != "6.1""#, #"kernel_vr == "6.1*amd64""#,
      #"kernel_vr != "5.*""#, #"kernel_v < "6.10""#, #"systemtap_v >= "2.3""#, #"systemtap_v < "10.0""#,
      #"arch == "x86*""#, #"arch != "arm64""#, #"runtime == "kernel""#, #"runtime != "bpf""#,
      #"systemtap_privilege == "stapdev""#, "guru_mode == 1", "guru_mode != 0", #"CONFIG_A == "y""#,
      #"CONFIG_B == "[ym]""#, #"CONFIG_NONE == """#, "CONFIG_HZ > 100", "CONFIG_HZ == 250",
      "CONFIG_A == CONFIG_C",
      "CONFIG_NONE != 3", #""b" > "a""#, #""*" == "*""#, "010 == 8", "2 <= 2 && 3 >= 1", "1 == 2 || 2 == 2",
      "1 == 1 || 1 == 2 && 1 == 2", "1 == 2 && 1 == 2 || 1 == 1", "$# == 0", #"@# == "0""#,
    ]
  )
  func holds(_ condition: String) {
    let facts = environment(configuration: [
      "CONFIG_A": "y", "CONFIG_B": "m", "CONFIG_C": "y", "CONFIG_HZ": "250",
    ])
    #expect(value("%( \(condition) %? 1 %: 0 %)", facts) == "x = 1;")
    let negated = Parsed("probe begin { %( \(condition) %? %: wrong wrong %) }", facts)
    #expect(negated.ids == [])
  }

  @Test(
    "conditions that make no sense",
    arguments: [
      ("kernel_v >= 6", "invalid-condition", "6"), ("kernel_v > \"6.*\"", "invalid-condition", "\"6.*\""),
      ("kernle_v == \"6\"", "unknown-condition", "kernle_v"), ("1 == \"1\"", "invalid-condition", "\"1\""),
      ("arch < \"x\"", "invalid-condition", "\"x\""), ("guru_mode > 0", "invalid-condition", "0"),
      ("(1 == 1)", "invalid-condition", "("), ("1 == 1 2", "invalid-condition", "2"),
      ("1 + 1", "invalid-condition", "+"), ("08 == 1", "invalid-number", "08"),
      ("CONFIG_A == arch", "invalid-condition", "arch"),
    ]
  )
  func refusesCondition(_ condition: String, _ id: String, _ marked: String) {
    let parsed = Parsed("probe begin { x = %( \(condition) %? 1 %: 0 %); y = }")
    #expect(parsed.ids.first == id)
    #expect(parsed.marked.first == marked)
    #expect(parsed.ids.count == 2, "\(parsed.messages)")
  }

  @Test func versionsAreOrderedAsInGlibc() throws {
    let versions = [
      "", "0", "00", "000", "001", "01", "010", "09", "1", "1.0", "1.01", "1.1", "1.10", "1.9", "10",
      "2.6.13",
      "2.6.13-1.322", "2.6.5", "6.1.0-18-amd64", "6.1.0-9-amd64", "a", "a0", "a00", "a1", "a10", "a9", "aa",
      "a01b",
    ]
    // Swift's Glibc does not show it, as it is a GNU extension.
    typealias Comparison = @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>) -> CInt
    let compare = try #require(dlsym(nil, "strverscmp").map { unsafeBitCast($0, to: Comparison.self) })
    for left in versions {
      for right in versions {
        #expect(
          compareVersions(left, right).signum() == Int(compare(left, right)).signum(),
          "\(left) \(right)"
        )
      }
    }
  }

  @Test(
    "macros",
    arguments: [
      ("@define two %( 2 %)", "@two", "x = 2;"),
      ("@define add(a, b) %( (@a + @b) %)", "@add(1, f(2, 3))", "x = (1 + f(2, 3));"),
      ("@define add(a, b) %( (@a + @b) %)", "@add(@add(1, 2), y[3, 4])", "x = ((1 + 2) + y[3, 4]);"),
      ("@define one %( 1 %)", "@one(2)", "x = 1;   (2);"),
      ("@define call %( f %)", "@call(2)", "x = f(2);"),
      ("@define none() %( 4 %)", "@none()", "x = 4;"),
      ("@define a %( @b %) @define b %( 5 %)", "@a", "x = 5;"),
      ("@define a(b) %( @c(@b) %) @define c(b) %( @b + @b %)", "@a(7)", "x = 7 + 7;"),
      ("@define a %( %( 1 == 1 %? 8 %: @unknown %) %)", "@a", "x = 8;"),
      ("@define a(b) %( %( @b == 1 %? 8 %: 9 %) %)", "@a(2)", "x = 9;"),
      ("%( 1 == 2 %? @define a %( 1 %) %: @define a %( 2 %) %)", "@a", "x = 2;"),
      ("@define count(x) %( 9 %)", "@count(y)", "x = 9;"),
    ]
  )
  func expandsMacros(_ definitions: String, _ use: String, _ expected: String?) {
    #expect(statements(of: Parsed("\(definitions) probe begin { x = \(use) }")) == expected)
  }

  @Test(
    "macros that are refused once",
    arguments: [
      ("@define a %( @a %)", "@a", "endless-macro"),
      ("@define a %( @b @b %) @define b %( @a @a %)", "@a", "endless-macro"),
      ("@define a(x) %( @x %)", "@a", "macro-argument-count"),
      ("@define a(x) %( @x %)", "@a(1, 2)", "macro-argument-count"),
      ("@define a(x) %( @x %)", "@a(1", "unterminated-macro"),
      ("@define a %( 1", "2", "unterminated-macro"),
      ("@define a %( 1 %) @define a %( 1 %)", "2", "redefined-macro"),
      ("@define a %( @define b %( 1 %) %)", "2", "macro-definition"),
      ("@define 3 %( 1 %)", "2", "macro-definition"),
      ("@define a(1) %( 1 %)", "2", "macro-definition"),
      ("@define a(x, x) %( 1 %)", "2", "macro-definition"),
      ("@define a 1", "2", "macro-definition"),
      ("", "@cuont(y)", "unknown-operator"),
      ("", "%( 1 == 1 %? 1", "unterminated-conditional"),
      ("", "%( 1 == 2 %? 1", "unterminated-conditional"),
      ("", "%( 1 == 2 %? 1 %: 2 %: 3 %)", "second-otherwise"),
    ]
  )
  func refusesMacro(_ definitions: String, _ use: String, _ id: String) {
    let parsed = Parsed("\(definitions) probe begin { x = \(use) }")
    #expect(parsed.ids == [id], "\(parsed.messages)")
  }

  /// Found by Scripts/fuzz.
  @Test(arguments: [
    "@define a(x) %( @x %) %( @a == 1 %? global g %)", "@define a(x) %( @x %) %( 1 == @a %? global g %)",
  ])
  func macrosThatAreRefusedInConditionsAreToldOnce(_ text: String) {
    #expect(Parsed(text).checked.diagnostics.count == 1)
  }

  @Test func doublingMacrosEnd() {
    let doubling = (1...60).map { "@define m\($0) %( @m\($0 - 1) @m\($0 - 1) %)\n" }.joined()
    let parsed = Parsed("@define m0 %( %)\n\(doubling) probe begin { @m60 }")
    #expect(parsed.ids == ["endless-macro"])
  }

  @Test func mistakesInSkippedBranchesDoNotExist() {
    let skipped = "%( 1 == 2 %? $7 “ @define a %( %( 3 %) ) @nothing \"\n %: y = 1 %)"
    #expect(statements(of: Parsed("probe begin { \(skipped) }")) == nil)
    #expect(statements(of: Parsed("probe begin { \(skipped.replacing("%( %(", with: "%(")) }")) == "y = 1;")
    #expect(value("%( $# > 1 %? $2 %: 0 %)") == "x = 0;")
  }

  @Test func mistakesInMacrosLeadToTheirUse() {
    let parsed = Parsed(
      "@define bad(x) %( (1 + ) %)\n@define worse %( @bad(2) %)\nprobe begin { y = @worse }"
    )
    #expect(
      parsed.messages == """
        test.stp:1:24: error: expected an expression, found ')' [syntax]
          1 │ @define bad(x) %( (1 + ) %)
            │                        ^
        test.stp:2:18: note: in the expansion of '@bad'
          2 │ @define worse %( @bad(2) %)
            │                  ^~~~
        test.stp:3:19: note: in the expansion of '@worse'
          3 │ probe begin { y = @worse }
            │                   ^~~~~~

        """
    )
  }

  @Test func libraryMacrosSeeOnlyTheLibrary() {
    let macros = "@define outer %( @inner %) @define inner %( 1 %)"
    let parsed = Parsed("@define inner %( 2 %) probe begin { x = @outer + @inner }", macros: macros)
    #expect(statements(of: parsed) == "x = 1 + 2;")
  }

  @Test func macroLibrariesHoldOnlyMacros() {
    var sources = SourceSet()
    let good = "%( arch == \"x86_64\" %? @define a %( 1 %) %) @define b %( %( %) %)"
    for (text, ids) in [(good, []), ("@define a %( 1 %) probe begin {}", ["only-macros"])] {
      let file = sources.add(SourceFile(name: "x.stpm", text: Array(text.utf8)))
      let checked = parseMacroLibrary(file, in: sources, environment: environment())
      #expect(checked.diagnostics.map(\.id) == ids)
    }
  }

  @Test func unusedArgumentsAreWarnedAbout() {
    let parsed = Parsed("probe begin { println($1) }", environment(arguments: ["1", "two", "3"]))
    #expect(parsed.ids == ["unused-argument", "unused-argument"])
    #expect(parsed.printed != nil)
  }
}
