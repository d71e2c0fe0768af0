import BPFObject
import Foundation
import KernelBridge
import TargetModel
import TestSupport
import Testing

/// What is left when the tracer dies: nothing.
@Suite(.tags(.kernel), .needs(.uprobeMulti), .timeLimit(.minutes(2)), .serialized) struct LifetimeTests {
  let scratch: ScratchDirectory

  init() throws { scratch = try ScratchDirectory() }

  /// Whether the first bytes of `function` in the running program are those of its file: no breakpoint there.
  private func isClean(_ victim: Victim, _ function: String) throws -> Bool {
    let offset = try victim.site(function).offset.raw
    func bytes(_ path: String, _ place: UInt64) throws -> Data? {
      let file = try #require(FileHandle(forReadingAtPath: path))
      try file.seek(toOffset: place)
      return try file.read(upToCount: 4)
    }
    return try bytes("/proc/\(victim.pid)/mem", offset + 0x400000) == bytes(victim.path, offset)
  }

  @Test("SIGKILL of the tracer leaves the program running, without breakpoints and without links")
  func killed() throws {
    let victim = try Victim(in: scratch)
    // Until it has answered once it may not have come to its own code, and its memory is not yet there.
    try victim.work(1)
    #expect(try isClean(victim, "f"))
    for _ in 0..<5 {
      let tracer = try startTracer(victim)
      #expect(try !isClean(victim, "f"))
      try victim.work(5)
      kill(tracer, SIGKILL)
      var status: Int32 = 0
      waitpid(tracer, &status, 0)
      // Links go when the kernel has closed the dead process's files, which may be a little later.
      for _ in 0..<200 where try !isClean(victim, "f") { usleep(10_000) }
      #expect(try isClean(victim, "f"))
      try victim.work(5)
      #expect(victim.isRunning)
    }
  }

  /// Attaches in a process of its own, which then waits to be killed.
  ///
  /// It is a copy of this process made by fork(2). Another test's thread may have held a lock of the Swift runtime
  /// at that moment, which nobody opens in the copy: one that is not ready in time is killed and made again.
  private func startTracer(_ victim: Victim) throws -> Int32 {
    let blueprint = try countingProgram(.uprobeMulti(isReturn: false))
    let site = try victim.site("f")
    for _ in 0..<10 {
      let output = Pipe()
      let tracer = startTracer(blueprint, site, output)
      var entry = pollfd(fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
      if poll(&entry, 1, 3000) == 1 { return tracer }
      kill(tracer, SIGKILL)
      waitpid(tracer, nil, 0)
    }
    throw CommandFailure(command: "fork", output: "no copy of this process became ready")
  }

  private func startTracer(_ blueprint: ModuleBlueprint, _ site: AttachSite, _ output: Pipe) -> Int32 {
    let session = KernelSession(tracefs: nil)
    let process = forkProcess()
    guard process == 0 else { return process }
    do {
      let module = try session.load(blueprint)
      let attachment = try session.attach(module.program("count"), sites: [site])
      try output.fileHandleForWriting.write(contentsOf: [65])
      while attachment.linkCount > 0 { pause() }
    } catch {}
    _exit(1)
  }

  @Test("10,000 sites attach in a second and detach in a second")
  func manySites() throws {
    let count = 10_000
    let many = """
      __asm__(".text\\n.globl many\\n.p2align 4\\nmany:\\n"
              ".rept \(count)\\npush %rbp\\npop %rbp\\nret\\n.p2align 4\\n.endr\\n");
      """
    let victim = try Victim(in: scratch, functions: Victim.standard + "\n" + many)
    let first = try victim.site("many").offset.raw
    let sites = (0..<UInt64(count)).map {
      AttachSite(path: victim.path, offset: FileOffset(first + 16 * $0), cookie: $0)
    }
    let session = KernelSession()
    let module = try session.load(countingProgram(.uprobeMulti(isReturn: false)))
    let clock = ContinuousClock()
    let program = try module.program("count")
    var attaching = Duration.zero
    let whole = try clock.measure {
      let start = clock.now
      let attachment = try session.attach(program, sites: sites)
      attaching = clock.now - start
      #expect(attachment.linkCount == 1)
    }
    print("10,000 sites: attach \(attaching), detach \(whole - attaching)")
    #expect(attaching < .seconds(1))
    #expect(whole - attaching < .seconds(1))
  }
}

/// fork(2), which Swift hides: the child may only make system calls that need no lock of the parent's threads.
private func forkProcess() -> Int32 {
  typealias Fork = @convention(c) () -> Int32
  let symbol = dlsym(UnsafeMutableRawPointer(bitPattern: 0), "fork")
  return unsafeBitCast(symbol, to: Fork.self)()
}
