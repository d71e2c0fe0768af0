import BPFBackend
import BPFObject
import KernelBridge
import TargetModel
import Testing
import TraceIR

extension LiveTests {
  @Suite struct CostTests {
    let victim: Victim
    private let session = KernelSession()

    init() throws { victim = try Victim.shared.get() }

    /// Nanoseconds of a call while `body` holds its attachment.
    private func nanoseconds() throws -> Double {
      try #require(Double(try victim.hit("time", "20000")))
    }

    private func emptyCost() throws -> Double {
      var code = Assembler(program: "empty")
      code.emit(.move(.r0, 0))
      code.emit(.exit)
      let spec = ProgramSpec(name: "empty", kind: .uprobeMulti(isReturn: false), code: try code.finish())
      let module = try session.load(ModuleBlueprint(programs: [spec]))
      let site = try victim.site("pushed")
      let place = AttachSite(path: site.path, offset: site.fileOffset, cookie: 0)
      let attachment = try session.attach(module.program("empty"), sites: [place])
      defer { _ = attachment.linkCount }
      return try nanoseconds()
    }

    private func cost(_ program: TraceProgram) throws -> Double {
      let live = try LiveModule(program)
      defer { withExtendedLifetime(live) {} }
      return try nanoseconds()
    }

    /// The best of three interleaved rounds.
    private func compare(_ name: String, _ program: TraceProgram) throws -> Double {
      var empty = Double.infinity
      var full = Double.infinity
      for _ in 0..<3 {
        empty = min(empty, try emptyCost())
        full = min(full, try cost(program))
      }
      print("cost of \(name): \(full) ns, empty program \(empty) ns, ratio \(full / empty)")
      return full / empty
    }

    @Test("a hit that counts into an array costs at most 1.25 times an empty program")
    func counting() throws {
      let program = try probe("pushed", globals: [array("n", .long)]) { body in
        let process = body.long { .context($0, .pid, kernelPlan: nil) }
        _ = body.long { .addElement($0, first, [process], .long(1)) }
      }
      #expect(try compare("n[pid()]++", program) <= 1.25)
    }

    @Test("reads that find their memory cost at most 1.1 times as much where they could wait for it")
    func reading() throws {
      let programs: [(String, TraceProgram)] = [
        (
          "user_string",
          try probe("given", globals: [scalar("s", .string)]) { body in
            let text = body.argumentText()
            body.add(.storeGlobal(first, text))
          }
        ),
        (
          "user_long",
          try probe("given", globals: [scalar("n")]) { body in
            let plan = LocationPlan.load(.user, byteCount: 8, isSigned: false, address: .register(5))
            let number = body.long { .read($0, plan, inputs: []) }
            body.add(.storeGlobal(first, number))
          }
        ),
      ]
      for (name, program) in programs {
        var (plain, waiting) = (Double.infinity, Double.infinity)
        for _ in 0..<5 {
          for (target, isWaiting) in [(BPFTarget.live, false), (.waiting, true)] {
            let live = try LiveModule(program, target: target)
            let cost = try #require(Double(try victim.hit("timegiven", "20000")))
            if isWaiting { waiting = min(waiting, cost) } else { plain = min(plain, cost) }
            withExtendedLifetime(live) {}
          }
        }
        print("cost of \(name): \(plain) ns, \(waiting) ns where it may wait, ratio \(waiting / plain)")
        #expect(waiting / plain <= 1.1)
      }
    }

    @Test("what other bodies cost, for the record")
    func others() throws {
      let statistic = Global(name: "s", kind: .statisticArray(keys: [.long]), maximumEntries: 100)
      var needs = StatisticNeeds()
      needs.histograms = [.log]
      var histogram = statistic
      histogram.statistics = needs
      let programs: [(String, TraceProgram)] = [
        (
          "n++",
          try probe("pushed", globals: [scalar("n")]) { body in
            _ = body.long { .addGlobal($0, first, .long(1)) }
          }
        ),
        (
          "s[tid()] <<< 5",
          try probe("pushed", globals: [statistic]) { body in
            let thread = body.long { .context($0, .tid, kernelPlan: nil) }
            body.add(.aggregate(first, [thread], .long(5)))
          }
        ),
        (
          "s[tid()] <<< cycles, with histogram",
          try probe("pushed", globals: [histogram]) { body in
            let thread = body.long { .context($0, .tid, kernelPlan: nil) }
            let now = body.long { .context($0, .cycles, kernelPlan: nil) }
            body.add(.aggregate(first, [thread], now))
          }
        ),
        (
          "n[execname()]++",
          try probe("pushed", globals: [array("n", .string)]) { body in
            let name = body.execname()
            _ = body.long { .addElement($0, first, [name], .long(1)) }
          }
        ),
        (
          "printf of pid and execname",
          try probe("pushed", records: [[.long, .string]]) { body in
            let process = body.long { .context($0, .pid, kernelPlan: nil) }
            let name = body.execname()
            body.add(.emit(RecordID(0), [process, name]))
          }
        ),
        (
          "printf of pid",
          try probe("pushed", records: [[.long]]) { body in
            let process = body.long { .context($0, .pid, kernelPlan: nil) }
            body.add(.emit(RecordID(0), [process]))
          }
        ),
      ]
      for (name, program) in programs { _ = try compare(name, program) }
    }
  }
}
