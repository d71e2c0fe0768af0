import TargetModel
import Testing
import TraceIR

@Suite struct LockPlanTests {
  private static let site = SiteDescription(probePoint: "p", scriptPoint: "p", function: "f")

  private enum Place { case process, tracepoint, begin, timer }

  private func trigger(_ place: Place) -> Trigger {
    switch place {
    case .process: .userSites([], .instruction, in: .target)
    case .tracepoint: .tracepoint("t", argumentCount: 0, description: Self.site, in: nil)
    case .begin: .begin(order: 0)
    case .timer: .timer(nanoseconds: 1, randomization: 0)
    }
  }

  private let globals = [
    Global(name: "a", kind: .scalar(.long), maximumEntries: 1),
    Global(name: "b", kind: .scalar(.long), maximumEntries: 1),
    Global(name: "m", kind: .array(keys: [.long], value: .long), maximumEntries: 10),
    Global(name: "s", kind: .statistic, maximumEntries: 1),
    Global(name: "t", kind: .scalar(.string), maximumEntries: 1),
  ]
  private let a = GlobalID(0)
  private let b = GlobalID(1)
  private let m = GlobalID(2)
  private let s = GlobalID(3)
  private let t = GlobalID(4)

  /// The modes of each probe's lock, `-` for none; the lock's number in front where there is more than one.
  private func plan(_ probes: [(Place, (inout BodyBuilder) -> Void)]) -> String {
    let plan = LockPlan(program(probes))
    return plan.bodies.map { use in
      guard let use else { return "-" }
      return (plan.lockCount > 1 ? "\(use.lock)" : "") + (use.mode == .shared ? "s" : "x")
    }.joined(separator: " ")
  }

  private func program(_ probes: [(Place, (inout BodyBuilder) -> Void)]) -> TraceProgram {
    var program = TraceProgram()
    program.globals = globals
    for (place, fill) in probes {
      var body = BodyBuilder()
      fill(&body)
      program.probes.append(Probe(name: "p", trigger: trigger(place), body: body.finished))
    }
    return program
  }

  private func add(_ global: GlobalID) -> (inout BodyBuilder) -> Void {
    { body in _ = body.long { .addGlobal($0, global, .long(1)) } }
  }

  private func read(_ globals: GlobalID...) -> (inout BodyBuilder) -> Void {
    { body in
      for global in globals { _ = body.long { .loadGlobal($0, global) } }
    }
  }

  private func addBoth(_ body: inout BodyBuilder) {
    add(a)(&body)
    add(b)(&body)
  }

  @Test("counters that nobody reads meanwhile need no lock")
  func counters() {
    #expect(plan([(.process, addBoth), (.process, addBoth), (.begin, read(a, b))]) == "- - -")
    #expect(plan([(.process, add(a)), (.process, read(a)), (.timer, read(a))]) == "- - -")
  }

  @Test("who reads two while another changes them locks; who only adds to one shares")
  func sharing() {
    #expect(plan([(.process, add(a)), (.process, add(b)), (.timer, read(a, b))]) == "s s x")
    #expect(plan([(.process, addBoth), (.process, read(a, b))]) == "x x")
    #expect(plan([(.process, addBoth), (.process, read(a))]) == "- -", "nobody can see b")
    #expect(plan([(.process, add(a)), (.timer, addBoth), (.timer, read(a, b))]) == "s x x")
  }

  @Test("reading and writing one is two steps")
  func readAndWrite() {
    let change: (inout BodyBuilder) -> Void = { body in
      let value = body.long { .loadGlobal($0, self.a) }
      body.add(.storeGlobal(self.a, value))
    }
    #expect(plan([(.process, change)]) == "x")
    #expect(plan([(.begin, change), (.process, read(a, b))]) == "- -")
  }

  @Test("what goes over one way only is counted for that way")
  func branches() {
    let either: (inout BodyBuilder) -> Void = { body in
      let then = body.block { self.add(self.a)(&$0) }
      let other = body.block { body in
        self.add(self.b)(&body)
      }
      body.add(.if(.long(1), then: then, else: other))
    }
    let often: (inout BodyBuilder) -> Void = { body in
      let round = body.block { self.add(self.a)(&$0) }
      body.add(.loop(condition: Block(), .long(1), body: round, step: Block()))
    }
    #expect(plan([(.process, either), (.process, read(a)), (.process, read(b))]) == "- - -")
    #expect(plan([(.process, often), (.process, read(a)), (.process, read(b))]) == "x x -")
  }

  @Test("globals that no probe joins have locks of their own")
  func separate() {
    let first: (inout BodyBuilder) -> Void = { body in
      self.read(self.a)(&body)
      self.add(self.a)(&body)
    }
    let second: (inout BodyBuilder) -> Void = { body in
      self.read(self.b)(&body)
      self.add(self.b)(&body)
    }
    #expect(plan([(.process, first), (.process, second)]) == "0x 1x")
    #expect(plan([(.process, first), (.process, second), (.tracepoint, addBoth)]) == "x x x")
  }

  @Test("a thread's own elements need no lock, other keys and other probes do")
  func ownElements() {
    func keep(_ field: ContextField) -> (inout BodyBuilder) -> Void {
      { body in
        let key = body.long { .context($0, field, kernelPlan: nil) }
        let value = body.long { .loadElement($0, self.m, [key]) }
        body.add(.storeElement(self.m, [key], value))
        body.add(.delete(self.m, [key]))
      }
    }
    #expect(plan([(.process, keep(.tid))]) == "-")
    #expect(plan([(.process, keep(.pid))]) == "x")
    #expect(plan([(.process, keep(.tid)), (.tracepoint, keep(.tid))]) == "x x")
  }

  @Test("what the user side cannot do in one step, it locks for")
  func userSide() {
    let count: (inout BodyBuilder) -> Void = { body in
      _ = body.long { .addElement($0, self.m, [.long(1)], .long(1)) }
    }
    let look: (inout BodyBuilder) -> Void = { body in
      _ = body.long { .loadElement($0, self.m, [.long(1)]) }
    }
    #expect(plan([(.process, count), (.timer, count)]) == "- -", "nobody looks")
    #expect(plan([(.process, count), (.timer, count), (.timer, look)]) == "s x x")
    #expect(plan([(.process, count), (.process, look)]) == "- -")
  }

  @Test("a string is more than one step")
  func strings() {
    let set: (inout BodyBuilder) -> Void = { $0.add(.storeGlobal(self.t, .string("x"))) }
    #expect(plan([(.process, set)]) == "x")
    let gather: (inout BodyBuilder) -> Void = { $0.add(.aggregate(self.s, [], .long(1))) }
    let clear: (inout BodyBuilder) -> Void = { $0.add(.delete(self.s, [])) }
    #expect(plan([(.process, gather), (.timer, clear)]) == "s x")
  }

  @Test("a lock is in a cache line of its own, behind the control words")
  func places() throws {
    let layout = ScalarLayout(program([(.process, addBoth), (.process, read(a, b))]))
    let lock = try #require(layout.lockOffsets.first)
    let line = ScalarLayout.cacheLineByteCount
    #expect(lock >= ScalarLayout.controlByteCount && lock % line == 0)
    #expect(layout.offsets.allSatisfy { $0.map { $0 >= lock + line } ?? true })
  }
}
