import BPFBackend
import TargetModel
import Testing
import TraceIR

/// One expression of two longs and what it gives.
struct Arithmetic: Sendable, CustomTestStringConvertible {
  let operation: BinaryOperation
  let left: Int64
  let right: Int64
  let result: Int64

  var testDescription: String { "\(left) \(operation.rawValue) \(right) = \(result)" }
}

extension LiveTests {
  @Suite struct LanguageTests {
    let victim: Victim

    init() throws { victim = try Victim.shared.get() }

    private static let rows: [(BinaryOperation, Int64, Int64, Int64)] = [
      (.add, .max, 1, .min), (.subtract, 3, 5, -2), (.multiply, 1 << 40, 1 << 24, 0),
      (.divide, 7, 2, 3), (.divide, -7, 2, -3), (.divide, 7, -2, -3), (.divide, -7, -2, 3),
      (.divide, .min, -1, .min), (.divide, 1_000_000_007, 1000, 1_000_000),
      (.remainder, 7, 2, 1), (.remainder, -7, 2, -1), (.remainder, 7, -2, 1), (.remainder, .min, -1, 0),
      (.and, 12, 10, 8), (.or, 12, 10, 14), (.xor, 12, 10, 6),
      (.shiftLeft, 1, 63, .min), (.shiftRight, -8, 1, -4), (.shiftRightLogical, -1, 60, 15),
      (.equal, 4, 4, 1), (.notEqual, 4, 4, 0), (.less, -1, 1, 1), (.lessOrEqual, 2, 2, 1),
      (.greater, -1, 1, 0), (.greaterOrEqual, 2, 3, 0),
    ]

    /// Operands as constants and as globals that the verifier knows nothing about.
    @Test("arithmetic is that of 64-bit integers with signs")
    func arithmetic() throws {
      let globals = Self.rows.flatMap { row in
        [scalar("l", initial: row.1), scalar("r", initial: row.2), scalar("a"), scalar("b"), scalar("c")]
      }
      let program = try probe("count", globals: globals) { body in
        for (index, row) in Self.rows.enumerated() {
          let base = index * 5
          let left = body.long { .loadGlobal($0, GlobalID(base)) }
          let right = body.long { .loadGlobal($0, GlobalID(base + 1)) }
          let a = body.long { .binary($0, row.0, left, right) }
          let b = body.long { .binary($0, row.0, left, .long(row.2)) }
          let c = body.long { .binary($0, row.0, .long(row.1), right) }
          for (slot, value) in [a, b, c].enumerated() {
            body.add(.storeGlobal(GlobalID(base + 2 + slot), value))
          }
        }
      }
      let live = try LiveModule(program)
      try victim.hit("count", "1")
      for (index, row) in Self.rows.enumerated() {
        for slot in 2...4 {
          let result = try live.scalar(GlobalID(index * 5 + slot))
          #expect(result == row.3, "\(row.1) \(row.0) \(row.2), form \(slot)")
        }
      }
    }

    @Test("more values than registers and stack have room for go to scratch memory")
    func spills() throws {
      let live = try LiveModule(
        probe("count", globals: [scalar("sum")]) { body in
          let argument = body.argument()
          let values = (0..<40).map { number in
            body.long { .binary($0, .multiply, argument, .long(Int64(number))) }
          }
          var sum = Operand.long(0)
          for value in values.reversed() { sum = body.long { .binary($0, .add, sum, value) } }
          body.add(.storeGlobal(first, sum))
        }
      )
      try victim.hit("value", "3")
      #expect(try live.scalar(first) == 3 * 780)
    }

