import KernelBridge
package import Platform
import TargetModel
package import TraceIR

/// Runs a script until it is done.
///
/// In: an optimized program, its kernel side (loaded and attached; nil when it has none), options. Out: output,
/// messages, an exit status. May import Platform, TargetModel, TraceIR, KernelBridge. One thread, one event
/// loop: begin probes, then records and timers as they come, then, on `exit()`, a signal, the target's end or an
/// error too many, the end or error probes and the report of what was lost.
package final class TraceSession {
  private let program: TraceProgram
  private let target: Int32?
  private let options: SessionOptions
  private let kernel: (any KernelSide)?
  private let interpreter: Interpreter
  private let context: SessionContext
  private let texts: FaultTexts
  private let records: RecordPrinter
  private let arming: ProbeArming?
  private let recordsTouchGlobals: Bool
  private var sink: OutputSink { options.sink }
  private var commands: [ChildProcess] = []
  private var lastWarnings: Set<ByteString> = []

  private var stop: StopReason?
  private var errorCount = 0
  private var childFailed = false
  /// A hit's record asked for the end: what comes behind it on the ring is from later hits.
  private var hasRecordEndedSession = false
  /// `end` or `error` probes run: what is wrong with them changes nothing any more.
  private var runsLastProbes = false

  /// Why a session ends.
  private enum StopReason {
    case exit, signal, targetGone, errors, skipped, output
  }

  /// Prepares a session.
  /// - Throws: ``RegexError`` for a pattern that Lowering should have refused.
  package init(
    _ program: TraceProgram,
    kernel: (any KernelSide)?,
    options: SessionOptions
  ) throws(RegexError) {
    self.program = program
    self.kernel = kernel
    self.options = options
    target = options.command?.pid ?? options.target
    let userCode = program.usesUserStacks ? UserCode(kernel, target: target, limits: program.limits) : nil
    context = SessionContext(
      target: target,
      environment: options.environment,
      userCode: userCode,
      kernelMemory: options.kernelMemory
    )
    texts = FaultTexts(program)
    recordsTouchGlobals = program.recordsTouchGlobals
    let store = kernel?.store ?? InMemoryStore(program)
    let interpreter = try Interpreter(program, store: store, context: context)
    self.interpreter = interpreter
    arming = ProbeArming(program, kernel, interpreter)
    records = RecordPrinter(
      program,
      interpreter,
      target: target,
      userCode: userCode,
      sink: options.sink
    )
  }

  /// Runs the session.
  /// - Returns: the exit status: 0 done, 1 after run-time errors or a failed `-c` command, 3 when output failed.
  /// - Throws: ``SystemError`` when timers or signals cannot be set up.
  package func run() throws(SystemError) -> Int32 {
    StandardStream.ignoreBrokenPipes()
    let signals = try SignalDescriptor()
    let loop = try EventLoop()
    try loop.add(signals.raw, tag: Tag.signal)
    sink.interruption = signals.raw
    let timers = try TimerSet(program, in: loop)
    let events = try SessionEvents(program, directory: options.filesDirectory, in: loop)
    let watch = try watchTarget(in: loop)
    for descriptor in kernel?.wakeDescriptors ?? [] { try loop.add(wakeUpsOf: descriptor, tag: Tag.records) }
    // exit() and an error too many keep new probes from running, those that end the session apart.
    runProbes(while: { self.stop == nil }) { if case .begin(let order) = $0 { order } else { nil } }
    if stop == nil {
      let running = RunningTargets(target: target, command: options.command?.pid).hits(in: program)
      arming?.note()
      attach()
      kernel?.setState(.running)
      try timers.start()
      for hit in running where stop == nil {
        runLocked(probe: hit.probe, in: ProcessContext(hit.process, hit.site, context))
      }
      options.whenRunning()
      startCommand()
      serve(loop, signals, timers, events)
    }
    events.stop()
    _ = consume watch
    sink.interruption = nil
    signals.release()
    finish()
    return status
  }

  /// Lets the command of `-c` run; what waits for its program is armed before its first instruction.
  private func startCommand() {
    guard let command = options.command else { return }
    guard let kernel, kernel.waitsForExec else { return command.resume() }
    do {
      try ExecStop.hold(command.pid) {
        command.resume()
      } body: { () throws(KernelError) in
        try kernel.armAtExec()
      }
    } catch {
      command.resume()
      sink.report("ERROR: \(error)", as: .error("\(error)"))
      errorCount += 1
      end(.errors)
    }
  }

  private enum Tag {
    static let signal: UInt64 = 0
    static let target: UInt64 = 1
    static let records: UInt64 = 2
  }

  // MARK: The loop

  private func serve(
    _ loop: borrowing EventLoop,
    _ signals: borrowing SignalDescriptor,
    _ timers: TimerSet,
    _ events: SessionEvents
  ) {
    var pace = Pace(options)
    while stop == nil {
      let constant = events.constantTags
      for tag in loop.wait(timeoutMilliseconds: constant.isEmpty ? pause(pace) : 0) + constant {
        switch tag {
        case Tag.signal: if signals.next() != nil { end(.signal) }
        case Tag.target: end(.targetGone)
        case Tag.records: pace.wake()
        default:
          if let probe = timers.expired(tag) {
            runBesideTheKernel(probe)
          } else {
            _ = events.handle(tag, in: loop, run(probe:text:limit:))
          }
        }
      }
      if let isAsleep = pace.advance(records: drain()) { kernel?.setAsleep(isAsleep) }
      attach()
      sink.flush()
      if sink.failure != nil { end(.output) }
      commands.removeAll { $0.poll() != nil }
    }
  }

  private func pause(_ pace: Pace) -> Int {
    if kernel == nil { return -1 }
    return min(pace.pauseMilliseconds, arming?.pauseMilliseconds ?? .max)
  }

  /// Attaches probes whose conditions hold, detaches others.
  private func attach() {
    do throws(KernelError) { try arming?.advance() } catch { fail("\(error)") }
  }

  /// The first reason counts, unless hits before it have failed and that is only seen now: the process that they were
  /// in may be gone before their records are fetched.
  private func end(_ reason: StopReason) {
    let isFailure = reason == .errors || reason == .skipped
    let isWeaker = stop == .exit || stop == .signal || stop == .targetGone
    if stop == nil || isFailure && isWeaker && !runsLastProbes { stop = reason }
  }

  private func watchTarget(in loop: borrowing EventLoop) throws(SystemError) -> ProcessDescriptor? {
    guard let pid = target else { return nil }
    do {
      let process = try ProcessDescriptor(pid: pid)
      try loop.add(process.raw, tag: Tag.target)
      return process
    } catch  where error.isGone {
      end(.targetGone)
      return nil
    }
  }

  /// Shows records and obeys control records; gives how many items there were.
  @discardableResult private func drain() -> Int {
    guard let kernel else { return 0 }
    // Control first: a record that was sent before `exit()` is on its ring by now and still printed.
    var controls: [ControlMessage] = []
    kernel.drainControl { controls.append(ControlMessage($0)) }
    let count = kernel.drainData { item in
      // After `exit()` no hit does anything more.
      if hasRecordEndedSession { return }
      for fault in records.show(item) { report(fault) }
      for request in interpreter.takeRequests() {
        obey(request)
        if request == .exit || request == .abort { hasRecordEndedSession = true }
      }
    }
    records.finish()
    for control in controls { obey(control) }
    if !program.limits.ignoresErrors, kernel.skippedHits > UInt64(program.limits.maxSkipped) { end(.skipped) }
    return count
  }

  private func obey(_ control: ControlMessage) {
    switch control {
    case .exit, .abort: end(.exit)
    case .fault(let fault): report(fault)
    case .warning(let text): warn(text)
    case .system(let command): start(command)
    case .switchFile: sink.switchFile()
    // Looked at after each round anyway.
    case .conditionsChanged, .unknown: break
    }
  }

  // MARK: Probes of the user side

  /// Runs the probes that have an order, ascending, those of the same order as the script has them.
  private func runProbes(while goesOn: () -> Bool, ordered order: (Trigger) -> Int64?) {
    let chosen = program.probes.indices.compactMap { index in
      order(program.probes[index].trigger).map { (order: $0, index: index) }
    }
    for probe in chosen.sorted(by: { ($0.order, $0.index) < ($1.order, $1.index) }) {
      if !goesOn() { return }
      run(probe: probe.index)
    }
  }

  /// Runs a probe while kernel-side ones do.
  private func runLocked(probe index: Int, in context: any HitContext) {
    guard let kernel else { return run(probe: index, in: context) }
    guard kernel.lock(probe: index) else { return }
    run(probe: index, in: context)
    kernel.unlock(probe: index)
  }

  private func runBesideTheKernel(_ probe: Int) {
    // What hits before it have done to globals of the user side is still on the ring.
    if recordsTouchGlobals { drain() }
    context.enter(program.probes[probe])
    runLocked(probe: probe, in: context)
  }

  /// Runs the probe of an event, unless the session is over.
  private func run(probe: Int, text: ByteString, limit: Int) -> ByteString {
    guard stop == nil else { return text }
    context.eventTextLimit = limit
    context.eventText = text
    runBesideTheKernel(probe)
    return context.eventText
  }

  private func run(probe index: Int) {
    context.enter(program.probes[index])
    run(probe: index, in: context)
  }

  private func run(probe index: Int, in context: any HitContext) {
    do {
      try interpreter.run(probe: index, in: context)
    } catch {
      print(from: index)
      report(error)
    }
    arming?.note()
    print(from: index)
    for request in interpreter.takeRequests() { obey(request) }
  }

  private func obey(_ request: SessionRequest) {
    switch request {
    case .exit, .abort: end(.exit)
    case .warning(let text): warn(text)
    case .system(let command): start(command)
    case .switchFile: sink.switchFile()
    }
  }

  private func print(from index: Int) {
    guard !interpreter.output.isEmpty else { return }
    switch sink.format {
    case .text: sink.print(interpreter.output.bytes)
    case .json:
      let text = ByteString(interpreter.output.bytes)
      sink.write(.print(probe: program.probes[index].name, site: nil, text: text))
    }
    interpreter.clearOutput()
  }

  // MARK: Messages

  private func report(_ fault: ScriptFault) {
    errorCount += 1
    // Other CPUs may have failed before the first error stopped them: those are counted only.
    if stop == .errors || program.limits.ignoresErrors { return }
    show(error: texts.report(fault))
  }

  /// Reports an error of the session itself.
  private func fail(_ text: String) {
    errorCount += 1
    show(error: text)
  }

  private func show(error text: String) {
    sink.report("ERROR: \(text)", as: .error(text))
    if errorCount > program.limits.maxErrors { end(.errors) }
  }

  /// Warnings that come again and again are shown once, as SystemTap does.
  private func warn(_ text: ByteString) {
    guard !options.hidesWarnings, lastWarnings.count > 1024 || lastWarnings.insert(text).inserted else {
      return
    }
    let line = text.bytes.last == 10 ? ByteString(Array(text.bytes.dropLast())) : text
    sink.report("WARNING: \(line.text)", as: .warning(line.text))
  }

  private func start(_ command: ByteString) {
    sink.flush()
    do {
      commands.append(try ChildProcess(command.text))
    } catch {
      warn(ByteString("cannot run \(command.text): \(error.text)"))
    }
  }

  // MARK: The end

  private func finish() {
    kernel?.setState(.stopping)
    kernel?.detach()
    drain()
    runsLastProbes = true
    switch stop {
    case .output: break
    case .errors: runLast { if case .error(let order) = $0 { order } else { nil } }
    case .skipped:
      let text = "Skipped too many probes, check MAXSKIPPED."
      sink.report("ERROR: \(text)", as: .error(text))
      errorCount += 1
      runLast { if case .error(let order) = $0 { order } else { nil } }
    default: runLast { if case .end(let order) = $0 { order } else { nil } }
    }
    sink.flush()
    reportLosses()
    reportChild()
    if sink.format == .json {
      sink.write(.end(errors: errorCount, skipped: skipped, lost: lost, status: status))
    }
    sink.flush()
  }

  private func runLast(ordered order: (Trigger) -> Int64?) {
    runProbes(while: { self.stop != .output }, ordered: order)
  }

  private var skipped: UInt64 { kernel?.skippedHits ?? 0 }

  private var lost: UInt64 { kernel?.losses().reduce(0) { $0 &+ $1.count } ?? 0 }

  private func reportLosses() {
    for loss in kernel?.losses() ?? [] {
      let probe = program.probes.indices.contains(loss.probe) ? program.probes[loss.probe].name : "?"
      let advice = loss.reason.advice.map { " (\($0))" } ?? ""
      sink.report(
        "WARNING: probe \(probe): \(loss.count) \(loss.reason.text)\(advice)",
        as: .loss(loss, probe: probe)
      )
    }
    if errorCount > 0 || skipped > 0 {
      let text = "Number of errors: \(errorCount), skipped probes: \(skipped)"
      sink.report("WARNING: \(text)", as: .warning(text))
    }
  }

  private func reportChild() {
    guard stop == .targetGone, let command = options.command else { return }
    let text: String
    switch command.wait() {
    case .status(0): return
    case .status(let status): text = "Child process exited with status \(status)"
    case .signal(let signal): text = "Child process exited with signal \(signal)"
    }
    childFailed = true
    sink.report("WARNING: \(text)", as: .warning(text))
  }

  private var status: Int32 {
    if case .failed = sink.failure { return 3 }
    return (errorCount > 0 && !program.limits.ignoresErrors) || childFailed ? 1 : 0
  }
}
