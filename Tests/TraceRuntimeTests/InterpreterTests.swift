import Platform
import TargetModel
import Testing
import TraceIR
import TraceRuntime

/// A context with a few registers, some memory and one site.
final class FakeContext: HitContext {
  var site: SiteDescription?
  var entrySlots: [Datum] = []
  var registers: [Int: UInt64] = [:]
  var memory: [UInt64: UInt8] = [:]

  func long(_ field: ContextField) -> Int64 {
    switch field {
    case .pid: 42
    case .argument(let number): Int64(3 - number)
    default: 0
    }
  }

  func text(_ field: ContextField) -> ByteString { field == .execname ? "fake" : "" }

  func register(_ number: Int) -> UInt64? { registers[number] }

  func read(_: PlanMemory, at address: UInt64, byteCount: Int) -> [UInt8]? {
    let bytes = (0..<UInt64(byteCount)).compactMap { memory[address &+ $0] }
    return bytes.count == byteCount ? bytes : nil
  }

  func readString(_: PlanMemory, at address: UInt64, limit: Int) -> ByteString? {
    var bytes: [UInt8] = []
    while bytes.count < limit {
      guard let byte = memory[address + UInt64(bytes.count)] else { return nil }
      if byte == 0 { break }
      bytes.append(byte)
    }
    return ByteString(bytes)
  }
}

@Suite struct InterpreterTests {
  /// Runs one body; gives what it printed, or the report of its fault.
  private func run(
    _ program: TraceProgram = TraceProgram(),
    context: FakeContext = FakeContext(),
    _ fill: (inout BodyBuilder) -> Void
  ) throws -> String {
    var builder = BodyBuilder()
    builder.location = 0
    fill(&builder)
    var program = program
    program.files = ["a.stp"]
    program.locations = [ScriptLocation(file: 0, line: 1, column: 2)]
    program.probes = [Probe(name: "begin", trigger: .begin(order: 0), body: builder.finished)]
    #expect(program.problems() == [])
    let interpreter = try Interpreter(program, store: InMemoryStore(program), context: context)
    do {
      try interpreter.run(probe: 0, in: context)
    } catch {
      return String(decoding: interpreter.output.bytes, as: UTF8.self) + FaultTexts(program).report(error)
    }
    return String(decoding: interpreter.output.bytes, as: UTF8.self)
  }

  private func directive(_ conversion: FormatString.Directive.Conversion) -> FormatString.Piece {
    .directive(.init(flag: nil, width: .none, precision: .none, conversion: conversion))
  }

  private var line: FormatString { FormatString([directive(.decimal), .text("\n")]) }
  private var text: FormatString { FormatString([directive(.string), .text("\n")]) }

  private func withGlobals(_ globals: Global...) -> TraceProgram {
    var program = TraceProgram()
    program.globals = globals
    return program
  }

  @Test("arithmetic wraps and truncates as C does", arguments: 0..<20)
  func computes(_ seed: Int) throws {
    var random = SystemRandomNumberGenerator()
    let special: [Int64] = [0, 1, -1, .min, .max, 63, 64]
    for kind in BinaryOperation.allCases {
      let a = seed < 10 ? special.randomElement(using: &random) ?? 0 : Int64.random(in: .min ... .max)
      let b = seed < 10 ? special.randomElement(using: &random) ?? 0 : Int64.random(in: .min ... .max)
      let printed = try run { body in
        let result = body.long { .binary($0, kind, .long(a), .long(b)) }
        body.add(.print(line, [result]))
      }
      let token = kind == .divide ? "'/'" : "'%'"
      let expected = kind.apply(a, b).map { "\($0)\n" } ?? "division by 0 near operator \(token) at a.stp:1:2"
      #expect(printed == expected, "\(a) \(kind) \(b)")
    }
  }

  @Test("loops count their rounds against MAXACTION")
  func limitsActions() throws {
    let endless: (inout BodyBuilder) -> Void = { body in
      let counter = body.local(.long)
      let rounds = body.block { inner in
        let value = inner.load(counter)
        let next = inner.long { .binary($0, .add, value, .long(1)) }
        inner.add(.storeLocal(counter, next))
        inner.add(.print(FormatString([directive(.decimal), .text(" ")]), [next]))
      }
      body.add(.loop(condition: Block(), .long(1), body: rounds, step: Block()))
    }
    var program = TraceProgram()
    program.limits.maxAction = 3
    #expect(try run(program, endless) == "1 2 3 MAXACTION exceeded at a.stp:1:2")
  }

