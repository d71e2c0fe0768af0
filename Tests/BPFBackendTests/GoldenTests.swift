import BPFBackend
import BPFObject
import TargetModel
import TestSupport
import Testing
import TraceIR

/// The code of small scripts; their IR is written by hand, so that only this stage is tested.
@Suite struct GoldenTests {
  @Test("scripts become this code", arguments: goldenNames("bpf"))
  func code(_ name: String) throws {
    try golden("bpf", name) { text in
      var script = ScriptBuilder()
      try script.write(name)
      var blueprint = try generate(script.program, for: BPFTarget()).blueprint
      blueprint.sources = [SourceFile(name: "\(name).stp", text: text)]
      return Disassembler.text(of: blueprint)
    }
  }

  @Test(
    "elements come with the map where that is quick, and larger ones as they are needed",
    arguments: [
      (.array(keys: [.long], value: .long), 2048, true),
      (.array(keys: [.long], value: .long), 1 << 20, true),
      (.array(keys: [.long], value: .long), (1 << 20) + 1, false),
      (.array(keys: [.long, .long], value: .long), 200_000, true),
      (.array(keys: [.long, .long], value: .long), 1 << 20, false),
      (.array(keys: [.long], value: .string), 2048, true),
      (.array(keys: [.long], value: .string), 1 << 20, false),
      (.statisticArray(keys: [.long]), 2048, true),
      (.statisticArray(keys: [.long]), 1 << 20, false),
    ] as [(Global.Kind, Int, Bool)]
  )
  func elementsAtOnce(_ kind: Global.Kind, _ count: Int, _ atOnce: Bool) throws {
    var script = ScriptBuilder()
    let global = Global(name: "n", kind: kind, maximumEntries: count)
    script.globals = [global]
    script.probe { body in body.add(.delete(first, [])) }
    let maps = try generate(script.program, for: BPFTarget()).blueprint.maps
    let map = try #require(maps.first { $0.name == "n" })
    #expect(map.maxEntries == count)
    #expect(map.flags.contains(.noPreallocation) != atOnce)
  }

  @Test("what is not supported yet is refused with its place")
  func refusals() {
    var script = ScriptBuilder()
    script.probe { body in body.add(.print(FormatString([.text("x")]), [])) }
    let what = "printing that was not outlined"
    #expect(throws: BPFBackendError.unsupported(what, location: "a.stp:2:3")) {
      try generate(script.program, for: BPFTarget())
    }
    let error = BPFBackendError.unsupported("recursion of 'f'", location: "a.stp:2:3")
    #expect("\(error)" == "a.stp:2:3: recursion of 'f' is not supported in kernel-side probes yet")
  }
}

/// A program with one probe at one made-up site.
struct ScriptBuilder {
  var globals: [Global] = []
  var records: [[ValueType]] = []
  var kind = UserSiteKind.instruction
  private var body = Body()
  private var entryBody: Body?

  mutating func probe(_ fill: (inout BodyBuilder) -> Void) { body = Self.body(fill) }

  mutating func entry(_ fill: (inout BodyBuilder) -> Void) { entryBody = Self.body(fill) }

  private static func body(_ fill: (inout BodyBuilder) -> Void) -> Body {
    var builder = BodyBuilder()
    builder.location = 0
    fill(&builder)
    return builder.finished
  }

  var program: TraceProgram {
    let site = ProbeSite(
      path: "/bin/program",
      buildID: nil,
      fileOffset: FileOffset(0x1000),
      linkAddress: LinkAddress(0x1000),
      semaphore: nil,
      description: SiteDescription(probePoint: "process.function", scriptPoint: "process.function")
    )
    var program = TraceProgram()
    program.globals = globals
    program.files = ["a.stp"]
    program.locations = [ScriptLocation(file: 0, line: 2, column: 3)]
    program.records = records.map { RecordLayout(fields: $0, handler: Body()) }
    var probe = Probe(name: "p", trigger: .userSites([site], kind, in: .target), body: body)
    probe.entryBody = entryBody
    probe.entrySlots = entryBody == nil ? [] : [.long]
    program.probes = [probe]
    return program
  }
}

extension ScriptBuilder {
  /// Writes the IR of a script of `Tests/Golden/bpf`.
  mutating func write(_ name: String) throws {
    switch name {
    case "average": statistic([.max, .average])
    case "count": count(in: array("n", .long))
    case "entry": entry()
    case "found": found(adding: first)
    case "found-other": found(adding: second)
    case "histogram": statistic([], [.log])
    case "loop": loop()
    case "member": member()
    case "members-apart": membersApart()
    case "message": message()
    case "quotient": quotient()
    case "string-key": stringKey()
    case "tally": count(in: tally("n"))
    default: throw CommandFailure(command: "golden", output: "no IR for \(name).stp")
    }
  }

