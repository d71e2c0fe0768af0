import BPFObject
import BTF
import Glibc
import KernelBridge
import TargetModel
import TestSupport
import Testing

@Suite(.tags(.kernel), .needs(.loadPrograms), .timeLimit(.minutes(1)), .serialized) struct LoaderTests {
  let session = KernelSession()

  private func module(
    _ kind: ProgramKind = .syscall,
    maps: [MapSpec] = [],
    _ write: (inout Assembler) -> Void
  ) throws -> ModuleBlueprint {
    var code = Assembler(program: "main")
    write(&code)
    let sources = [SourceFile(name: "a.stp", text: "one\n  two bad\nthree\n")]
    let program = ProgramSpec(name: "main", kind: kind, code: try code.finish())
    return ModuleBlueprint(maps: maps, programs: [program], sources: sources)
  }

  @Test("subprograms and callbacks: bpf_loop adds up", .needs(.loop))
  func callbacks() throws {
    let sum = MapSpec.array("sum", valueByteCount: 8, count: 1, contents: [5])
    let blueprint = try module(maps: [sum]) { code in
      let body = code.makeFunction("body")
      let double = code.makeFunction("double")
      code.emit(.move(.r1, 10))
      code.loadFunction(.r2, body)
      code.emit(.move(.r3, 0))
      code.emit(.move(.r4, 0))
      code.call(.loop)
      code.emit(.exit)
      code.begin(body)
      code.call(double)
      code.loadMapValue(.r1, sum.reference)
      code.emit(.atomic(.add, .double, .r1, 0, .r0))
      code.emit(.move(.r0, 0))
      code.emit(.exit)
      code.begin(double)
      code.emit(.move(.r0, .r1))
      code.emit(.arithmetic(.add, .r0, .r0))
      code.emit(.exit)
    }
    let module = try session.load(blueprint)
    #expect(try module.program("main").run() == 10)
    #expect(try module.map("sum").get(UInt32(0), as: UInt64.self) == 5 + 90)
  }

  @Test("global functions are verified by their parameters")
  func globalFunctions() throws {
    let blueprint = try module { code in
      let read = code.makeFunction("read", linkage: .global([.memory(byteCount: 8), .scalar]))
      let null = code.makeLabel()
      code.emit(.store(.double, .r10, -8, immediate: 40))
      code.emit(.move(.r1, .r10))
      code.emit(.arithmetic(.add, .r1, -8))
      code.emit(.move(.r2, 2))
      code.call(read)
      code.emit(.exit)
      code.begin(read)
      code.emit(.move(.r0, 0))
      code.jump(if: .equal, .r1, 0, to: null)
      code.emit(.load(.double, .r0, .r1, 0))
      code.emit(.arithmetic(.add, .r0, .r2))
      code.place(null)
      code.emit(.exit)
    }
    let module = try session.load(blueprint)
    #expect(try module.program("main").run() == 42)
  }

  @Test("tail calls go through program arrays")
  func tailCalls() throws {
    var blueprint = try module(.rawTracepoint("sched_switch")) { code in
      code.loadMap(.r2, MapReference("next"))
      code.emit(.move(.r3, 3))
      code.call(.tailCall)
      code.emit(.move(.r0, 1))
      code.emit(.exit)
    }
    var other = Assembler(program: "other")
    other.emit(.move(.r0, 7))
    other.emit(.exit)
    let spec = ProgramSpec(name: "other", kind: .rawTracepoint("sched_switch"), code: try other.finish())
    blueprint.programs.append(spec)
    blueprint.maps = [
      MapSpec(
        name: "next",
        kind: .programArray,
        keyByteCount: 4,
        valueByteCount: 4,
        maxEntries: 4,
        programs: [3: "other"]
      )
    ]
    let module = try session.load(blueprint)
    #expect(try module.program("main").run() == 7)
  }

  @Test("task storage and kfuncs load", .needs(.taskStorage, .preemptDisable))
  func taskStorage() throws {
    let storage = MapSpec.taskStorage("scratch", byteCount: 2000)
    let blueprint = try module(.uprobe(isReturn: false), maps: [storage]) { code in
      let end = code.makeLabel()
      code.call(kernelFunction: "bpf_preempt_disable")
      code.call(kernelFunction: "bpf_preempt_enable")
      code.call(.getCurrentTaskBTF)
      code.loadMap(.r1, storage.reference)
      code.emit(.move(.r2, .r0))
      code.emit(.move(.r3, 0))
      code.emit(.move(.r4, 1))
      code.call(.taskStorageGet)
      code.jump(if: .equal, .r0, 0, to: end)
      code.emit(.store(.double, .r0, 1992, immediate: 1))
      code.place(end)
      code.emit(.move(.r0, 0))
      code.emit(.exit)
    }
    _ = try session.load(blueprint)
  }

  @Test("a verifier failure names the script's line and the complaint")
  func verifierFailure() throws {
    let blueprint = try module { code in
      code.position = SourcePosition(file: 0, line: 1, column: 1)
      code.emit(.move(.r0, 0))
      code.position = SourcePosition(file: 0, line: 2, column: 3)
      code.emit(.load(.double, .r0, .r0, 0))
      code.position = SourcePosition(file: 0, line: 3, column: 1)
      code.emit(.exit)
    }
    do throws(KernelError) {
      _ = try session.load(blueprint)
      Issue.record("it loaded")
    } catch .verifier(let failure) {
      #expect(failure.position == SourcePosition(file: 0, line: 2, column: 3))
      #expect(failure.sourceLine == "two bad")
      #expect(failure.tellingLines.last == "R0 invalid mem access 'scalar'")
      #expect(failure.description.contains("a.stp:2:3"))
    } catch { Issue.record("\(error)") }
  }

  @Test("references to what is not there are errors of ours, not of the kernel")
  func missingNames() throws {
    let noMap = try module { code in
      code.loadMap(.r1, MapReference("ghost"))
      code.emit(.exit)
    }
    let noFunction = try module { code in
      code.call(kernelFunction: "bpf_ghost")
      code.emit(.exit)
    }
    for blueprint in [noMap, noFunction] {
      do throws(KernelError) {
        _ = try session.load(blueprint)
        Issue.record("it loaded")
      } catch .invalid(let text) {
        #expect(text.contains("ghost"))
      } catch { Issue.record("\(error)") }
    }
  }

  @Test("tracepoints: raw, typed and perf count scheduler switches", .needs(.rawTracepoint, .btfTracepoint))
  func tracepoints() throws {
    let mount = try TracefsMount()
    let session = KernelSession(tracefs: Tracefs(path: mount.path))
    let kinds: [ProgramKind] = [
      .rawTracepoint("sched_switch"), .btfTracepoint("sched_switch"),
      .tracepoint(category: "sched", name: "sched_switch"),
    ]
    for kind in kinds {
      let counts = MapSpec.array("counts", valueByteCount: 8, count: 1)
      let module = try session.load(
        module(kind, maps: [counts]) { code in
          code.loadMapValue(.r1, counts.reference)
          code.emit(.move(.r2, 1))
          code.emit(.atomic(.add, .double, .r1, 0, .r2))
          code.emit(.move(.r0, 0))
          code.emit(.exit)
        }
      )
      let attachment = try session.attach(module.program("main"))
      usleep(20_000)
      #expect(try module.map("counts").get(UInt32(0), as: UInt64.self) ?? 0 > 0)
      #expect(attachment.linkCount == 1)
    }
  }

  @Test("the cpu-clock samples this process while it computes", .needs(.cpuClock))
  func sampling() throws {
    let counts = MapSpec.array("counts", valueByteCount: 8, count: 1)
    let module = try session.load(
      module(.perfEvent, maps: [counts]) { code in
        code.loadMapValue(.r1, counts.reference)
        code.emit(.move(.r2, 1))
        code.emit(.atomic(.add, .double, .r1, 0, .r2))
        code.emit(.move(.r0, 0))
        code.emit(.exit)
      }
    )
    let attachment = try session.sample(module.program("main"), frequencyHertz: 999)
    let start = ContinuousClock.now
    while ContinuousClock.now - start < .milliseconds(100) {}
    #expect(try module.map("counts").get(UInt32(0), as: UInt64.self) ?? 0 > 20)
    #expect(attachment.linkCount >= 1)
  }
}