  @Test("recursion goes MAXNESTING deep")
  func limitsNesting() throws {
    var function = BodyBuilder(parameters: [.long])
    let depth = function.load(LocalID(0))
    function.add(.print(FormatString([directive(.decimal), .text(" ")]), [depth]))
    let next = function.long { .binary($0, .add, depth, .long(1)) }
    let deeper = function.long { .call($0, FunctionID(0), [next]) }
    function.add(.return(deeper))
    var program = TraceProgram()
    program.limits.maxNesting = 3
    program.functions = [
      Function(name: "f", parameters: [.long], result: .long, body: function.finished, fallback: nil)
    ]
    let printed = try run(program) { body in _ = body.long { .call($0, FunctionID(0), [.long(1)]) } }
    #expect(printed == "1 2 3 MAXNESTING exceeded")
  }

  @Test("functions compute recursively: 10! and both results of overloads")
  func calls() throws {
    var factorial = BodyBuilder(parameters: [.long])
    let n = factorial.load(LocalID(0))
    let small = factorial.long { .binary($0, .lessOrEqual, n, .long(1)) }
    factorial.add(.if(small, then: factorial.block { $0.add(.return(.long(1))) }, else: Block()))
    let less = factorial.long { .binary($0, .subtract, n, .long(1)) }
    let rest = factorial.long { .call($0, FunctionID(0), [less]) }
    factorial.add(.return(factorial.long { .binary($0, .multiply, n, rest) }))
    var first = BodyBuilder(parameters: [.string])
    first.add(.next)
    var second = BodyBuilder(parameters: [.string])
    let given = second.load(LocalID(0))
    second.add(.return(second.string { .concatenate($0, [given, .string("!")]) }))
    var program = TraceProgram()
    program.functions = [
      Function(name: "f", parameters: [.long], result: .long, body: factorial.finished, fallback: nil),
      Function(
        name: "g",
        parameters: [.string],
        result: .string,
        body: first.finished,
        fallback: FunctionID(2)
      ),
      Function(name: "g", parameters: [.string], result: .string, body: second.finished, fallback: nil),
    ]
    let printed = try run(program) { body in
      body.add(.print(line, [body.long { .call($0, FunctionID(0), [.long(10)]) }]))
      body.add(.print(text, [body.string { .call($0, FunctionID(1), [.string("hi")]) }]))
    }
    #expect(printed == "3628800\nhi!\n")
  }

  @Test("errors are caught with their text, nested ones by the next handler out")
  func catches() throws {
    let printed = try run { body in
      let message = body.local(.string)
      let failing = body.block { inner in _ = inner.long { .binary($0, .divide, .long(1), .long(0)) } }
      let handler = body.block { inner in
        inner.add(.print(text, [inner.load(message)]))
        inner.add(.intrinsic(nil, .error, [.string("again")]))
      }
      let nested = body.block { $0.add(.tryCatch(failing, message: message, handler: handler)) }
      let outer = body.block { $0.add(.print(text, [$0.load(message)])) }
      body.add(.tryCatch(nested, message: message, handler: outer))
      body.add(.print(text, [.string("after")]))
    }
    #expect(printed == "division by 0\nagain\nafter\n")
  }

  @Test("error() names its place")
  func reportsErrors() throws {
    let printed = try run { $0.add(.intrinsic(nil, .error, [.string("boom")])) }
    #expect(printed == "boom near identifier 'error' at a.stp:1:2")
  }

