import TargetModel
import Testing
import TraceIR
import TraceRuntime

@Suite struct IntrinsicTests {
  /// What a function gives for these operands, printed; or its fault.
  private func answer(_ intrinsic: Intrinsic, _ operands: [Operand], isString: Bool) throws -> String {
    var builder = BodyBuilder()
    let conversion: FormatString.Directive.Conversion = isString ? .string : .decimal
    let format = FormatString([
      .directive(.init(flag: nil, width: .none, precision: .none, conversion: conversion))
    ])
    let make: (ValueID) -> Operation = { .intrinsic($0, intrinsic, operands) }
    builder.add(.print(format, [isString ? builder.string(make) : builder.long(make)]))
    var program = TraceProgram()
    program.limits.maxStringLength = 64
    program.probes = [Probe(name: "begin", trigger: .begin(order: 0), body: builder.finished)]
    let context = FakeContext()
    for (index, byte) in Array("user\ttext\0".utf8).enumerated() {
      context.memory[0x1000 + UInt64(index)] = byte
    }
    context.registers[5] = 0xffff_ffff_8000_0001
    let interpreter = try Interpreter(program, store: InMemoryStore(program), context: context)
    do {
      try interpreter.run(probe: 0, in: context)
    } catch {
      return FaultTexts(program).report(error)
    }
    return String(decoding: interpreter.output.bytes, as: UTF8.self)
  }

  @Test(
    "functions that give a number",
    arguments: [
      (.strlen, [.string("abc")], "3"),
      (.stringat, [.string("abc"), .long(1)], "98"),
      (.stringat, [.string("abc"), .long(3)], "0"),
      (.stringat, [.string("abc"), .long(-1)], "string index out of range"),
      (.stringat, [.string("abc"), .long(64)], "string index out of range"),
      (.isinstr, [.string("hello"), .string("ell")], "1"),
      (.isinstr, [.string("hello"), .string("elp")], "0"),
      (.strpos, [.string("hello"), .string("lo")], "3"),
      (.strpos, [.string("hello"), .string("x")], "-1"),
      (.strpos, [.string("hello"), .string("")], "0"),
      (.strtol, [.string("42abc"), .long(10)], "42"),
      (.strtol, [.string("-0x1f"), .long(16)], "-31"),
      (.strtol, [.string("0x1f"), .long(0)], "31"),
      (.strtol, [.string("017"), .long(0)], "15"),
      (.strtol, [.string("zz"), .long(36)], "1295"),
      (.strtol, [.string("-Zz!"), .long(36)], "-1295"),
      (.strtol, [.string("0x1f"), .long(36)], "42819"),
      (.strtol, [.string("z"), .long(35)], "0"),
      (.strtol, [.string("11"), .long(1)], "0"),
      (.strtol, [.string("11"), .long(37)], "0"),
      (.strtol, [.string("11"), .long(-2)], "0"),
      (.strtol, [.string("zz"), .long(10)], "0"),
      (.isdigit, [.string("1a")], "1"),
      (.isdigit, [.string("a1")], "0"),
      (.isdigit, [.string("")], "0"),
      (.userRead, [.long(0x1000), .long(2), .long(0)], "29557"),
      (.userRead, [.long(0x2000), .long(4), .long(1)], "user read fault at 0x2000"),
      (.userReadOrZero, [.long(0x2000), .long(4), .long(1)], "0"),
      (.register, [.string("rdi")], "-2147483647"),
      (.register, [.string("edi")], "-2147483647"),
      (.uRegister, [.string("edi")], "2147483649"),
      (.uRegister, [.string("di")], "-2147483647"),
      (.register, [.string("nope")], "unknown register name 'nope'"),
      (.randint, [.long(1)], "0"),
      (.randint, [.long(0)], "0"),
    ] as [(Intrinsic, [Operand], String)]
  )
  func givesNumbers(_ intrinsic: Intrinsic, _ operands: [Operand], _ expected: String) throws {
    #expect(try answer(intrinsic, operands, isString: false) == expected)
  }

  @Test(
    "functions that give a text",
    arguments: [
      (.substr, [.string("abcdef"), .long(2), .long(3)], "cde"),
      (.substr, [.string("abc"), .long(1), .long(100)], "bc"),
      (.substr, [.string("abc"), .long(3), .long(1)], ""),
      (.substr, [.string("abc"), .long(-1), .long(1)], ""),
      (.substr, [.string("abc"), .long(0), .long(.max)], "abc"),
      (.strReplace, [.string("a.b.c"), .string("."), .string("--")], "a--b--c"),
      (.strReplace, [.string("aaa"), .string(""), .string("x")], "aaa"),
      (.textStr, [.string("a\tb\"\u{1}")], "a\\tb\\\"\\001"),
      (.textStrn, [.string("abcdefgh"), .long(4), .long(0)], "abcd"),
      (.textStrn, [.string("abcdefgh"), .long(8), .long(1)], "\"abc\"..."),
      (.textStrn, [.string("abc"), .long(0), .long(1)], "\"abc\""),
      (.stringQuoted, [.string("say \"hi\"\n")], "\"say \\\"hi\\\"\\n\""),
      (.ctime, [.long(741_476_948)], "Wed Jun 30 21:49:08 1993"),
      (.ctime, [.long(0)], "Thu Jan  1 00:00:00 1970"),
      (.ctime, [.long(-2_147_483_648)], "Fri Dec 13 20:45:52 1901"),
      (.ctime, [.long(2_147_483_647)], "Tue Jan 19 03:14:07 2038"),
      (.errnoStr, [.long(2)], "ENOENT"),
      (.errnoStr, [.long(3333)], "E#3333"),
      (.userString, [.long(0x1000), .long(100)], "user\ttext"),
      (.userString, [.long(0x1000), .long(3)], "use"),
      (.userString, [.long(0x9000), .long(3)], "user string copy fault -14 at 0x9000"),
      (.userStringOr, [.long(0x9000), .long(3), .string("?")], "?"),
      (.userStringQuoted, [.long(0x1000), .long(100)], "\"user\\ttext\""),
      (.userStringQuoted, [.long(0x9000), .long(100)], "0x9000"),
      (.userBufferQuoted, [.long(0x1003), .long(3)], "\"r\\tt\""),
      (.userBytes, [.long(0x1000), .long(4)], "user"),
      (.cmdlineArg, [.long(3)], ""),
      (.envVar, [.string("NOPE")], ""),
    ] as [(Intrinsic, [Operand], String)]
  )
  func givesTexts(_ intrinsic: Intrinsic, _ operands: [Operand], _ expected: String) throws {
    #expect(try answer(intrinsic, operands, isString: true) == expected)
  }

  @Test("tokenize goes on where it stopped and skips empty tokens")
  func tokenizes() throws {
    var builder = BodyBuilder()
    let format = FormatString([
      .directive(.init(flag: nil, width: .none, precision: .none, conversion: .string)), .text("|"),
    ])
    for input in [":a::bc:d", "", "", ""] {
      let token = builder.string { .intrinsic($0, .tokenize, [.string(input), .string(":")]) }
      builder.add(.print(format, [token]))
    }
    var program = TraceProgram()
    program.probes = [Probe(name: "begin", trigger: .begin(order: 0), body: builder.finished)]
    let interpreter = try Interpreter(program, store: InMemoryStore(program), context: FakeContext())
    try interpreter.run(probe: 0, in: FakeContext())
    #expect(String(decoding: interpreter.output.bytes, as: UTF8.self) == "a|bc|d||")
  }
}
