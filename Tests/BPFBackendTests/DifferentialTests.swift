import BPFBackend
import Foundation
import TargetModel
import Testing
import TraceIR
import TraceRuntime

extension LiveTests {
  /// Random scripts, in the kernel and in the interpreter: both must do the same.
  ///
  /// `UTRACE_FUZZ=N` runs N scripts, `UTRACE_FUZZ_SEED=S` only the one with that seed.
  @Suite struct DifferentialTests {
    private static let records: [[ValueType]] = [[.long], [.long, .string], [.string, .long, .string], []]
    private static let arguments: [Int64] = [0, 1, 7, -3, 1 << 40]

    private static var seeds: [UInt64] {
      let environment = ProcessInfo.processInfo.environment
      if let seed = environment["UTRACE_FUZZ_SEED"].flatMap({ UInt64($0) }) { return [seed] }
      let count = environment["UTRACE_FUZZ"].flatMap { UInt64($0) } ?? 60
      return Array(1...count)
    }

    @Test("random scripts do in the kernel what they do in the interpreter")
    func agreement() throws {
      let victim = try Victim.shared.get()
      for seed in Self.seeds {
        let program = try Self.program(seed)
        try #require(program.problems().isEmpty, "seed \(seed): \(program.problems())")
        let live: LiveModule
        do {
          live = try LiveModule(program)
        } catch {
          Issue.record("seed \(seed): \(error)\n\(program.text)")
          continue
        }
        let model = try Model(program)
        for argument in Self.arguments {
          try victim.hit("value", "\(argument)")
          let expected = model.hit(argument)
          let found = try Self.state(live)
          if found != expected {
            let differences = zip(found, expected).filter { $0 != $1 }.map { "kernel \($0)\nmodel  \($1)" }
            Issue.record(
              "seed \(seed), argument \(argument)\n\(differences.joined(separator: "\n"))\n\(program.text)"
            )
            break
          }
        }
      }
    }

    static func program(_ seed: UInt64) throws -> TraceProgram {
      var limits = Limits()
      limits.maxErrors = 1000
      limits.maxStringLength = [512, 512, 64, 100][Int(seed % 4)]
      var program = try probe("count", globals: RandomScript.globals, limits: limits) { _ in }
      program.records = records.enumerated().map { index, fields in
        var handler = BodyBuilder(parameters: fields)
        var pieces: [FormatString.Piece] = [.text("\(index)/0/0")]
        var operands: [Operand] = []
        for (local, type) in fields.enumerated() {
          operands.append(handler.load(LocalID(local)))
          let conversion: FormatString.Directive.Conversion = type == .long ? .decimal : .string
          pieces.append(.text(type == .long ? " " : " \""))
          pieces.append(.directive(.init(flag: nil, width: .none, precision: .none, conversion: conversion)))
          if type == .string { pieces.append(.text("\"")) }
        }
        pieces.append(.text("\n"))
        handler.add(.print(FormatString(pieces), operands))
        return RecordLayout(fields: fields, handler: handler.finished)
      }
      program.probes[0].body = RandomScript.body(seed: seed, records: records)
      return program
    }

    /// What a hit left behind and sent, as lines.
    private static func state(_ live: LiveModule) throws -> [String] {
      var lines: [String] = []
      for index in 0..<3 { lines.append("l\(index) = \(try live.scalar(GlobalID(index)))") }
      for index in 3..<5 { lines.append("s\(index - 3) = \(try live.text(GlobalID(index)))") }
      for (index, types) in [(5, [ValueType.long]), (6, [.string]), (7, [.string, .long])] {
        let elements = try live.elements(GlobalID(index)).map { key, value in
          var start = 0
          let keys = types.map { type in
            defer { if type == .string { start = StringField(live.program.limits).byteCount } }
            var position = start
            return key.field(type, &position)
          }
          var zero = 0
          return "\(keys) = \(value.field(index == 7 ? .string : .long, &zero))"
        }
        lines.append("\(index): \(elements.sorted())")
      }
      let plain = try live.elements(GlobalID(8)).values.first.map { live.statistic($0, GlobalID(8))[..<2] }
      lines.append("d = \(Array(plain ?? []))")
      let keyed = try live.elements(GlobalID(9)).map { key, value in
        var start = 0
        return "\(key.field(.string, &start)) = \(Array(live.statistic(value, GlobalID(9))[..<2]))"
      }
      lines.append("e = \(keyed.sorted())")
      lines.append("sent \(try live.records())")
      lines.append("told \(try live.controls())")
      return lines
    }
  }
}

/// The interpreter on globals of its own.
private final class Model {
  private let program: TraceProgram
  private let store: InMemoryStore
  private let interpreter: Interpreter
  private let context = ArgumentContext()

  init(_ program: TraceProgram) throws {
    self.program = program
    store = InMemoryStore(program)
    interpreter = try Interpreter(program, store: store, context: context)
  }

  /// The lines that ``LiveTests/DifferentialTests`` makes of a live module.
  func hit(_ argument: Int64) -> [String] {
    context.argument = argument
    var told: [String] = []
    do {
      try interpreter.run(probe: 0, in: context)
    } catch {
      told = ["fault/0/0 \(error.code.rawValue) 0 \(error.subject) \"\(error.message.text)\""]
    }
    let sent = String(decoding: interpreter.output.bytes, as: UTF8.self).split(separator: "\n").map(
      String.init
    )
    interpreter.clearOutput()
    return globals() + ["sent \(sent)", "told \(told)"]
  }

  private func globals() -> [String] {
    var lines = (0..<3).map { "l\($0) = \(store.long(GlobalID($0)))" }
    lines += (3..<5).map { "s\($0 - 3) = \(store.string(GlobalID($0)).text)" }
    for index in 5..<8 {
      let elements = store.elements(GlobalID(index), []).map { element in
        var value = ""
        if case .datum(let datum) = element.value { value = describe(datum) }
        return "\(element.keys.map(describe)) = \(value)"
      }
      lines.append("\(index): \(elements.sorted())")
    }
    let plain = store.statistic(GlobalID(8), [])
    lines.append("d = \([plain.count, plain.sum])")
    let keyed = store.elements(GlobalID(9), []).map { element in
      var words: [Int64] = []
      if case .statistic(let statistic) = element.value { words = [statistic.count, statistic.sum] }
      return "\(describe(element.keys[0])) = \(words)"
    }
    lines.append("e = \(keyed.sorted())")
    return lines
  }

  private func describe(_ datum: Datum) -> String {
    switch datum {
    case .long(let value): "\(value)"
    case .string(let text): "\"\(text.text)\""
    }
  }
}

/// A hit that only knows its first argument.
private final class ArgumentContext: HitContext {
  var argument: Int64 = 0
  var site: SiteDescription?
  var threadPointer: UInt64 = 0
  var entrySlots: [Datum] = []

  func long(_ field: ContextField) -> Int64 { field == .argument(1) ? argument : 0 }

  func text(_: ContextField) -> ByteString { "" }
}
