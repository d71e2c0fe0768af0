import Foundation
import KernelBridge
import Platform
import TargetModel
import TestSupport
import Testing
import TraceIR
import TraceRuntime

/// A kernel side made of lists.
private final class FakeKernelSide: KernelSide {
  let store: any GlobalStore
  var skippedHits: UInt64 = 0
  var states: [SessionState] = []
  var isDetached = false
  var control: [[UInt8]] = []
  var data: [[UInt8]] = []
  var lost: [LossCount] = []
  var wakeDescriptors: [Int32] { [] }
  /// What was asked for, in turn.
  var sleeps: [Bool] = []
  var rounds = 0

  init(_ program: TraceProgram) { store = InMemoryStore(program) }

  func setState(_ state: SessionState) { states.append(state) }

  func setAsleep(_ isAsleep: Bool) { sleeps.append(isAsleep) }

  var lockedProbes: [Int] = []
  var refusedProbes: Set<Int> = []

  func lock(probe: Int) -> Bool {
    if refusedProbes.contains(probe) { return false }
    lockedProbes.append(probe)
    return true
  }

  func unlock(probe: Int) {}

  /// Probes that were attached, and, with a minus and less 1, detached.
  var attached: [Int] = []
  /// Why the kernel refuses to attach.
  var refusal: KernelError?
  var conditionChanged = false

  func arm(probe: Int) throws(KernelError) {
    if let refusal { throw refusal }
    attached.append(probe)
  }

  func disarm(probe: Int) { attached.append(-probe - 1) }

  func takeConditionChange() -> Bool {
    defer { conditionChanged = false }
    return conditionChanged
  }

  func detach() { isDetached = true }

  func drainControl(_ body: (RawSpan) -> Void) { take(&control, body) }

  func drainData(_ body: (RawSpan) -> Void) -> Int {
    rounds += 1
    return take(&data, body)
  }

  @discardableResult private func take(_ items: inout [[UInt8]], _ body: (RawSpan) -> Void) -> Int {
    guard states.contains(.running) else { return 0 }
    defer { items = [] }
    for item in items { body(item.rawSpan) }
    return items.count
  }

  func losses() -> [LossCount] { lost }
}

@Suite(.serialized) struct TraceSessionTests {
  private func text(_ text: String) -> FormatString { FormatString([.text(text)]) }

  private func probe(_ trigger: Trigger, name: String = "p", _ fill: (inout BodyBuilder) -> Void) -> Probe {
    var builder = BodyBuilder()
    builder.location = 0
    fill(&builder)
    return Probe(name: name, trigger: trigger, body: builder.finished)
  }

  private func printing(_ line: String, _ trigger: Trigger, exits: Bool = false) -> Probe {
    probe(trigger) { body in
      body.add(.print(text(line), []))
      if exits { body.add(.intrinsic(nil, .exit, [])) }
    }
  }

  private struct Result {
    var status: Int32
    var output: String
    var errors: [String]
  }

  private final class Lines { var lines: [String] = [] }

  private func run(
    _ program: TraceProgram,
    format: OutputSink.Format = .text,
    kernel: (any KernelSide)? = nil,
    command: ChildProcess? = nil
  ) throws -> Result {
    let scratch = try ScratchDirectory()
    let path = scratch.path + "/output"
    let errors = Lines()
    let file = try OwnedFD(creating: path)
    let sink = OutputSink(format, file: file, name: path) { errors.lines.append($0) }
    var options = SessionOptions(sink: sink, environment: Environment([:]))
    options.command = command
    var program = program
    program.files = ["a.stp"]
    program.locations = [ScriptLocation(file: 0, line: 1, column: 2)]
    let status = try TraceSession(program, kernel: kernel, options: options).run()
    return Result(
      status: status,
      output: try String(contentsOfFile: path, encoding: .utf8),
      errors: errors.lines
    )
  }