    @Test("if, else, next and return leave the right traces")
    func branches() throws {
      let live = try LiveModule(
        probe("count", globals: [scalar("low"), scalar("high"), scalar("after")]) { body in
          let value = body.argument()
          let isLow = body.long { .binary($0, .less, value, .long(4)) }
          let then = body.block { _ = $0.long { .addGlobal($0, first, .long(1)) } }
          let other = body.block { body in
            _ = body.long { .addGlobal($0, second, .long(1)) }
            let isNine = body.long { .binary($0, .equal, value, .long(9)) }
            let leave = body.block { $0.add(.next) }
            body.add(.if(isNine, then: leave, else: Block()))
          }
          body.add(.if(isLow, then: then, else: other))
          _ = body.long { .addGlobal($0, third, .long(1)) }
        }
      )
      try victim.hit("count", "10")
      #expect(try live.scalar(first) == 4)
      #expect(try live.scalar(second) == 6)
      #expect(try live.scalar(third) == 9)
    }

    @Test("loops run their rounds, break and continue", arguments: [true, false])
    func loops(_ hasMayGoto: Bool) throws {
      let live = try LiveModule(
        probe("count", globals: [scalar("sum"), scalar("rounds")]) { body in
          let limit = body.argument()
          let i = body.local(.long)
          let sum = body.local(.long)
          var goesOn = Operand.long(0)
          let condition = body.block { body in
            let now = body.load(i)
            goesOn = body.long { .binary($0, .less, now, limit) }
          }
          let inside = body.block { body in
            let now = body.load(i)
            let isFive = body.long { .binary($0, .equal, now, .long(5)) }
            let skip = body.block { $0.add(.continue) }
            body.add(.if(isFive, then: skip, else: Block()))
            let isMany = body.long { .binary($0, .greater, now, .long(1000)) }
            let stop = body.block { $0.add(.break) }
            body.add(.if(isMany, then: stop, else: Block()))
            let old = body.load(sum)
            let new = body.long { .binary($0, .add, old, now) }
            body.add(.storeLocal(sum, new))
          }
          let step = body.block { body in
            let now = body.load(i)
            let next = body.long { .binary($0, .add, now, .long(1)) }
            body.add(.storeLocal(i, next))
          }
          body.add(.loop(condition: condition, goesOn, body: inside, step: step))
          let total = body.load(sum)
          body.add(.storeGlobal(first, total))
          let rounds = body.load(i)
          body.add(.storeGlobal(second, rounds))
        },
        target: .live(hasMayGoto: hasMayGoto)
      )
      try victim.hit("value", "10")
      #expect(try live.scalar(first) == 40)
      try victim.hit("value", "100000")
      #expect(try live.scalar(first) == 1000 * 1001 / 2 - 5)
      #expect(try live.scalar(second) == 1001)
    }

    @Test("an endless loop exceeds the action budget", arguments: [true, false])
    func endless(_ hasMayGoto: Bool) throws {
      let live = try LiveModule(
        probe("count", globals: [scalar("rounds")]) { body in
          let round = body.block { _ = $0.long { .addGlobal($0, first, .long(1)) } }
          body.add(.loop(condition: Block(), .long(1), body: round, step: Block()))
        },
        target: .live(hasMayGoto: hasMayGoto)
      )
      try victim.hit("count", "1")
      #expect(try live.scalar(first) == 10_000)
      #expect(try live.controls() == ["fault/0/0 \(FaultCode.actionBudget.rawValue) 0 0 \"\""])
      #expect(try live.state() == SessionState.stopping.rawValue)
    }

    @Test("functions return early, call each other and fall through by next")
    func functions() throws {
      var program = try probe("count", globals: [scalar("n")]) { body in
        let value = body.argument()
        let result = body.long { .call($0, FunctionID(0), [value]) }
        _ = body.long { .addGlobal($0, first, result) }
      }
      program.functions = [earlyReturn(), passesOn(), fallback()]
      let live = try LiveModule(program)
      try victim.hit("value", "3")
      #expect(try live.scalar(first) == 100)
      try victim.hit("value", "30")
      #expect(try live.scalar(first) == 100 + 1030)
      try victim.hit("value", "300")
      #expect(try live.scalar(first) == 100 + 1030 + 600)
    }

