import BPFObject
import KernelBridge
import TargetModel
import TestSupport
import Testing

@Suite(.tags(.kernel), .needs(.ringBuffer), .timeLimit(.minutes(1)), .serialized) struct RingBufferTests {
  let session = KernelSession()

  /// Writes its first two arguments to the ring that the third names, without waking anybody; counts losses.
  private func recorder(ringByteCount: Int) throws -> ModuleBlueprint {
    let data = MapSpec.ringBuffer("data", byteCount: ringByteCount)
    let control = MapSpec.ringBuffer("control", byteCount: 4096)
    let lost = MapSpec.array("lost", valueByteCount: 8, count: 1, flags: .mappable)
    var code = Assembler(program: "record")
    let second = code.makeLabel()
    let reserved = code.makeLabel()
    let failed = code.makeLabel()
    code.emit(.move(.r6, .r1))
    code.emit(.load(.double, .r2, .r6, 16))
    code.jump(if: .notEqual, .r2, 0, to: second)
    code.loadMap(.r1, data.reference)
    code.jump(to: reserved)
    code.place(second)
    code.loadMap(.r1, control.reference)
    code.place(reserved)
    code.emit(.move(.r2, 24))
    code.emit(.move(.r3, 0))
    code.call(.ringbufReserve)
    code.jump(if: .equal, .r0, 0, to: failed)
    code.emit(.load(.double, .r1, .r6, 0))
    code.emit(.store(.double, .r0, 0, .r1))
    code.emit(.load(.double, .r1, .r6, 8))
    code.emit(.store(.double, .r0, 8, .r1))
    code.emit(.move(.r1, .r0))
    code.emit(.move(.r2, 1))
    code.call(.ringbufSubmit)
    code.emit(.move(.r0, 0))
    code.emit(.exit)
    code.place(failed)
    code.loadMapValue(.r1, lost.reference)
    code.emit(.move(.r2, 1))
    code.emit(.atomic(.add, .double, .r1, 0, .r2))
    code.emit(.move(.r0, 1))
    code.emit(.exit)
    let program = ProgramSpec(name: "record", kind: .rawTracepoint("sched_switch"), code: try code.finish())
    return ModuleBlueprint(maps: [data, control, lost], programs: [program])
  }

  @Test("records of two rings come out in order, without a wake-up")
  func drains() throws {
    let module = try session.load(recorder(ringByteCount: 1 << 16))
    let program = try module.program("record")
    var data = try RingBuffer(module.map("data"))
    var control = try RingBuffer(module.map("control"))
    #expect(data.drain { _ in } == 0)
    for number in 0..<1000 as Range<UInt64> {
      try program.run([number, number * 2, number % 10 == 0 ? 1 : 0])
    }
    #expect(data.pendingByteCount == 900 * 32)
    var seen: [UInt64] = []
    let count = data.drain { record in
      #expect(record.byteCount == 24)
      seen.append(record.unsafeLoad(as: UInt64.self))
    }
    #expect(count == 900)
    #expect(seen == (0..<1000).filter { $0 % 10 != 0 })
    #expect(control.drain(atMost: 60) { _ in } == 60)
    #expect(control.drain { _ in } == 40)
    #expect(control.pendingByteCount == 0)
  }

  @Test("a full ring loses, the losses are counted, and draining makes room")
  func losses() throws {
    let module = try session.load(recorder(ringByteCount: 4096))
    let program = try module.program("record")
    var ring = try RingBuffer(module.map("data"))
    let lost = try MappedArray(module.map("lost"))
    var drained = 0
    for round in 1...5 {
      for number in 0..<300 as Range<UInt64> { try program.run([number, 0, 0]) }
      drained += ring.drain { _ in }
      #expect(drained + Int(lost.loadCounter(0)) == 300 * round)
    }
    #expect(lost.loadCounter(0) > 0)
  }

  @Test("a round ends when the reader throws; the record that made it throw is gone")
  func throwing() throws {
    struct Stop: Error {}
    let module = try session.load(recorder(ringByteCount: 4096))
    for number in 0..<3 as Range<UInt64> { try module.program("record").run([number, 0, 0]) }
    var ring = try RingBuffer(module.map("data"))
    #expect(throws: Stop.self) { try ring.drain { _ in throw Stop() } }
    #expect(ring.drain { _ in } == 2)
  }

  @Test("what comes from another thread while we read is neither lost nor doubled")
  func concurrent() async throws {
    let module = try session.load(recorder(ringByteCount: 1 << 14))
    let program = try module.program("record")
    let lost = try MappedArray(module.map("lost"))
    var ring = try RingBuffer(module.map("data"))
    async let writer: Void = Task.detached {
      for number in 0..<20_000 as Range<UInt64> { try program.run([number, 0, 0]) }
    }.value
    var next: UInt64 = 0
    var count = 0
    while count + Int(lost.loadCounter(0)) < 20_000 {
      count += ring.drain { record in
        let number = record.unsafeLoad(as: UInt64.self)
        #expect(number >= next)
        next = number + 1
      }
    }
    try await writer
    count += ring.drain { _ in }
    #expect(count + Int(lost.loadCounter(0)) == 20_000)
  }
}