  private func program(_ probes: Probe...) -> TraceProgram {
    var program = TraceProgram()
    program.probes = probes
    return program
  }

  @Test("begin and end probes run by their order, without a kernel side")
  func runsInOrder() throws {
    let result = try run(
      program(
        printing("d ", .end(order: 2)),
        printing("b ", .begin(order: 0), exits: true),
        printing("a ", .begin(order: -1)),
        printing("late ", .begin(order: 1)),
        printing("c ", .end(order: 1)),
        printing("never ", .never),
        printing("error ", .error(order: 0))
      )
    )
    #expect(result.output == "a b c d ")
    #expect(result.status == 0)
    #expect(result.errors == [])
  }

  @Test("timers ring until exit()")
  func runsTimers() throws {
    var session = program()
    session.globals = [Global(name: "n", kind: .scalar(.long), maximumEntries: 0)]
    session.probes = [
      probe(.timer(nanoseconds: 2_000_000, randomization: 0)) { body in
        let before = body.long { .addGlobal($0, GlobalID(0), .long(1)) }
        body.add(.print(text("."), []))
        let isEnough = body.long { .binary($0, .greaterOrEqual, before, .long(4)) }
        body.add(.if(isEnough, then: body.block { $0.add(.intrinsic(nil, .exit, [])) }, else: Block()))
      },
      probe(.timer(nanoseconds: 1_000_000, randomization: 500_000)) { _ in },
    ]
    #expect(try run(session).output == ".....")
  }

  /// A tracepoint that is attached while the first global is not 0, and a timer that sets it from a second one.
  private var conditional: TraceProgram {
    var session = program()
    session.globals = [Global(name: "on", kind: .scalar(.long), maximumEntries: 0)]
    let site = SiteDescription(probePoint: "t", scriptPoint: "t")
    var watched = probe(.tracepoint("t", argumentCount: 0, description: site, in: nil)) { _ in }
    var condition = BodyBuilder()
    condition.add(.return(condition.long { .loadGlobal($0, GlobalID(0)) }))
    watched.arming = condition.finished
    session.probes = [watched]
    return session
  }

  private func setting(_ value: Int64, _ trigger: Trigger, exits: Bool = false) -> Probe {
    probe(trigger) { body in
      body.add(.storeGlobal(GlobalID(0), .long(value)))
      if exits { body.add(.intrinsic(nil, .exit, [])) }
    }
  }

  @Test("a probe with a condition is attached when that holds, and detached when it has not for a while")
  func attachesByCondition() throws {
    var session = conditional
    let side = FakeKernelSide(session)
    session.probes += [
      setting(1, .timer(nanoseconds: 20_000_000, randomization: 0)),
      setting(0, .timer(nanoseconds: 25_000_000, randomization: 0)),
      printing("", .timer(nanoseconds: 700_000_000, randomization: 0), exits: true),
    ]
    #expect(try run(session, kernel: side).status == 0)
    #expect(side.attached == [0], "a flag that is set all the time keeps its probe")
    session.probes.remove(at: 1)
    session.probes.append(setting(1, .begin(order: 0)))
    side.attached = []
    #expect(try run(session, kernel: side).status == 0)
    #expect(side.attached == [0, -1])
  }

  @Test("a probe that cannot be attached later on is an error")
  func reportsRefusals() throws {
    var session = conditional
    session.probes += [setting(1, .begin(order: 0)), printing("error", .error(order: 0))]
    let side = FakeKernelSide(session)
    side.refusal = .invalid("no")
    let result = try run(session, kernel: side)
    #expect(result.status == 1 && result.output == "error")
    #expect(result.errors.first?.hasPrefix("ERROR: no") == true)
  }