  @Test("foreach sorts by key, value and statistic, with limit and slice")
  func iterates() throws {
    var program = withGlobals(
      Global(name: "a", kind: .array(keys: [.string, .long], value: .long), maximumEntries: 100),
      Global(name: "s", kind: .statisticArray(keys: [.long]), maximumEntries: 100)
    )
    program.limits.maxMapEntries = 100
    let rows: [(String, Int64, Int64)] = [("b", 1, 30), ("a", 2, 10), ("c", 1, 20), ("a", 1, 20)]
    func walk(
      _ body: inout BodyBuilder,
      _ order: ForeachOperation.Order,
      slice: [Operand?] = [],
      limit: Operand? = nil
    ) {
      let name = body.local(.string)
      let number = body.local(.long)
      let value = body.local(.long)
      let inner = body.block { inner in
        let operands = [inner.load(name), inner.load(number), inner.load(value)]
        let pieces = [directive(.string), directive(.decimal), .text("="), directive(.decimal), .text(" ")]
        inner.add(.print(FormatString(pieces), operands))
      }
      body.add(
        .foreach(
          ForeachOperation(
            global: GlobalID(0),
            slice: slice,
            keys: [name, number],
            value: value,
            order: order,
            limit: limit,
            histogram: nil,
            body: inner
          )
        )
      )
      body.add(.print(FormatString([.text("\n")]), []))
    }
    let printed = try run(program) { body in
      for (name, number, value) in rows {
        body.add(.storeElement(GlobalID(0), [.string(name), .long(number)], .long(value)))
      }
      walk(&body, .none)
      walk(&body, .value(descending: true))
      walk(&body, .key(0, descending: false))
      walk(&body, .key(1, descending: true), limit: .long(2))
      walk(&body, .value(descending: false), slice: [nil, .long(1)])
    }
    #expect(
      printed == """
        b1=30 a2=10 c1=20 a1=20\u{20}
        b1=30 a1=20 c1=20 a2=10\u{20}
        a1=20 a2=10 b1=30 c1=20\u{20}
        a2=10 a1=20\u{20}
        a1=20 c1=20 b1=30\u{20}

        """
    )
  }

  @Test("a full array is an error, a wrapping one forgets its oldest element")
  func limitsArrays() throws {
    var program = withGlobals(
      Global(name: "a", kind: .array(keys: [.long], value: .long), maximumEntries: 2),
      Global(name: "w", kind: .array(keys: [.long], value: .long), maximumEntries: 2, wraps: true)
    )
    program.limits.maxMapEntries = 2048
    let printed = try run(program) { body in
      for key in 1...3 { body.add(.storeElement(GlobalID(1), [.long(Int64(key))], .long(1))) }
      for key in 1...3 {
        body.add(.print(line, [body.long { .contains($0, GlobalID(1), [.long(Int64(key))]) }]))
      }
      for key in 1...3 { body.add(.storeElement(GlobalID(0), [.long(Int64(key))], .long(1))) }
    }
    #expect(printed == "0\n1\n1\nArray overflow, check size limit (2) near identifier 'a' at a.stp:1:2")
  }

  @Test("statistics answer, slices merge, empty ones are errors, delete resets")
  func aggregates() throws {
    let program = withGlobals(Global(name: "s", kind: .statisticArray(keys: [.long]), maximumEntries: 10))
    let printed = try run(program) { body in
      for (key, value) in [(1, 5), (1, 7), (2, 9)] as [(Int64, Int64)] {
        body.add(.aggregate(GlobalID(0), [.long(key)], .long(value)))
      }
      body.add(.print(line, [body.long { .extract($0, .average, GlobalID(0), [.long(1)]) }]))
      body.add(.print(line, [body.long { .extract($0, .sum, GlobalID(0), [nil]) }]))
      body.add(.delete(GlobalID(0), [.long(1)]))
      body.add(.print(line, [body.long { .extract($0, .count, GlobalID(0), [.long(1)]) }]))
      body.add(.print(line, [body.long { .extract($0, .max, GlobalID(0), [.long(1)]) }]))
    }
    #expect(printed == "6\n21\n0\nempty aggregate near identifier 's' at a.stp:1:2")
  }

  @Test("strings are cut at MAXSTRINGLEN - 1 bytes")
  func cutsStrings() throws {
    var program = withGlobals(Global(name: "g", kind: .scalar(.string), maximumEntries: 0))
    program.limits.maxStringLength = 6
    let printed = try run(program) { body in
      let joined = body.string { .concatenate($0, [.string("abcd"), .string("efgh")]) }
      body.add(.print(text, [joined]))
      let formatted = body.string { .format($0, FormatString([.text("1234567")]), []) }
      body.add(.print(text, [formatted]))
    }
    #expect(printed == "abcde\n12345\n")
  }

  @Test("a regular expression sets what matched and ngroups answer")
  func matchesRegex() throws {
    let printed = try run { body in
      _ = body.long { .matchRegex($0, .string("an example string"), pattern: "str(ing)") }
      for index in 0..<2 {
        body.add(.print(text, [body.string { .intrinsic($0, .matched, [.long(Int64(index))]) }]))
      }
      body.add(.print(line, [body.long { .intrinsic($0, .ngroups, []) }]))
      _ = body.string { .intrinsic($0, .matched, [.long(2)]) }
    }
    #expect(
      printed == "string\ning\n2\nmatched: no such subexpression near identifier 'matched' at a.stp:1:2"
    )
  }

  @Test("plans read registers and memory; a fault names the address")
  func evaluatesPlans() throws {
    let context = FakeContext()
    context.registers[5] = 0x1000
    for (index, byte) in ([0xfe, 0xff, 0xff, 0xff] as [UInt8]).enumerated() {
      context.memory[0x1008 + UInt64(index)] = byte
    }
    let field = LocationPlan.load(.user, byteCount: 4, isSigned: true, address: .register(5).offset(by: 8))
    let bad = LocationPlan.load(.user, byteCount: 4, isSigned: true, address: .input(0))
    let printed = try run(context: context) { body in
      body.add(.print(line, [body.long { .read($0, field, inputs: []) }]))
      body.add(
        .print(
          line,
          [body.long { .read($0, .bits(field, offset: 1, count: 3, isSigned: false), inputs: []) }]
        )
      )
      _ = body.long { .read($0, bad, inputs: [.long(0x2000)]) }
    }
    #expect(printed == "-2\n7\nuser read fault at 0x2000 at a.stp:1:2")
  }

  @Test("a record's handler shows its fields as they lie in the ring")
  func handlesRecords() throws {
    var handler = BodyBuilder(parameters: [.long, .string, .long])
    let site = handler.string { .context($0, .site(.function), kernelPlan: nil) }
    let operands = [site, handler.load(LocalID(0)), handler.load(LocalID(1)), handler.load(LocalID(2))]
    let pieces = [
      directive(.string), .text(" "), directive(.decimal), .text(" "), directive(.string), .text(" "),
      directive(.decimal),
    ]
    handler.add(.print(FormatString(pieces), operands))
    var program = TraceProgram()
    program.records = [RecordLayout(fields: [.long, .string, .long], handler: handler.finished)]
    let context = FakeContext()
    context.site = SiteDescription(probePoint: "", scriptPoint: "", function: "main")
    let interpreter = try Interpreter(program, store: InMemoryStore(program), context: context)
    var bytes: [UInt8] = [0xff] + [UInt8](repeating: 0xff, count: 7)
    bytes += [5, 0, 0, 0] + Array("hello".utf8) + [0, 0, 0, 0, 0, 0, 0]
    bytes += [7, 0, 0, 0, 0, 0, 0, 0]
    var fields = RecordFields(offset: 0)
    try interpreter.handle(record: RecordID(0), in: bytes.rawSpan, &fields, context: context)
    #expect(String(decoding: interpreter.output.bytes, as: UTF8.self) == "main -1 hello 7")
    for count in bytes.indices {
      var fields = RecordFields(offset: 0)
      let cut = Array(bytes[..<count])
      try interpreter.handle(record: RecordID(0), in: cut.rawSpan, &fields, context: context)
    }
  }

  @Test("an outlined program prints what it printed before")
  func runsOutlinedCode() throws {
    var builder = BodyBuilder()
    let pid = builder.long { .context($0, .pid, kernelPlan: nil) }
    let name = builder.string { .context($0, .execname, kernelPlan: nil) }
    let joined = builder.string { .concatenate($0, [name, .string("/")]) }
    builder.add(.print(FormatString([directive(.string), directive(.decimal)]), [joined, pid]))
    var program = TraceProgram()
    let trigger = Trigger.userSites([], .instruction, in: .target)
    program.probes = [Probe(name: "p", trigger: trigger, body: builder.finished)]
    for version in [program, optimize(program)] {
      let context = FakeContext()
      let interpreter = try Interpreter(version, store: InMemoryStore(version), context: context)
      try interpreter.run(probe: 0, in: context)
      #expect(String(decoding: interpreter.output.bytes, as: UTF8.self) == "fake/42")
    }
  }
}
