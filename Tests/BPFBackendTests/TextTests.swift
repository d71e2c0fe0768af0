import BPFBackend
import TargetModel
import Testing
import TraceIR

extension LiveTests {
  @Suite struct TextTests {
    let victim: Victim

    init() throws { victim = try Victim.shared.get() }

    @Test("a string key is exact, whatever was a key before")
    func keys() throws {
      let live = try LiveModule(
        probe("text", globals: [array("n", .string, .long)]) { body in
          let text = body.argumentText()
          _ = body.long { .addElement($0, first, [text, .long(7)], .long(1)) }
        }
      )
      let long = String(repeating: "x", count: 600)
      try victim.hit("text", "abc", "abcdefghijklmnop", "abc", "", "ab", long, "abc")
      let counts = Dictionary(
        uniqueKeysWithValues: try live.elements(first).map { key, value in
          var start = 0
          let text = key.field(.string, &start)
          #expect(key.count == 528 && key.long(520) == 7)
          #expect(key[(4 + text.utf8.count - 2)..<520].allSatisfy { $0 == 0 })
          return (String(text.dropFirst().dropLast()), value.long(0))
        }
      )
      #expect(counts == ["abc": 3, "abcdefghijklmnop": 1, "": 1, "ab": 1, String(long.prefix(511)): 1])
    }

    @Test("strings are joined and cut at MAXSTRINGLEN")
    func concatenation() throws {
      var limits = Limits()
      limits.maxStringLength = 30
      let live = try LiveModule(
        probe("text", globals: [scalar("s", .string)], limits: limits) { body in
          let text = body.argumentText()
          let joined = body.string {
            .concatenate($0, [.string("<"), text, .string("-"), text, .string(">")])
          }
          body.add(.storeGlobal(first, joined))
        }
      )
      for (text, expected) in [
        ("", "<->"), ("abc", "<abc-abc>"), ("0123456789abc", "<0123456789abc-0123456789abc>"),
      ] {
        try victim.hit("text", text)
        #expect(try live.text(first) == expected)
      }
      try victim.hit("text", "0123456789abcdef")
      #expect(try live.text(first) == "<0123456789abcdef-0123456789a")
      try victim.hit("text", String(repeating: "y", count: 40))
      #expect(try live.text(first) == "<" + String(repeating: "y", count: 28))
    }

    @Test(
      "comparisons order strings by bytes",
      arguments: ["abc", "abcd", "ab", "", "b", "abcdefghijk", "abcdefghij\u{7f}"]
    )
    func comparison(_ other: String) throws {
      let relations: [Relation] = [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]
      let globals = relations.map { scalar($0.rawValue) } + [scalar("s", .string, text: other)]
      let live = try LiveModule(
        probe("text", globals: globals) { body in
          let text = body.argumentText()
          let stored = body.string { .loadGlobal($0, GlobalID(relations.count)) }
          for (index, relation) in relations.enumerated() {
            let against = body.long { .compareStrings($0, relation, text, stored) }
            let literal = body.long { .compareStrings($0, relation, text, .string(other)) }
            let sum = body.long { .binary($0, .multiply, literal, .long(10)) }
            let both = body.long { .binary($0, .add, sum, against) }
            body.add(.storeGlobal(GlobalID(index), both))
          }
        }
      )
      for text in ["abc", "abcdefghijk", "abcdefgh", "a", "c", "abcdefghij\u{7e}"] {
        try victim.hit("text", text)
        let (a, b) = (Array(text.utf8), Array(other.utf8))
        let isLess = a.lexicographicallyPrecedes(b)
        let expected = [a == b, a != b, isLess, isLess || a == b, !isLess && a != b, !isLess]
        for (index, holds) in expected.enumerated() {
          #expect(
            try live.scalar(GlobalID(index)) == (holds ? 11 : 0),
            "\(text) \(relations[index]) \(other)"
          )
        }
      }
    }

    @Test("substr, strlen, stringat, isdigit")
    func pieces() throws {
      let globals = [scalar("s", .string), scalar("length"), scalar("byte"), scalar("digit")]
      let live = try LiveModule(
        probe("text", globals: globals) { body in
          let text = body.argumentText()
          let part = body.string { .intrinsic($0, .substr, [text, .long(2), .long(3)]) }
          body.add(.storeGlobal(GlobalID(0), part))
          let length = body.long { .intrinsic($0, .strlen, [text]) }
          body.add(.storeGlobal(GlobalID(1), length))
          let byte = body.long { .intrinsic($0, .stringat, [text, .long(1)]) }
          body.add(.storeGlobal(GlobalID(2), byte))
          let digit = body.long { .intrinsic($0, .isdigit, [text]) }
          body.add(.storeGlobal(GlobalID(3), digit))
        }
      )
      let rows: [(String, String, Int64, Int64, Int64)] = [
        ("abcdefg", "cde", 7, 98, 0), ("7bcd", "cd", 4, 98, 1), ("ab", "", 2, 98, 0), ("a", "", 1, 0, 0),
        ("", "", 0, 0, 0),
      ]
      for (text, part, length, byte, digit) in rows {
        try victim.hit("text", text)
        #expect(try live.text(GlobalID(0)) == part)
        #expect(try live.scalar(GlobalID(1)) == length)
        #expect(try live.scalar(GlobalID(2)) == byte)
        #expect(try live.scalar(GlobalID(3)) == digit)
      }
    }

    @Test("execname and a string array")
    func names() throws {
      let live = try LiveModule(
        probe("text", globals: [array("a", .long, of: .string), scalar("s", .string)]) { body in
          let name = body.execname()
          let text = body.argumentText()
          let both = body.string { .concatenate($0, [name, .string(":"), text]) }
          let length = body.long { .intrinsic($0, .strlen, [text]) }
          body.add(.storeElement(first, [length], both))
          let again = body.string { .loadElement($0, first, [length]) }
          let missing = body.string { .loadElement($0, first, [.long(-1)]) }
          let all = body.string { .concatenate($0, [again, missing, .string("!")]) }
          body.add(.storeGlobal(second, all))
        }
      )
      try victim.hit("text", "abc", "de")
      #expect(try live.text(second) == "victim:de!")
      #expect(try live.elements(first).count == 2)
    }

    @Test("a string that cannot be read faults, or gives what was asked for instead")
    func faults() throws {
      let live = try LiveModule(
        probe("text", globals: [scalar("s", .string), scalar("n")]) { body in
          let address = body.argument()
          let text = body.string { .intrinsic($0, .userStringOr, [address, .long(5), .string("<unknown>")]) }
          body.add(.storeGlobal(first, text))
          _ = body.string { .intrinsic($0, .userString, [address, .long(5)]) }
          _ = body.long { .addGlobal($0, second, .long(1)) }
        }
      )
      try victim.hit("text", "abcdefgh")
      #expect(try live.text(first) == "abcde")
      #expect(try live.scalar(second) == 1)
      try victim.hit("null")
      #expect(try live.text(first) == "<unknown>")
    }
  }
}