  @Test("an error skips the end probes, runs the error probes and gives status 1")
  func endsOnErrors() throws {
    let result = try run(
      program(
        probe(.begin(order: 0)) { body in _ = body.long { .binary($0, .divide, .long(1), .long(0)) } },
        printing("end ", .end(order: 0)),
        printing("error ", .error(order: 0))
      )
    )
    #expect(result.output == "error ")
    #expect(result.status == 1)
    #expect(
      result.errors == [
        "ERROR: division by 0 near operator '/' at a.stp:1:2",
        "WARNING: Number of errors: 1, skipped probes: 0",
      ]
    )
  }

  @Test("MAXERRORS errors do not end the session")
  func toleratesErrors() throws {
    var session = program(
      probe(.begin(order: 0)) { $0.add(.intrinsic(nil, .error, [.string("x")])) },
      printing("go ", .begin(order: 1), exits: true),
      printing("end ", .end(order: 0))
    )
    session.limits.maxErrors = 1
    let result = try run(session)
    #expect(result.output == "go end ")
    #expect(result.status == 1)
  }

  @Test("warnings go to standard error, the same one once; abort() leaves the probe and ends the session")
  func warnsAndAborts() throws {
    let result = try run(
      program(
        probe(.begin(order: 0)) { body in
          body.add(.intrinsic(nil, .warn, [.string("careful")]))
          body.add(.intrinsic(nil, .warn, [.string("careful")]))
          body.add(.intrinsic(nil, .abort, []))
          body.add(.print(text("no "), []))
        },
        printing("end ", .end(order: 0))
      )
    )
    #expect(result.output == "end ")
    #expect(result.errors == ["WARNING: careful"])
  }

  @Test("records are shown, control records obeyed, losses reported by probe and reason")
  func showsRecords() throws {
    var handler = BodyBuilder(parameters: [.long])
    let value = handler.load(LocalID(0))
    let name = handler.string { .context($0, .site(.function), kernelPlan: nil) }
    let decimal = FormatString.Directive(flag: nil, width: .none, precision: .none, conversion: .decimal)
    let string = FormatString.Directive(flag: nil, width: .none, precision: .none, conversion: .string)
    handler.add(
      .print(
        FormatString([.directive(string), .text("="), .directive(decimal), .text("\n")]),
        [name, value]
      )
    )
    let sites = ["f", "g"].map { function in
      ProbeSite(
        path: "/bin/x",
        buildID: nil,
        fileOffset: FileOffset(0),
        linkAddress: LinkAddress(0),
        semaphore: nil,
        description: SiteDescription(
          probePoint: "process(\"x\").function(\"\(function)\")",
          scriptPoint: "",
          function: function
        )
      )
    }
    var session = program(
      probe(.userSites(sites, .instruction, in: .target), name: "process(\"x\").function(\"*\")") { _ in },
      printing("end\n", .end(order: 0))
    )
    session.records = [RecordLayout(fields: [.long], handler: handler.finished)]
    session.limits.maxErrors = 5
    for format in [OutputSink.Format.text, .json] {
      let kernel = FakeKernelSide(session)
      // Two records in one item, then an exit and a fault of the kernel side.
      kernel.data = [
        [0, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]
      ]
      kernel.control = [
        [1, 0, 0, 0, 0, 0, 0, 0] + [6, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0]
          + [9, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
      ]
      kernel.lost = [LossCount(probe: 0, reason: .ringFull, count: 3)]
      let result = try run(session, format: format, kernel: kernel)
      #expect(kernel.states == [.running, .stopping])
      #expect(kernel.isDetached)
      #expect(
        result.errors == [
          "ERROR: Array overflow, check MAXMAPENTRIES at a.stp:1:2",
          "WARNING: probe process(\"x\").function(\"*\"): 3 records lost: the output buffer was full "
            + "(-s MB makes the buffer larger)",
          "WARNING: Number of errors: 1, skipped probes: 0",
        ]
      )
      if format == .text {
        #expect(result.output == "g=7\nf=8\nend\n")
      } else {
        let lines = result.output.split(separator: "\n")
        #expect(
          lines.first
            == #"{"type":"print","probe":"process(\"x\").function(\"*\")","site":"process(\"x\").function(\"g\")","text":"g=7\n"}"#
        )
        #expect(lines.last == #"{"type":"end","errors":1,"skipped":0,"lost":3,"status":1}"#)
        for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
      }
    }
  }

  @Test("an error that is seen after exit(), or after the target's end, runs error probes nevertheless")
  func prefersErrors() throws {
    let fault: [UInt8] =
      [1, 0, 0, 0, 0, 0, 0, 0] + [6, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 24)
    let exit: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0]
    for control in [[exit, fault], [fault]] {
      var session = program(printing("end", .end(order: 0)), printing("error", .error(order: 0)))
      session.limits.maxErrors = 0
      let kernel = FakeKernelSide(session)
      kernel.control = control
      // Without exit() it is the command that ends first.
      let command = control.count == 1 ? try ChildProcess("exit 0", isSuspended: true) : nil
      let result = try run(session, kernel: kernel, command: command)
      #expect(result.output == "error" && result.status == 1, "\(result.errors)")
    }
  }

  @Test("the session ends with its -c command, which starts after the begin probes")
  func followsCommand() throws {
    let scratch = try ScratchDirectory()
    let mark = scratch.path + "/mark"
    var session = program(
      probe(.begin(order: 0)) { body in
        body.add(.intrinsic(nil, .system, [.string("test ! -e \(mark) && echo before > \(mark).begin")]))
        body.add(.print(text("begin "), []))
      },
      probe(.end(order: 0)) { body in
        let target = body.long { .context($0, .target, kernelPlan: nil) }
        let decimal = FormatString.Directive(flag: nil, width: .none, precision: .none, conversion: .decimal)
        body.add(.print(FormatString([.directive(decimal)]), [target]))
      }
    )
    session.limits.maxErrors = 0
    let command = try ChildProcess("sleep 0.2; touch \(mark); exit 3", isSuspended: true)
    let result = try run(session, command: command)
    #expect(result.output == "begin \(command.pid)")
    #expect(result.status == 1)
    #expect(result.errors == ["WARNING: Child process exited with status 3"])
    #expect(FileManager.default.fileExists(atPath: mark))
    #expect(FileManager.default.fileExists(atPath: mark + ".begin"))
  }

  @Test("a suspended command that is dropped never runs")
  func dropsCommand() throws {
    let scratch = try ScratchDirectory()
    let mark = scratch.path + "/mark"
    let pid = try dropped("touch \(mark)")
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    #expect(!FileManager.default.fileExists(atPath: mark))
  }

  private func dropped(_ command: String) throws -> Int32 { try ChildProcess(command, isSuspended: true).pid }

  @Test("a full disk is said once and gives status 3")
  func reportsFullDisk() throws {
    let errors = Lines()
    let sink = OutputSink(.text, file: try OwnedFD(writing: "/dev/full"), name: "/dev/full") {
      errors.lines.append($0)
    }
    let options = SessionOptions(sink: sink, environment: Environment([:]))
    let session = program(
      printing("a", .begin(order: 0)),
      printing("b", .timer(nanoseconds: 1, randomization: 0))
    )
    #expect(try TraceSession(session, kernel: nil, options: options).run() == 3)
    #expect(errors.lines == ["ERROR: cannot write to /dev/full: No space left on device"])
  }

  @Test("a reader that goes away ends the session quietly")
  func stopsWithItsReader() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    close(ends[0])
    let errors = Lines()
    let sink = OutputSink(.text, file: OwnedFD(adopting: ends[1]), name: "pipe") { errors.lines.append($0) }
    let options = SessionOptions(sink: sink, environment: Environment([:]))
    let session = program(printing("b", .timer(nanoseconds: 1_000_000, randomization: 0)))
    #expect(try TraceSession(session, kernel: nil, options: options).run() == 0)
    #expect(errors.lines == [])
  }
}
