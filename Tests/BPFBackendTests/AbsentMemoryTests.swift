import BPFBackend
import BPFObject
import TargetModel
import Testing
import TraceIR

extension BPFTarget {
  /// The machine of the tests, with programs that wait for memory.
  static var waiting: BPFTarget {
    var target = live
    target.hasCopyFromUser = true
    target.hasCopyFromUserString = true
    return target
  }
}

extension LiveTests {
  /// Programs that may sleep: which ones they are, and that they load.
  @Suite struct AbsentMemoryTests {
    private func isSleepable(_ program: TraceProgram, on target: BPFTarget) throws -> Bool {
      try LiveModule(program, target: target).module.blueprint.programs[0].isSleepable
    }

    private func readsText() throws -> TraceProgram {
      try probe("text", globals: [scalar("s", .string)]) { body in
        let text = body.argumentText()
        body.add(.storeGlobal(first, text))
      }
    }

    private func readsNumber() throws -> TraceProgram {
      try probe("text", globals: [scalar("n")]) { body in
        let plan = LocationPlan.load(.user, byteCount: 8, isSigned: false, address: .register(5))
        let number = body.long { .read($0, plan, inputs: []) }
        body.add(.storeGlobal(first, number))
      }
    }

    @Test("only what reads user memory may sleep, and only where the kernel can")
    func onlyReaders() throws {
      let counter = try probe("count", globals: [array("n", .string)]) { body in
        let name = body.execname()
        _ = body.long { .addElement($0, first, [name], .long(1)) }
      }
      #expect(try !isSleepable(counter, on: .waiting))
      #expect(try isSleepable(readsText(), on: .waiting))
      #expect(try isSleepable(readsNumber(), on: .waiting))
      #expect(try !isSleepable(readsText(), on: .live))
      var numbersOnly = BPFTarget.waiting
      numbersOnly.hasCopyFromUserString = false
      #expect(try !isSleepable(readsText(), on: numbersOnly))
      #expect(try isSleepable(readsNumber(), on: numbersOnly))
    }

    @Test("siblings share a lock of their CPU, under which nobody may wait")
    func siblings() throws {
      var target = BPFTarget.waiting
      target.userAttachment = .siblings
      #expect(try !generate(readsText(), for: target).blueprint.programs[0].isSleepable)
    }

    @Test("scratch memory that others wait for is not slept on")
    func pool() throws {
      var program = try readsText()
      program.limits.maxStringLength = 20_000
      #expect(try !isSleepable(program, on: .waiting))
    }

    @Test("frames of random scripts are fit to sleep, and the verifier agrees")
    func frames() throws {
      for seed in 1...40 as ClosedRange<UInt64> {
        var program = try DifferentialTests.program(seed)
        var read = BodyBuilder()
        read.location = 0
        let text = read.argumentText()
        read.add(.storeGlobal(GlobalID(3), text))
        program.functions.append(
          Function(name: "read", parameters: [], result: nil, body: read.finished, fallback: nil)
        )
        program.probes[0].body.block.instructions.insert(
          Instruction(.call(nil, FunctionID(program.functions.count - 1), []), at: 0),
          at: 0
        )
        #expect(try isSleepable(program, on: .waiting), "seed \(seed)")
      }
    }
  }
}
