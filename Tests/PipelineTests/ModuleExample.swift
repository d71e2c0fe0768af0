import BPFBackend
import BPFObject
import Platform
import TargetModel
import TraceIR

@testable import UTrace

/// A module in which nothing has its default.
enum ModuleExample {
  /// One of each operation.
  static let operations: [TraceIR.Operation] = [
    .unary(a, .complement, x), .binary(a, .shiftRightLogical, x, y), .compareStrings(a, .lessOrEqual, s, s),
    .concatenate(a, [s, s]), .matchRegex(a, s, pattern: "a+b"), .format(a, format, [x, y]),
    .formatSite(a, slot: 3, [x]), .loadLocal(a, LocalID(2)), .storeLocal(LocalID(3), x), .loadGlobal(a, g),
    .storeGlobal(g, x), .addGlobal(a, g, y), .loadElement(a, g, [x, s]), .storeElement(g, [x], y),
    .addElement(a, g, [s], x), .contains(a, g, [nil, x]), .delete(g, [s, nil]), .aggregate(g, [x], y),
    .extract(a, .variance, g, [nil]), .histogramBucket(a, linear, g, [x], y),
    .if(x, then: block(.next), else: block(.break)),
    .loop(condition: block(.continue), x, body: block(.return(y)), step: block(.return(nil))),
    .foreach(walk(.key(1, descending: true))), .foreach(walk(.statistic(.max, descending: false))),
    .foreach(walk(.value(descending: true))), .foreach(walk(.none)),
    .tryCatch(block(.break), message: LocalID(1), handler: block(.next)),
    .call(a, FunctionID(4), [x]), .call(nil, FunctionID(5), []), .intrinsic(a, .uRegister, [s]),
    .intrinsic(nil, .warn, [s]), .context(a, .argument(3), kernelPlan: nil),
    .context(a, .site(.provider), kernelPlan: .currentTask), .context(a, .currentTask, kernelPlan: nil),
    .read(a, plan, inputs: [x, y]), .storeEntry(slot: 1, x), .loadEntry(a, slot: 2), .print(format, [x]),
    .printHistogram(.log, g, [nil]), .emit(RecordID(6), [x, s]),
    .packHistogram(a, linear, g, [x], first: 7, count: 9), .printBuckets(.log, [s, s]),
  ]

  /// One of each kind of plan.
  static let plan = LocationPlan.binary(
    .lessOrEqualSigned,
    .selected(
      by: .unary(.complement, .load(.kernel, byteCount: 4, isSigned: true, address: .threadPointer)),
      from: [PlanChoice(keys: [-1, 9], plan: .currentTask)],
      else: .constant(6)
    ),
    .bits(
      .extend(
        .binary(.add, .siteLoad(7), .binary(.xor, .entryRegister(5), .tracepointArgument(2))),
        byteCount: 2,
        isSigned: true
      ),
      offset: 3,
      count: 4,
      isSigned: false
    )
  )

  static var program: TraceProgram {
    var program = TraceProgram()
    var global = Global(
      name: "g",
      kind: .array(keys: [.string, .long], value: .string),
      maximumEntries: 17,
      wraps: true,
      initialLong: -3,
      initialString: "start",
      statistics: needs
    )
    global.keyBounds = [15, 0]
    global.isUsedInKernel = false
    let kinds: [Global.Kind] = [.scalar(.string), .statistic, .statisticArray(keys: [.long])]
    program.globals = [global] + kinds.map { Global(name: "h", kind: $0, maximumEntries: 1) }
    let function = Function(
      name: "f",
      parameters: [.long],
      result: .string,
      body: body,
      fallback: FunctionID(1)
    )
    program.functions = [function]
    program.probes = triggers.map { probe($0) }
    program.records = [RecordLayout(fields: [.long, .string], handler: body)]
    program.files = ["a.stp"]
    program.locations = [ScriptLocation(file: 0, line: 1, column: 2)]
    program.limits = limits
    return program
  }

  /// One body of each kind of operation and one list of sites, for tests that try each byte.
  static var smallProgram: TraceProgram {
    var small = TraceProgram()
    small.globals = program.globals
    small.functions = program.functions
    small.probes = [Probe(name: "p", trigger: triggers[5], body: Body())]
    return small
  }

  static var body: Body {
    var body = Body()
    body.locals = [.long, .string]
    body.values = [.string]
    body.block = Block(operations.enumerated().map { Instruction($1, at: $0 % 2 == 0 ? $0 : nil) })
    return body
  }

  static var limits: Limits {
    var limits = Limits()
    limits.maxStringLength = 100
    limits.maxAction = 101
    limits.maxNesting = 102
    limits.maxErrors = 103
    limits.maxSkipped = 104
    limits.maxMapEntries = 105
    limits.maxTryLock = 106
    limits.tryLockDelay = 107
    limits.maxBacktrace = 108
    limits.maxUprobes = 109
    limits.maxMemory = 110
    limits.fileByteCount = 111
    limits.ignoresErrors = true
    limits.ringByteCount = 8192
    limits.stackByteCount = 8192
    return limits
  }

  static let site = ProbeSite(
    path: "/bin/true",
    buildID: BuildID([1, 2, 255]),
    fileOffset: FileOffset(4096),
    linkAddress: LinkAddress(1 << 63),
    semaphore: FileOffset(77),
    description: description
  )