  mutating func count(in global: Global) {
    globals = [global]
    probe { body in
      let process = body.long { .context($0, .pid, kernelPlan: nil) }
      _ = body.long { .addElement($0, first, [process], .long(1)) }
    }
  }

  /// `if (pid() in n) n[pid()]++`: one lookup; with another array, two.
  mutating func found(adding global: GlobalID) {
    globals = [array("n", .long), array("m", .long)]
    probe { body in
      let process = body.long { .context($0, .pid, kernelPlan: nil) }
      let isThere = body.long { .contains($0, first, [process]) }
      let then = body.block { body in _ = body.long { .addElement($0, global, [process], .long(1)) } }
      let other = body.block { body in body.add(.storeElement(global, [process], .long(1))) }
      body.add(.if(isThere, then: then, else: other))
    }
  }

  mutating func entry() {
    globals = [Global(name: "s", kind: .statistic, maximumEntries: 1)]
    kind = .functionReturn
    entry { body in
      let now = body.long { .context($0, .monotonicNanoseconds, kernelPlan: nil) }
      body.add(.storeEntry(slot: 0, now))
    }
    probe { body in
      let now = body.long { .context($0, .monotonicNanoseconds, kernelPlan: nil) }
      let start = body.long { .loadEntry($0, slot: 0) }
      let time = body.long { .binary($0, .subtract, now, start) }
      body.add(.aggregate(first, [], time))
    }
  }

  mutating func loop() {
    globals = [scalar("sum")]
    probe { body in
      let i = body.local(.long)
      var goesOn = Operand.long(0)
      let condition = body.block { body in
        let now = body.load(i)
        goesOn = body.long { .binary($0, .less, now, .long(10)) }
      }
      let inside = body.block { body in
        let now = body.load(i)
        _ = body.long { .addGlobal($0, first, now) }
      }
      let step = body.block { body in
        let now = body.load(i)
        let next = body.long { .binary($0, .add, now, .long(1)) }
        body.add(.storeLocal(i, next))
      }
      body.add(.loop(condition: condition, goesOn, body: inside, step: step))
    }
  }

  mutating func member() {
    records = [[.long, .long]]
    probe { body in
      let pointer = LocationPlan.load(.user, byteCount: 8, isSigned: false, address: .register(5))
      let a = body.long {
        .read($0, .load(.user, byteCount: 4, isSigned: true, address: pointer), inputs: [])
      }
      let b = body.long {
        .read($0, .load(.user, byteCount: 8, isSigned: true, address: pointer.offset(by: 8)), inputs: [])
      }
      body.add(.emit(RecordID(0), [a, b]))
    }
  }

  /// Reads that must stay as they are: something that may fault between them, too far, across the stack's words.
  mutating func membersApart() {
    globals = [scalar("n")]
    func member(_ offset: Int64, _ byteCount: Int) -> LocationPlan {
      .load(.user, byteCount: byteCount, isSigned: true, address: .register(5).offset(by: offset))
    }
    probe { body in
      let a = body.long { .read($0, member(0, 4), inputs: []) }
      let ratio = body.long { .binary($0, .divide, .long(10), a) }
      let b = body.long { .read($0, member(8, 8), inputs: []) }
      let far = body.long { .read($0, member(40, 8), inputs: []) }
      let packed = body.long { .read($0, member(45, 4), inputs: []) }
      let sum = body.long { .binary($0, .add, ratio, b) }
      let more = body.long { .binary($0, .add, far, packed) }
      let all = body.long { .binary($0, .add, sum, more) }
      body.add(.storeGlobal(first, all))
    }
  }

  mutating func message() {
    records = [[.string, .long]]
    probe { body in
      let name = body.execname()
      let isPsql = body.long { .compareStrings($0, .equal, name, .string("psql")) }
      let send = body.block { body in
        let process = body.long { .context($0, .pid, kernelPlan: nil) }
        body.add(.emit(RecordID(0), [name, process]))
      }
      body.add(.if(isPsql, then: send, else: Block()))
    }
  }

  mutating func quotient() {
    globals = [scalar("n")]
    probe { body in
      let left = body.argument()
      let right = body.long { .context($0, .argument(2), kernelPlan: nil) }
      let quotient = body.long { .binary($0, .divide, left, right) }
      body.add(.storeGlobal(first, quotient))
    }
  }

  mutating func statistic(_ fields: [StatisticField], _ histograms: [HistogramShape] = []) {
    var needs = StatisticNeeds()
    needs.fields = fields
    needs.histograms = histograms
    globals = [Global(name: "s", kind: .statistic, maximumEntries: 1, statistics: needs)]
    probe { body in
      let process = body.long { .context($0, .pid, kernelPlan: nil) }
      body.add(.aggregate(first, [], process))
    }
  }

  mutating func stringKey() {
    globals = [Global(name: "s", kind: .statisticArray(keys: [.string]), maximumEntries: 2048)]
    probe { body in
      let text = body.argumentText()
      body.add(.aggregate(first, [text], .long(1)))
    }
  }
}
