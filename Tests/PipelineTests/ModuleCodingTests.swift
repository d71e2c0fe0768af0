import BPFBackend
import Platform
import TargetModel
import TestSupport
import Testing
import TraceIR

@testable import UTrace

@Suite("The coding of modules") struct ModuleCodingTests {
  private func roundTrip<Value: BinaryCoded>(_ value: Value) throws -> Value {
    try BinaryReader.read(Value.self, from: BinaryWriter.bytes(of: value))
  }

  @Test("every operation comes back", arguments: ModuleExample.operations.indices)
  func operations(_ index: Int) throws {
    let operation = ModuleExample.operations[index]
    #expect(try String(reflecting: roundTrip(operation)) == String(reflecting: operation))
  }

  @Test("a program with nothing at its default comes back")
  func program() throws {
    let program = ModuleExample.program
    #expect(try String(reflecting: roundTrip(program)) == String(reflecting: program))
    let facts = ModuleExample.facts
    #expect(try roundTrip(facts) == facts)
  }

  @Test("every field of context and every intrinsic comes back")
  func enums() throws {
    let fields: [ContextField] = [
      .pid, .tid, .ppid, .pgrp, .sid, .uid, .euid, .gid, .egid, .execname, .pexecname, .cpu,
      .realtimeNanoseconds, .monotonicNanoseconds, .cycles, .jiffies, .target, .instructionPointer,
      .returnValue,
      .isUserMode, .currentTask, .argument(2), .site(.name),
    ]
    for field in fields { #expect(try roundTrip(field) == field) }
    for intrinsic in Intrinsic.allCases { #expect(try roundTrip(intrinsic) == intrinsic) }
    for operation in BinaryOperation.allCases { #expect(try roundTrip(operation) == operation) }
  }

  @Test("texts come back with the bytes that they had")
  func texts() throws {
    // Equal for Swift, each written in another way.
    let texts = ["\u{e9}", "e\u{301}", "\u{e9}", "\u{8c48}", "\u{f900}", "", "e\u{301}", "a"]
    let copy = try roundTrip(texts)
    #expect(copy.map { Array($0.utf8) } == texts.map { Array($0.utf8) })
  }

  @Test(
    "numbers come back",
    arguments: [0, 1, -1, 63, 64, -64, -65, Int64.max, Int64.min, 1 << 35]
  )
  func numbers(_ number: Int64) throws {
    #expect(try roundTrip(number) == number)
    #expect(try roundTrip(UInt64(bitPattern: number)) == UInt64(bitPattern: number))
  }

  /// A field that is added to one of these types must be added to its coding, and counted here.
  @Test("no field is forgotten")
  func fieldCounts() {
    func count(_ value: Any) -> Int { Mirror(reflecting: value).children.count }
    let program = ModuleExample.program
    #expect(count(program) == 7)
    #expect(count(program.locations[0]) == 3)
    #expect(count(program.globals[0]) == 11)
    #expect(count(program.globals[0].statistics) == 4)
    #expect(count(program.functions[0]) == 5)
    #expect(count(program.probes[0]) == 7)
    #expect(count(program.records[0]) == 2)
    #expect(count(program.limits) == 15)
    #expect(count(ModuleExample.body) == 3)
    #expect(count(ModuleExample.body.block) == 1)
    #expect(count(ModuleExample.body.block.instructions[0]) == 2)
    #expect(count(ModuleExample.walk(.none)) == 8)
    #expect(count(ModuleExample.site) == 7)
    #expect(count(ModuleExample.description) == 9)
    #expect(count(ModuleExample.format) == 1)
    #expect(
      count(FormatString.Directive(flag: nil, width: .none, precision: .none, conversion: .binary)) == 4
    )
    #expect(count(ModuleExample.module) == 7)
    #expect(count(ModuleExample.module.probes[0]) == 3)
    #expect(ModuleExample.module.globals[0].map(count) == 3)
    #expect(count(ModuleExample.facts) == 5)
  }

  @Test("bytes that are cut anywhere throw")
  func truncation() {
    let bytes = BinaryWriter.bytes(of: ModuleExample.smallProgram)
    for count in bytes.indices {
      #expect(throws: CodingFailure.self, "\(count) bytes") {
        try BinaryReader.read(TraceProgram.self, from: Array(bytes[..<count]))
      }
    }
  }

  @Test("a changed byte throws or gives another program, whose problems can be told")
  func changes() {
    let bytes = BinaryWriter.bytes(of: ModuleExample.smallProgram)
    for index in bytes.indices {
      for change in [1, 0x7f, 0x80] as [UInt8] {
        var changed = bytes
        changed[index] ^= change
        guard let program = try? BinaryReader.read(TraceProgram.self, from: changed) else { continue }
        _ = program.problems()
      }
    }
  }

  @Test("values nested without end throw")
  func depth() {
    let nested = [UInt8](repeating: 10, count: 100_000)
    #expect(throws: CodingFailure.tooDeep) { try BinaryReader.read(LocationPlan.self, from: nested) }
  }
}