  static let description = SiteDescription(
    probePoint: "process(\"/bin/true\").function(\"main\")",
    scriptPoint: "process.function(\"*\")",
    function: "main",
    name: "name",
    provider: "provider",
    probeType: "uprobe",
    sourceLine: "a.c:12",
    formats: [
      SiteFormat([
        .text("é="), .value(0, .decimal), .value(1, .unsigned), .value(2, .hexadecimal),
        .value(3, .character),
        .value(4, .boolean), .value(5, .string),
        .value(6, .narrowed(byteCount: 2, isSigned: true, .enumerator([-1: "minus"]))),
        .value(7, .float(byteCount: 4)), .computed(plan, .decimal), .ifKnown(3, [.text("x")]),
      ])
    ],
    loads: [
      SiteLoad(base: .register(6), offset: -24, byteCount: 4),
      SiteLoad(base: .previous, offset: 8, byteCount: 8),
    ]
  )

  static var triggers: [Trigger] {
    [
      .begin(order: -5), .end(order: 6), .error(order: 7), .timer(nanoseconds: 8, randomization: 9), .never,
      .userSites([site, site], .functionReturn, in: .process(1234)),
      .userSites([site], .instruction, in: .family), .userSites([site], .instruction, in: .target),
      .tracepoint("sched_switch", argumentCount: 4, description: description, in: nil),
      .tracepoint(.functionEntry("do_exit"), argumentCount: 1, description: description, in: nil),
      .tracepoint(
        "sys_exit",
        argumentCount: 2,
        description: description,
        in: ProcessFilter(.family, executable: "/bin/x")
      ), .running(ProcessFilter(.process(7)), description: description),
      .event(SessionEvent(.fileWrite, path: "a/b", permissions: 0o200, byteCount: 77)),
      .sample(
        PerfSampling(type: 1, config: -1, count: 99, isFrequency: true),
        description: description,
        in: ProcessFilter(.target, executable: "/bin/true")
      ),
    ]
  }

  static var module: BPFModule {
    BPFModule(
      blueprint: ModuleBlueprint(maps: [.ringBuffer("rb", byteCount: 4096)]),
      probes: [.init(probe: 5, body: 0, entry: 1)],
      globals: [
        .init(MapReference("g0"), shorts: [MapReference("g0_short")], ages: MapReference("g0_ages")), nil,
      ],
      scalars: MapReference("s"),
      dataRing: MapReference("d"),
      controlRing: MapReference("c"),
      losses: MapReference("l")
    )
  }

  static var facts: ModuleFacts {
    var file = FileFact("/bin/true")
    file.identity = .init(byteCount: 1, modified: 2, changed: 3, inode: 4, device: 5)
    var program = ProgramFact("/bin/true", buildID: BuildID([9]))
    program.debugFile = FileFact("/nowhere")
    return ModuleFacts(
      scriptName: "a.stp",
      kernel: kernel,
      target: TargetSelection(pid: 12, command: "true", path: "/bin/true"),
      dependencies: ModuleDependencies(
        files: [file, FileFact("/nowhere")],
        programs: [program],
        lookups: [
          LookupFact(.files("x"), answer: ["/x", "/y"]), LookupFact(.executable(3), answer: nil),
        ]
      ),
      cacheKey: [1, 2, 3]
    )
  }

  static let kernel = KernelFacts(
    architecture: "x86_64",
    userAttachment: .multi,
    hasMayGoto: true,
    hasTaskStorage: true,
    hasCopyFromUser: true,
    hasCopyFromUserString: false,
    hasUprobeSession: false,
    possibleCPUCount: 4,
    structuresOf: "6.1 #1"
  )

  static var needs: StatisticNeeds {
    var needs = StatisticNeeds()
    needs.variance = true
    needs.varianceShift = 4
    needs.fields = [.count, .variance]
    needs.histograms = [.log, linear]
    return needs
  }

  static func walk(_ order: ForeachOperation.Order) -> ForeachOperation {
    ForeachOperation(
      global: g,
      slice: [nil, x],
      keys: [LocalID(0)],
      value: LocalID(1),
      order: order,
      limit: y,
      histogram: .log,
      body: block(.continue)
    )
  }

  static func probe(_ trigger: Trigger) -> Probe {
    var probe = Probe(name: "p", trigger: trigger, body: body)
    probe.entryBody = body
    probe.entryPoint = EntryPoint(sites: [site], stackPointer: FrameOffset(register: 7, byteCount: -24))
    probe.entryPoint?.stackPointerAtSites = FrameOffset(register: 6, byteCount: 8)
    probe.entryPoint?.isOptional = true
    probe.entrySlots = [.string, .long]
    probe.arming = body
    return probe
  }

  static let format = FormatString([
    .text("x"),
    .directive(.init(flag: "0", width: .fixed(5), precision: .dynamic, conversion: .memoryHexadecimal)),
    .directive(.init(flag: nil, width: .none, precision: .none, conversion: .binary)),
  ])

  private static let a = ValueID(0)
  private static let g = GlobalID(1)
  private static let x = Operand.long(.min)
  private static let y = Operand.value(ValueID(2))
  private static let s = Operand.string("text")
  private static let linear = HistogramShape.linear(low: -1, high: 100, step: 3)

  private static func block(_ operation: TraceIR.Operation) -> Block { Block([Instruction(operation)]) }
}
