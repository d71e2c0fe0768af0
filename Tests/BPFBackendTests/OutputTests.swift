import BPFBackend
import KernelBridge
import Platform
import TargetModel
import Testing
import TraceIR

extension LiveTests {
  @Suite struct OutputTests {
    let victim: Victim

    init() throws { victim = try Victim.shared.get() }

    @Test("one record of longs a hit")
    func direct() throws {
      let live = try LiveModule(
        probe("count", "other", records: [[.long, .long]]) { body in
          let value = body.argument()
          body.add(.emit(RecordID(0), [value, .long(-3)]))
        }
      )
      try victim.hit("both", "2")
      #expect(try live.records() == ["0/0/0 0 -3", "0/0/1 0 -3", "0/0/0 1 -3", "0/0/1 1 -3"])
    }

    @Test("a reader that sleeps is woken once", arguments: [[.long], [.string]] as [[ValueType]])
    func wakes(_ fields: [ValueType]) throws {
      let live = try LiveModule(
        probe("count", records: [fields]) { body in
          body.add(.emit(RecordID(0), [fields == [.long] ? .long(1) : body.execname()]))
        }
      )
      let loop = try EventLoop()
      let ring = try RingBuffer(live.loaded.map(live.module.dataRing.name))
      try loop.add(wakeUpsOf: ring.pollDescriptor, tag: 7)
      try victim.hit("both", "1")
      #expect(loop.wait(timeoutMilliseconds: 0).isEmpty)
      try live.setAsleep()
      try victim.hit("both", "3")
      #expect(loop.wait(timeoutMilliseconds: 1000) == [7])
      #expect(loop.wait(timeoutMilliseconds: 0).isEmpty)
      #expect(try live.scalar(ScalarLayout.readerAsleepOffset) == UInt32(0))
      #expect(try live.records().count == 4)
    }

    @Test("one record with strings a hit")
    func single() throws {
      let live = try LiveModule(
        probe("text", records: [[.long, .string, .long, .string, .string, .long]]) { body in
          let text = body.argumentText()
          let name = body.execname()
          body.add(.emit(RecordID(0), [.long(1), text, .long(2), .string("literal"), name, .long(3)]))
        }
      )
      try victim.hit("text", "", "abcd", "abcde")
      #expect(
        try live.records() == [
          "0/0/0 1 \"\" 2 \"literal\" \"victim\" 3", "0/0/0 1 \"abcd\" 2 \"literal\" \"victim\" 3",
          "0/0/0 1 \"abcde\" 2 \"literal\" \"victim\" 3",
        ]
      )
    }

    @Test("many records a hit are one item of the ring")
    func buffered() throws {
      let live = try LiveModule(
        probe("text", records: [[.long, .string], [.string], []]) { body in
          let text = body.argumentText()
          body.add(.emit(RecordID(0), [.long(5), text]))
          body.add(.emit(RecordID(1), [text]))
          body.add(.emit(RecordID(2), []))
          body.add(.emit(RecordID(0), [.long(6), .string("end")]))
        }
      )
      try victim.hit("text", "some text")
      let items = try live.drain(live.module.dataRing)
      let sizes: [Int] = [16 + 16, 8 + 16, 8, 16 + 8]
      #expect(items.map(\.count) == [sizes.reduce(0, +)])
      try victim.hit("text", "x")
      #expect(try live.records() == ["0/0/0 5 \"x\"", "1/0/0 \"x\"", "2/0/0", "0/0/0 6 \"end\""])
    }

    @Test("a loop of records flushes its buffer", arguments: [1, 100, 3000] as [Int64], [true, false])
    func loop(_ count: Int64, _ hasMayGoto: Bool) throws {
      let live = try LiveModule(
        probe("count", records: [[.long, .string]]) { body in
          let limit = body.argument()
          let i = body.local(.long)
          var goesOn = Operand.long(0)
          let condition = body.block { body in
            let now = body.load(i)
            goesOn = body.long { .binary($0, .less, now, limit) }
          }
          let inside = body.block { body in
            let now = body.load(i)
            body.add(.emit(RecordID(0), [now, .string("loop")]))
          }
          let step = body.block { body in
            let now = body.load(i)
            let next = body.long { .binary($0, .add, now, .long(1)) }
            body.add(.storeLocal(i, next))
          }
          body.add(.loop(condition: condition, goesOn, body: inside, step: step))
        },
        target: .live(hasMayGoto: hasMayGoto)
      )
      try victim.hit("value", "\(count)")
      #expect(try live.records() == (0..<count).map { "0/0/0 \($0) \"loop\"" })
    }

    @Test("printed and lost make up all hits of a tiny ring", arguments: [false, true])
    func losses(_ hasText: Bool) throws {
      var limits = Limits()
      limits.ringByteCount = 4096
      let live = try LiveModule(
        probe("count", records: [[.long], [.string]], limits: limits) { body in
          let value = body.argument()
          if hasText {
            body.add(.emit(RecordID(1), [.string("some text")]))
            body.add(.emit(RecordID(1), [.string("some other text")]))
          } else {
            body.add(.emit(RecordID(0), [value]))
          }
        }
      )
      try victim.hit("threads", "4", "5000")
      let lost = try live.losses(0, .ringFull)
      let printed = try live.records().count
      #expect(lost > 0 && printed > 0)
      #expect(Int(lost) + printed == 20_000 * (hasText ? 2 : 1))
    }

    @Test("exit, warn and error go by the control ring")
    func control() throws {
      let live = try LiveModule(
        probe("text", globals: [scalar("n")]) { body in
          let text = body.argumentText()
          body.add(.intrinsic(nil, .warn, [text]))
          let isStop = body.long { .compareStrings($0, .equal, text, .string("stop")) }
          let stop = body.block { body in
            body.add(.intrinsic(nil, .exit, []))
            body.add(.intrinsic(nil, .error, [text]))
          }
          body.add(.if(isStop, then: stop, else: Block()))
          _ = body.long { .addGlobal($0, first, .long(1)) }
        }
      )
      try victim.hit("text", "go", "stop", "late")
      #expect(
        try live.controls() == [
          "warning/0/0 \"go\"", "warning/0/0 \"stop\"", "exit/0/0", "fault/0/0 0 0 0 \"stop\"",
        ]
      )
      #expect(try live.state() == SessionState.stopping.rawValue)
      #expect(try live.scalar(first) == 1)
    }
  }
}
