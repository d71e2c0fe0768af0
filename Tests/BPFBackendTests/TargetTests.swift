import BPFBackend
import TargetModel
import Testing
import TraceIR

extension LiveTests {
  @Suite struct TargetTests {
    let victim: Victim

    init() throws { victim = try Victim.shared.get() }

    private func field(_ byteCount: Int, _ offset: Int64, isSigned: Bool = true) -> LocationPlan {
      let inner = LocationPlan.load(.user, byteCount: 8, isSigned: false, address: .register(5))
      return .load(.user, byteCount: byteCount, isSigned: isSigned, address: inner.offset(by: offset))
    }

    @Test("members are read by their size and sign, through pointers")
    func members() throws {
      let plans: [(LocationPlan, Int64)] = [
        (field(4, 0), -5), (field(1, 4), -6), (field(1, 4, isSigned: false), 250), (field(2, 6), 7),
        (field(8, 8), 1 << 40), (.bits(field(4, 0), offset: 1, count: 3, isSigned: false), 5),
        (.extend(field(4, 0), byteCount: 2, isSigned: false), 65531),
      ]
      let live = try LiveModule(
        probe("pointers", globals: plans.map { _ in scalar("v") }) { body in
          for (index, plan) in plans.enumerated() {
            let value = body.long { .read($0, plan.0, inputs: []) }
            body.add(.storeGlobal(GlobalID(index), value))
          }
        }
      )
      try victim.hit("pointers", "9")
      for (index, plan) in plans.enumerated() { #expect(try live.scalar(GlobalID(index)) == plan.1) }
      let disassembly = live.module.blueprint.programs[0].code.instructions
      // Seven reads through one pointer: the pointer and five different members.
      #expect(disassembly.count { $0.opcode == 0x85 && $0.immediate == 112 } == 6)
    }

    @Test("a bad pointer is reported with its address")
    func badPointer() throws {
      let live = try LiveModule(
        probe("other", "count") { body in
          _ = body.long {
            .read($0, .load(.user, byteCount: 4, isSigned: true, address: .register(5)), inputs: [])
          }
        }
      )
      try victim.hit("value", "4660")
      #expect(try live.controls() == ["fault/0/1 \(FaultCode.userRead.rawValue) 0 4660 \"\""])
    }

    @Test("a return probe pairs with its entry, in recursion too")
    func recursion() throws {
      let live = try LiveModule(returnProbe("recurse"))
      try victim.hit("recurse", "40")
      // Each call returns its argument.
      #expect(try live.longs(first) == Dictionary(uniqueKeysWithValues: (0...40).map { ($0, $0) }))
      #expect(try live.losses(0, .missedEntry) == 0)
    }

    @Test("calls left by longjmp do not disturb later ones")
    func escape() throws {
      let live = try LiveModule(returnProbe("escape"))
      try victim.hit("escape", "500")
      #expect(try live.longs(first) == [2: 2])
      #expect(try live.losses(0, .missedEntry) == 0)
    }

    /// `a[@entry(argument)] = $return`.
    private func returnProbe(_ function: String) throws -> TraceProgram {
      var program = try probe(function, kind: .functionReturn, globals: [array("a", .long)]) { body in
        let entry = body.long { .loadEntry($0, slot: 0) }
        let result = body.long { .context($0, .returnValue, kernelPlan: nil) }
        body.add(.storeElement(first, [entry], result))
      }
      var entry = BodyBuilder()
      let argument = entry.argument()
      entry.add(.storeEntry(slot: 0, argument))
      program.probes[0].entryBody = entry.finished
      program.probes[0].entrySlots = [.long]
      return program
    }

    @Test("a string from the entry")
    func entryText() throws {
      var program = try probe("text", kind: .functionReturn, globals: [array("a", .string)]) { body in
        let entry = body.string { .loadEntry($0, slot: 1) }
        _ = body.long { .addElement($0, first, [entry], .long(1)) }
      }
      var entry = BodyBuilder()
      let text = entry.argumentText()
      entry.add(.storeEntry(slot: 1, text))
      program.probes[0].entryBody = entry.finished
      program.probes[0].entrySlots = [.long, .string]
      let live = try LiveModule(program)
      try victim.hit("text", "one", "two", "one")
      let counts = try live.elements(first).map { key, value in
        var start = 0
        return "\(key.field(.string, &start)) \(value.long(0))"
      }
      #expect(counts.sorted() == ["\"one\" 2", "\"two\" 1"])
    }

    @Test("a tracepoint's arguments and strings, with scratch memory from the pool")
    func tracepoint() throws {
      var program = try probe("count", globals: [array("n", .string)], records: [[.string, .long]]) { body in
        let name = body.execname()
        let argument = body.long { .read($0, .tracepointArgument(1), inputs: []) }
        let isExit = body.long { .binary($0, .equal, argument, .long(231)) }
        let send = body.block { body in
          body.add(.emit(RecordID(0), [name, argument]))
          _ = body.long { .addElement($0, first, [name], .long(1)) }
        }
        body.add(.if(isExit, then: send, else: Block()))
      }
      let description = SiteDescription(probePoint: "kernel.trace(\"sys_enter\")", scriptPoint: "")
      program.probes[0].trigger = .tracepoint(
        "sys_enter",
        argumentCount: 2,
        description: description,
        in: nil
      )
      let live = try LiveModule(program)
      try victim.hit("count", "1")
      #expect(try live.records().contains("0/0/0 \"victim\" 231"))
      #expect(try live.losses(0, .scratchBusy) == 0)
    }
  }
}
