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
      session.whenRunning = { [reporter] in reporter.say("Pass 5: starting run") }
      let pid = session.command?.pid ?? target.pid
      let side = try module.map { module throws(KernelError) in
        try reporter.pass(4) { () throws(KernelError) in
          try KernelSideLoader(kernel: kernel, program: program, module: module, target: pid).load()
        } saying: { _ in
          "loaded and attached"
        }
      }
      // Megabytes, and from here on nobody asks.
      kernel.types.forget()
      let status = try TraceSession(program, kernel: side, options: session).run()
      if status != 0 { throw ExitCode(status) }
    } catch let error as KernelError {
      report(error)
      throw ExitCode(Status.systemError.rawValue)
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

  private mutating func report(_ error: KernelError) {
    guard case .verifier(let failure) = error else { return reporter.fail("system", "\(error)") }
    reporter.fail("verifier", "\(error)", notes: reporter.options.verbosity > 0 ? [failure.log] : [])
  }
}
