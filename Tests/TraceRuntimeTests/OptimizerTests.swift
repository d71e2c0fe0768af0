import TargetModel
import TestSupport
import Testing
import TraceIR
import TraceRuntime

/// Writes random well-typed programs that end.
private struct RandomProgram {
  private var random: SeededGenerator
  private(set) var program = TraceProgram()

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    program.files = ["a.stp"]
    program.locations = [ScriptLocation(file: 0, line: 1, column: 1)]
    program.globals = [
      Global(name: "n", kind: .scalar(.long), maximumEntries: 0),
      Global(name: "t", kind: .scalar(.string), maximumEntries: 0),
      Global(name: "a", kind: .array(keys: [.long], value: .long), maximumEntries: 6),
      Global(name: "s", kind: .statistic, maximumEntries: 0),
    ]
    program.functions = [function("f", .long), function("g", .string)]
    var builder = BodyBuilder()
    builder.location = 0
    fill(&builder, parameter: nil, depth: 3)
    let trigger = Trigger.userSites([], .instruction, in: .target)
    program.probes = [Probe(name: "p", trigger: trigger, body: builder.finished)]
  }

  private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

  private mutating func function(_ name: String, _ result: ValueType) -> Function {
    var builder = BodyBuilder(parameters: [.long])
    builder.location = 0
    let parameter = builder.load(LocalID(0))
    fill(&builder, parameter: parameter, depth: 1, calls: false)
    if pick(2) == 0 {
      let value = self.value(result, [parameter], &builder)
      let then = builder.block { $0.add(.return(value)) }
      builder.add(.if(parameter, then: then, else: Block()))
      let more = builder.block { inner in fillMore(&inner, parameter) }
      builder.add(.if(.long(1), then: more, else: Block()))
    }
    builder.add(.return(self.value(result, [parameter], &builder)))
    return Function(name: name, parameters: [.long], result: result, body: builder.finished, fallback: nil)
  }

  private mutating func fillMore(_ body: inout BodyBuilder, _ parameter: Operand) {
    body.add(.print(FormatString([.text("more ")]), []))
  }

  /// Statements on two variables of each type.
  private mutating func fill(
    _ body: inout BodyBuilder,
    parameter: Operand?,
    depth: Int,
    calls: Bool = true
  ) {
    let longs = [body.local(.long), body.local(.long)]
    let strings = [body.local(.string), body.local(.string)]
    let known = parameter.map { [$0] } ?? []
    statements(&body, longs, strings, known, depth: depth, calls: calls)
  }

  private mutating func statements(
    _ body: inout BodyBuilder,
    _ longs: [LocalID],
    _ strings: [LocalID],
    _ known: [Operand],
    depth: Int,
    calls: Bool
  ) {
    var known = known
    for _ in 0..<(2 + pick(5)) {
      let statement = pick(depth > 0 ? 12 : 8)
      switch statement {
      case 0: known.append(body.load(longs[pick(2)]))
      case 1: known.append(body.long { .context($0, .argument(1 + pick(3)), kernelPlan: nil) })
      case 2: body.add(.storeLocal(longs[pick(2)], value(.long, known, &body)))
      case 3: body.add(.storeLocal(strings[pick(2)], value(.string, known, &body)))
      case 4: print(&body, strings, known)
      case 5: global(&body, known)
      case 6: choose(&body, strings, known)
      case 7 where calls:
        let argument = value(.long, known, &body)
        if pick(2) == 0 {
          known.append(body.long { .call($0, FunctionID(0), [argument]) })
        } else {
          let text = body.string { .call($0, FunctionID(1), [argument]) }
          body.add(.storeLocal(strings[pick(2)], text))
        }
      case 7: print(&body, strings, known)
      default: nested(&body, longs, strings, known, depth: depth, calls: calls, statement)
      }
    }
  }

  private mutating func nested(
    _ body: inout BodyBuilder,
    _ longs: [LocalID],
    _ strings: [LocalID],
    _ known: [Operand],
    depth: Int,
    calls: Bool,
    _ kind: Int
  ) {
    let condition = value(.long, known, &body)
    let inner = body.block { statements(&$0, longs, strings, known, depth: depth - 1, calls: calls) }
    let other = body.block { statements(&$0, longs, strings, known, depth: depth - 1, calls: calls) }
    switch kind {
    case 8, 9: body.add(.if(condition, then: inner, else: other))
    case 10:
      let message = strings[pick(2)]
      body.add(.tryCatch(inner, message: pick(2) == 0 ? message : nil, handler: other))
    default:
      let counter = body.local(.long)
      body.add(.storeLocal(counter, .long(0)))
      var isLess: Operand = .long(0)
      let test = body.block { block in
        let count = block.load(counter)
        isLess = block.long { .binary($0, .less, count, .long(3)) }
      }
      let step = body.block { block in
        let count = block.load(counter)
        block.add(.storeLocal(counter, block.long { .binary($0, .add, count, .long(1)) }))
      }
      body.add(.loop(condition: test, isLess, body: inner, step: step))
    }
  }

  /// `?:`.
  private mutating func choose(_ body: inout BodyBuilder, _ strings: [LocalID], _ known: [Operand]) {
    let condition = value(.long, known, &body)
    let chosen = body.local(.string)
    let then = body.block { block in
      let text = value(.string, known, &block)
      block.add(.storeLocal(chosen, text))
    }
    let otherwise = body.block { $0.add(.storeLocal(chosen, .string("other"))) }
    body.add(.if(condition, then: then, else: otherwise))
    let text = body.load(chosen)
    if pick(3) == 0 { body.add(.storeLocal(strings[pick(2)], text)) }
    body.add(.print(FormatString([conversion(.string), .text(" ")]), [text]))
  }

  private mutating func global(_ body: inout BodyBuilder, _ known: [Operand]) {
    let number = value(.long, known, &body)
    switch pick(6) {
    case 0: body.add(.storeGlobal(GlobalID(0), number))
    case 1: body.add(.storeGlobal(GlobalID(1), value(.string, known, &body)))
    case 2: _ = body.long { .addElement($0, GlobalID(2), [number], .long(1)) }
    case 3: body.add(.aggregate(GlobalID(3), [], number))
    case 4:
      let count = body.long { .extract($0, pick(2) == 0 ? .count : .sum, GlobalID(3), []) }
      body.add(.print(FormatString([conversion(.decimal), .text(" ")]), [count]))
    default:
      let text = body.string { .loadGlobal($0, GlobalID(1)) }
      body.add(.print(FormatString([conversion(.string), .text(" ")]), [text]))
    }
  }

  private func conversion(_ conversion: FormatString.Directive.Conversion) -> FormatString.Piece {
    .directive(.init(flag: nil, width: .none, precision: .none, conversion: conversion))
  }

  private mutating func print(_ body: inout BodyBuilder, _ strings: [LocalID], _ known: [Operand]) {
    let text = pick(2) == 0 ? body.load(strings[pick(2)]) : value(.string, known, &body)
    let number = value(.long, known, &body)
    let pieces = [conversion(.string), .text("="), conversion(.decimal), .text(" ")]
    body.add(.print(FormatString(pieces), [text, number]))
  }

  private mutating func value(_ type: ValueType, _ known: [Operand], _ body: inout BodyBuilder) -> Operand {
    let longs = known.isEmpty ? [Operand.long(Int64(pick(4)))] : known
    let left = longs[pick(longs.count)]
    let right: Operand = pick(2) == 0 ? .long(Int64(pick(3))) : longs[pick(longs.count)]
    switch (type, pick(5)) {
    case (.long, 0): return left
    case (.long, 1): return .long(Int64(pick(5)) - 1)
    case (.long, 2): return body.long { .unary($0, [.negate, .not, .complement][pick(3)], left) }
    case (.long, _):
      let kind = BinaryOperation.allCases[pick(BinaryOperation.allCases.count)]
      return body.long { .binary($0, kind, left, right) }
    case (.string, 0): return .string(["", "x", "a longer text"][pick(3)])
    case (.string, 1): return body.string { .context($0, .site(.function), kernelPlan: nil) }
    case (.string, 2): return body.string { .context($0, .execname, kernelPlan: nil) }
    case (.string, 3):
      return body.string {
        .format($0, FormatString([.text("<"), conversion(.decimal), .text(">")]), [left])
      }
    case (.string, _):
      let first = body.string { .intrinsic($0, .errnoStr, [left]) }
      return body.string { .concatenate($0, [first, .string("/"), .string("!")]) }
    }
  }
}

