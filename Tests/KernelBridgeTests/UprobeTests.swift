import BPFObject
import Glibc
import KernelBridge
import Platform
import TargetModel
import TestSupport
import Testing

@Suite(.tags(.kernel), .timeLimit(.minutes(1)), .serialized) struct UprobeTests {
  let scratch: ScratchDirectory
  let session = KernelSession()

  init() throws { scratch = try ScratchDirectory() }

  /// Another test may be starting a program at this moment: until its exec(2) the child has copies of all descriptors, and
  /// what those hold in the kernel stays attached.
  private func letSpawnsEnd() { usleep(100_000) }

  @Test("uprobe_multi: cookies tell the sites apart, detaching stops the counts", .needs(.uprobeMulti))
  func cookies() throws {
    let victim = try Victim(in: scratch)
    let module = try session.load(countingProgram(.uprobeMulti(isReturn: false)))
    let counts = try MappedArray(module.map("counts"))
    do {
      let sites = [try victim.site("f", cookie: 1), try victim.site("g", cookie: 2)]
      let attachment = try session.attach(module.program("count"), sites: sites)
      #expect(attachment.linkCount == 1)
      try victim.work(10)
    }
    letSpawnsEnd()
    try victim.work(5)
    #expect((0..<4).map { counts.loadCounter($0) } == [0, 10, 10, 0])
  }

  @Test("a tracer's mapping of a file stays as it is while the file is probed", .needs(.uprobeMulti))
  func ownMapping() throws {
    let victim = try Victim(in: scratch)
    let offset = try #require(victim.offsets["f"].flatMap { Int(exactly: $0) })
    let file = try SharedBytes(mapping: victim.path)
    let before = file.span.load(at: offset, as: UInt8.self)
    let module = try session.load(countingProgram(.uprobeMulti(isReturn: false)))
    let attachment = try session.attach(module.program("count"), sites: [victim.site("f")])
    #expect(file.span.load(at: offset, as: UInt8.self) == before)
    try victim.work(2)
    #expect(try module.map("counts").get(UInt32(0), as: UInt64.self) == 2)
    #expect(attachment.linkCount == 1)
  }

  @Test("uprobe_multi: return probes and programs in two files", .needs(.uprobeMulti))
  func returns() throws {
    let victims = [try Victim(in: scratch), try Victim(in: scratch)]
    let module = try session.load(countingProgram(.uprobeMulti(isReturn: true)))
    let sites = [try victims[0].site("f", cookie: 3), try victims[1].site("g", cookie: 4)]
    let attachment = try session.attach(module.program("count"), sites: sites)
    #expect(attachment.linkCount == 2)
    try victims[0].work(3)
    try victims[1].work(4)
    let counts = try module.map("counts")
    #expect(try counts.get(UInt32(3), as: UInt64.self) == 3)
    #expect(try counts.get(UInt32(4), as: UInt64.self) == 4)
  }

  @Test("uprobe_multi: a process filter leaves others alone", .needs(.uprobeMulti))
  func processFilter() throws {
    let victim = try Victim(in: scratch)
    let module = try session.load(countingProgram(.uprobeMulti(isReturn: false)))
    let attachment = try session.attach(module.program("count"), sites: [victim.site("f")], pid: getpid())
    try victim.work(7)
    #expect(try module.map("counts").get(UInt32(0), as: UInt64.self) == 0)
    let other = try session.attach(module.program("count"), sites: [victim.site("f")], pid: victim.pid)
    try victim.work(7)
    #expect(try module.map("counts").get(UInt32(0), as: UInt64.self) == 7)
    _ = (attachment.linkCount, other.linkCount)
  }

  @Test("sessions run at entry and at return, with the cookie", .needs(.uprobeSession))
  func sessions() throws {
    let victim = try Victim(in: scratch)
    let module = try session.load(countingProgram(.uprobeSession))
    let attachment = try session.attach(module.program("count"), sites: [victim.site("g", cookie: 5)])
    try victim.work(6)
    #expect(try module.map("counts").get(UInt32(5), as: UInt64.self) == 12)
    #expect(attachment.linkCount == 1)
  }

  @Test("perf events: the way without tracefs", .needs(.uprobe))
  func perfEvents() throws {
    let old = KernelSession(tracefs: nil)
    let victim = try Victim(in: scratch)
    let module = try old.load(countingProgram(.uprobe(isReturn: false)))
    do {
      let sites = [try victim.site("f", cookie: 1), try victim.site("g", cookie: 2)]
      let attachment = try old.attach(module.program("count"), sites: sites)
      #expect(attachment.linkCount == 2)
      try victim.work(10)
    }
    letSpawnsEnd()
    try victim.work(5)
    #expect(try module.map("counts").get(UInt32(1), as: UInt64.self) == 10)
    #expect(try module.map("counts").get(UInt32(2), as: UInt64.self) == 10)
  }

  @Test("tracefs: siblings share an event, which is gone afterwards", .needs(.uprobe))
  func siblings() throws {
    let mount = try TracefsMount()
    let old = KernelSession(tracefs: Tracefs(path: mount.path))
    let victim = try Victim(in: scratch)
    let module = try old.load(countingProgram(.uprobe(isReturn: false)))
    do {
      let sites = [try victim.site("f", cookie: 6), try victim.site("g", cookie: 6)]
      let attachment = try old.attach(module.program("count"), sites: sites)
      #expect(attachment.linkCount == 1)
      try victim.work(10)
      #expect(try mount.events().contains("utrace/p\(getpid())_"))
    }
    letSpawnsEnd()
    try victim.work(5)
    #expect(try module.map("counts").get(UInt32(6), as: UInt64.self) == 20)
    #expect(try !mount.events().contains("utrace/p\(getpid())_"))
  }

  @Test("tracefs: events of dead processes are removed by the next session", .needs(.uprobe))
  func staleEvents() throws {
    let mount = try TracefsMount()
    let victim = try Victim(in: scratch)
    let offset = String(try victim.site("f").offset.raw, radix: 16)
    try mount.define("p:utrace/p999999999_1 \(victim.path):0x\(offset)")
    #expect(try mount.events().contains("p999999999_1"))
    _ = KernelSession(tracefs: Tracefs(path: mount.path))
    #expect(try !mount.events().contains("p999999999_1"))
  }

  @Test("a refused site leaves nothing attached", .needs(.uprobeMulti))
  func refusal() throws {
    let victim = try Victim(in: scratch)
    let module = try session.load(countingProgram(.uprobeMulti(isReturn: false)))
    let missing = AttachSite(path: "/nonexistent", offset: FileOffset(0), cookie: 0)
    #expect(throws: KernelError.self) {
      _ = try session.attach(module.program("count"), sites: [victim.site("f"), missing])
    }
    try victim.work(3)
    #expect(try module.map("counts").get(UInt32(0), as: UInt64.self) == 0)
  }

  @Test("no descriptor outlives its owner", .needs(.uprobeMulti))
  func descriptors() throws {
    let victim = try Victim(in: scratch)
    // Other tests run at the same time in this process: ours is the only array of 7,919 elements.
    var blueprint = try countingProgram(.uprobeMulti(isReturn: false))
    blueprint.maps[0].maxEntries = 7919
    let program: String
    do {
      let module = try session.load(blueprint)
      let attachment = try session.attach(module.program("count"), sites: [victim.site("f")])
      #expect(attachment.linkCount == 1)
      #expect(try descriptorDetails().filter { $0.contains("max_entries:\t7919\n") }.count == 1)
      program = "prog_id:\t\(try #require(module.program("count").kernelID))\n"
      #expect(try descriptorDetails().filter { $0.contains(program) }.count == 2)
    }
    #expect(try !descriptorDetails().contains { $0.contains(program) || $0.contains("max_entries:\t7919\n") })
  }
}