    /// `if (x < 10) return 100; return g(x)`.
    private func earlyReturn() -> Function {
      var body = BodyBuilder(parameters: [.long])
      let x = body.load(LocalID(0))
      let isSmall = body.long { .binary($0, .less, x, .long(10)) }
      let leave = body.block { $0.add(.return(.long(100))) }
      body.add(.if(isSmall, then: leave, else: Block()))
      let result = body.long { .call($0, FunctionID(1), [x]) }
      body.add(.return(result))
      return Function(name: "f", parameters: [.long], result: .long, body: body.finished, fallback: nil)
    }

    /// `if (x > 100) next; x += 1000; return x`.
    private func passesOn() -> Function {
      var body = BodyBuilder(parameters: [.long])
      let x = body.load(LocalID(0))
      let isBig = body.long { .binary($0, .greater, x, .long(100)) }
      let leave = body.block { $0.add(.next) }
      body.add(.if(isBig, then: leave, else: Block()))
      let sum = body.long { .binary($0, .add, x, .long(1000)) }
      body.add(.storeLocal(LocalID(0), sum))
      let result = body.load(LocalID(0))
      body.add(.return(result))
      return Function(
        name: "g",
        parameters: [.long],
        result: .long,
        body: body.finished,
        fallback: FunctionID(2)
      )
    }

    /// `return x * 2`.
    private func fallback() -> Function {
      var body = BodyBuilder(parameters: [.long])
      let x = body.load(LocalID(0))
      let result = body.long { .binary($0, .multiply, x, .long(2)) }
      body.add(.return(result))
      return Function(name: "g", parameters: [.long], result: .long, body: body.finished, fallback: nil)
    }

    @Test("endless recursion is a run-time error with its place")
    func recursion() throws {
      var program = try probe("count") { body in _ = body.long { .call($0, FunctionID(0), []) } }
      var body = BodyBuilder()
      body.location = 0
      let again = body.long { .call($0, FunctionID(0), []) }
      body.add(.return(again))
      program.functions = [
        Function(name: "f", parameters: [], result: .long, body: body.finished, fallback: nil)
      ]
      let live = try LiveModule(program)
      try victim.hit("count", "1")
      #expect(try live.controls() == ["fault/0/0 \(FaultCode.nesting.rawValue) 0 0 \"\""])
    }

    @Test("division by zero is reported, ends the probe and stops the session at MAXERRORS")
    func divisionByZero() throws {
      var limits = Limits()
      limits.maxErrors = 1
      let live = try LiveModule(
        probe("count", globals: [scalar("n")], limits: limits) { body in
          let value = body.argument()
          let quotient = body.long { .binary($0, .divide, .long(100), value) }
          _ = body.long { .addGlobal($0, first, quotient) }
        }
      )
      try victim.hit("value", "5")
      try victim.hit("value", "0")
      #expect(try live.state() == SessionState.running.rawValue)
      try victim.hit("value", "0")
      try victim.hit("value", "5")
      #expect(try live.scalar(first) == 20)
      let fault = "fault/0/0 \(FaultCode.divisionByZero.rawValue) 0 0 \"\""
      #expect(try live.controls() == [fault, fault])
      #expect(try live.state() == SessionState.stopping.rawValue)
    }

    @Test("catch gets the message of what was tried")
    func tryCatch() throws {
      let live = try LiveModule(
        probe("text", globals: [scalar("m", .string), scalar("n")]) { body in
          let message = body.local(.string)
          let attempt = body.block { body in
            let address = body.argument()
            _ = body.long {
              .read($0, .load(.user, byteCount: 8, isSigned: true, address: .input(0)), inputs: [address])
            }
          }
          let handler = body.block { body in
            let text = body.load(message)
            body.add(.storeGlobal(first, text))
          }
          body.add(.tryCatch(attempt, message: message, handler: handler))
          _ = body.long { .addGlobal($0, second, .long(1)) }
        }
      )
      try victim.hit("text", "fine-and-long")
      #expect(try live.text(first) == "")
      try victim.hit("null")
      #expect(try live.text(first) == "user read fault at 0x0")
      #expect(try live.scalar(second) == 2)
      #expect(try live.controls() == [])
    }
  }
}
