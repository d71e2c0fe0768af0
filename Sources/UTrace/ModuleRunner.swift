import ArgumentParser
import BPFBackend
import KernelBridge
import Platform
import TraceIR
import TraceRuntime

/// Passes 4 and 5: brings a translated script into the kernel and runs it until it ends.
struct ModuleRunner {
  let environment: Environment
  let kernel: KernelSession
  var reporter: Reporter

  /// Runs `program` with its kernel-side half `module`, if it has one.
  mutating func run(
    _ program: TraceProgram,
    _ module: BPFModule?,
    _ target: TargetSelection,
    output: String?
  ) throws {
    do {
      var session = SessionOptions(sink: try sink(output), environment: environment)
      session.hidesWarnings = reporter.options.hidesWarnings
      session.command = try target.command.map { command throws(SystemError) in
        try ChildProcess(command, isSuspended: true)
      }
      session.target = target.pid
      session.kernelMemory = KernelMemory(kernel)
      session.whenRunning = { [reporter] in reporter.say("Pass 5: starting run") }
      let command = session.command
      let pid = command?.pid ?? target.pid
      let side = try module.map { module throws(KernelError) in
        try reporter.pass(4) { () throws(KernelError) in
          try KernelSideLoader(
            kernel: kernel,
            program: program,
            module: module,
            target: pid,
            command: command
          ).load()
        } saying: { _, nanoseconds in
          "loaded (verifier: \(milliseconds(nanoseconds))) and attached"
        }.side
      }
      // Megabytes, and from here on nobody asks.
      kernel.types.forget()
      let status = try TraceSession(program, kernel: side, options: session).run()
      if status != 0 { throw ExitCode(status) }
    } catch KernelError.gone(let pid) {
      reporter.fail("no-such-process", "\(KernelError.gone(pid: pid))")
      throw ExitCode(Status.scriptError.rawValue)
    } catch let error as KernelError {
      throw report(error, program, module)
    } catch let error as SystemError {
      reporter.fail("system", "\(error)")
      throw ExitCode(Status.systemError.rawValue)
    }
  }

  private func sink(_ output: String?) throws(SystemError) -> OutputSink {
    let format: OutputSink.Format = reporter.options.json ? .json : .text
    if let output { return try OutputSink.file(output, format) }
    return try OutputSink.standardOutput(format)
  }

  /// Says what is the matter; gives how to leave.
  private mutating func report(
    _ error: KernelError,
    _ program: TraceProgram,
    _ module: BPFModule?
  ) -> ExitCode {
    guard case .verifier(let failure) = error else {
      reporter.fail("system", "\(error)")
      return ExitCode(Status.systemError.rawValue)
    }
    let log = reporter.options.verbosity > 0 ? [failure.log] : []
    guard failure.isTooLarge else {
      reporter.fail("verifier", "\(error)", notes: log)
      return ExitCode(Status.systemError.rawValue)
    }
    let probe = module?.probe(ofProgram: failure.program).map { "probe \(program.probes[$0].name)" }
    let what = "\(probe ?? "a probe") is too large for the kernel's verifier"
    reporter.fail(
      "too-large",
      failure.busiestPlace.map { "\($0): \(what), which was busy here most of the time" }
        ?? "\(what): \(failure.tellingLines.last ?? "it does not say why")",
      notes: [
        "shorter loops and chains of conditions help, and dividing the probe into several of the same point",
        "'end' and 'timer' probes run outside the kernel: they may be of any size",
      ] + log
    )
    return ExitCode(Status.scriptError.rawValue)
  }
}
