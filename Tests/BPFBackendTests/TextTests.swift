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

    @Test("strings may be long", arguments: [1000, 4096, 20_000, 65_536])
    func longStrings(_ length: Int) throws {
      var limits = Limits()
      limits.maxStringLength = length
      let live = try LiveModule(
        probe(
          "text",
          globals: [scalar("s", .string), array("n", .string)],
          records: [[.string]],
          limits: limits
        ) { body in
          let address = body.argument()
          let text = body.string { .intrinsic($0, .userString, [address, .long(.max)]) }
          let twice = body.string { .concatenate($0, [text, .string("+"), text]) }
          body.add(.storeGlobal(first, twice))
          body.add(.emit(RecordID(0), [twice]))
          _ = body.long { .addElement($0, second, [text], .long(1)) }
        }
      )
      let text = String(repeating: "0123456789", count: 90)
      try victim.hit("text", text)
      let expected = String((text + "+" + text).prefix(length - 1))
      #expect(try live.text(first) == expected)
      #expect(try live.records() == ["0/0/0 \"\(expected)\""])
      let keys = try live.elements(second).keys.map { key in
        var start = 0
        return key.field(.string, &start)
      }
      #expect(keys == ["\"\(text)\""])
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

    @Test("the loops of string functions end for a verifier without may_goto")
    func withoutMayGoto() throws {
      var target = BPFTarget.live
      target.hasMayGoto = false
      let globals = [scalar("n"), scalar("less"), Global(name: "s", kind: .statistic, maximumEntries: 1)]
      let program = try probe("text", globals: globals) { body in
        let text = body.argumentText()
        let number = body.long { .intrinsic($0, .strtol, [text, .long(10)]) }
        body.add(.storeGlobal(first, number))
        body.add(.aggregate(third, [], number))
        let isLess = body.long { .compareStrings($0, .less, text, .string("5")) }
        let count = body.long { .extract($0, .count, third, []) }
        let both = body.long { .binary($0, .add, isLess, count) }
        body.add(.storeGlobal(second, both))
      }
      let live = try LiveModule(program, target: target)
      try victim.hit("text", "6", "42")
      #expect(try live.scalar(first) == 42)
      #expect(try live.scalar(second) == 3)
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

    @Test("sprintf joins texts and numbers")
    func format() throws {
      let live = try LiveModule(
        probe("count", globals: [scalar("s", .string)]) { body in
          let value = body.argument()
          let name = body.execname()
          let directives: [FormatString.Directive.Conversion] = [
            .decimal, .unsigned, .hexadecimal, .pointer, .string,
          ]
          let pieces = directives.flatMap { conversion in
            [
              FormatString.Piece.text(" "),
              .directive(.init(flag: nil, width: .none, precision: .none, conversion: conversion)),
            ]
          }
          let text = body.string { .format($0, FormatString(pieces), [value, value, value, value, name]) }
          body.add(.storeGlobal(first, text))
        }
      )
      for value in [0, 7, -1, 1234567890, Int64.min, Int64.max] as [Int64] {
        try victim.hit("value", "\(value)")
        let bits = UInt64(bitPattern: value)
        let digits = String(bits, radix: 16)
        #expect(try live.text(first) == " \(value) \(bits) \(digits) 0x\(digits) victim")
      }
    }

    @Test("strpos and isinstr find what is there")
    func search() throws {
      let live = try LiveModule(
        probe("text", globals: [scalar("position"), scalar("has")]) { body in
          let text = body.argumentText()
          let position = body.long { .intrinsic($0, .strpos, [text, .string("ab")]) }
          body.add(.storeGlobal(first, position))
          let has = body.long { .intrinsic($0, .isinstr, [.string("xxabab"), text]) }
          body.add(.storeGlobal(second, has))
        }
      )
      let rows: [(String, Int64, Int64)] = [
        ("ab", 0, 1), ("aab", 1, 0), ("xxab", 2, 1), ("", -1, 1), ("a", -1, 1), ("abab", 0, 1),
        ("xxaabb", 3, 0),
        (String(repeating: "a", count: 400) + "b", 399, 0),
      ]
      for (text, position, has) in rows {
        try victim.hit("text", text)
        #expect(try live.scalar(first) == position, "\(text)")
        #expect(try live.scalar(second) == has, "\(text)")
      }
    }

    @Test("strtol reads a number by its base")
    func numbers() throws {
      let bases: [Int64] = [0, 8, 10, 16]
      let live = try LiveModule(
        probe("text", globals: bases.map { scalar("b\($0)") }) { body in
          let text = body.argumentText()
          for (index, base) in bases.enumerated() {
            let number = body.long { .intrinsic($0, .strtol, [text, .long(base)]) }
            body.add(.storeGlobal(GlobalID(index), number))
          }
        }
      )
      let rows: [(String, [Int64])] = [
        ("12", [12, 10, 12, 18]), ("-12x", [-12, -10, -12, -18]), ("012", [10, 10, 12, 18]),
        ("0x1F", [31, 0, 0, 31]), ("", [0, 0, 0, 0]), ("fz", [0, 0, 0, 15]), ("-", [0, 0, 0, 0]),
        ("0x", [0, 0, 0, 0]),
        ("9223372036854775807", [.max, 0, .max, 0]),
      ]
      for (text, expected) in rows {
        try victim.hit("text", text)
        for (index, number) in expected.enumerated() where text.count < 10 || index % 2 == 0 {
          #expect(try live.scalar(GlobalID(index)) == number, "\(text) base \(bases[index])")
        }
      }
    }
  }
}