@Suite struct OptimizerTests {
  private func output(_ program: TraceProgram, _ texts: FaultTexts) throws -> String {
    let context = FakeContext()
    context.site = SiteDescription(probePoint: "p", scriptPoint: "p", function: "main")
    let interpreter = try Interpreter(program, store: InMemoryStore(program), context: context)
    var result = ""
    // Twice, so that what the first hit left in globals counts.
    for _ in 0..<2 {
      do {
        try interpreter.run(probe: 0, in: context)
      } catch {
        result += texts.report(error)
      }
      result += String(decoding: interpreter.output.bytes, as: UTF8.self) + "\n"
      interpreter.clearOutput()
    }
    return result
  }

  @Test("optimized programs print what they printed before", arguments: 0..<40)
  func preservesMeaning(_ block: Int) throws {
    for seed in 0..<10 {
      let program = RandomProgram(seed: UInt64(block * 10 + seed)).program
      let optimized = optimize(program)
      let texts = FaultTexts(program)
      let wanted = try output(program, texts)
      let found = try output(optimized, texts)
      guard wanted == found, program.problems().isEmpty else {
        Issue.record("\(wanted)\n\(found)\n\(program.problems())\n\(program.text)\n---\n\(optimized.text)")
        continue
      }
    }
  }

  @Test("nothing is printed by kernel-side code")
  func outlinesEverything() {
    for seed in UInt64(0)..<50 {
      var prints = 0
      for body in optimize(RandomProgram(seed: seed).program).probes.map(\.body) {
        body.block.forEach { if case .print = $0.operation { prints += 1 } }
      }
      #expect(prints == 0)
    }
  }
}
