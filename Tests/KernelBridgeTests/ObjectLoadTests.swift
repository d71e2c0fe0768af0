import BPFObject
import Foundation
import KernelBridge
import Platform
import TestSupport
import Testing

@Suite(.tags(.kernel), .needs(.loadPrograms, .rawTracepoint), .timeLimit(.minutes(1)))
struct ObjectLoadTests {
  /// A map in `.maps`, one in `.data`, task storage, a program array, a callback and a kfunc.
  private func blueprint() throws -> ModuleBlueprint {
    let hits = MapSpec(name: "hits", kind: .hash, keyByteCount: 8, valueByteCount: 8, maxEntries: 16)
    let globals = MapSpec.array("globals", valueByteCount: 8, count: 1, flags: .mappable, contents: [40])
    var next = MapSpec(name: "next", kind: .programArray, keyByteCount: 4, valueByteCount: 4, maxEntries: 4)
    next.programs = [2: "second"]
    var first = Assembler(program: "first")
    let callback = first.makeFunction("callback")
    first.position = SourcePosition(file: 0, line: 1, column: 1)
    first.emit(.move(.r6, .r1))
    first.emit(.move(.r1, 2))
    first.loadFunction(.r2, callback)
    first.emit(.move(.r3, 0))
    first.emit(.move(.r4, 0))
    first.call(.loop)
    first.emit(.move(.r1, .r6))
    first.loadMap(.r2, next.reference)
    first.emit(.move(.r3, 2))
    first.call(.tailCall)
    first.emit(.move(.r0, 0))
    first.emit(.exit)
    first.begin(callback)
    first.emit(.store(.double, .r10, -8, immediate: 3))
    first.emit(.store(.double, .r10, -16, immediate: 4))
    first.loadMap(.r1, hits.reference)
    first.emit(.move(.r2, .r10))
    first.emit(.arithmetic(.add, .r2, -8))
    first.emit(.move(.r3, .r10))
    first.emit(.arithmetic(.add, .r3, -16))
    first.emit(.move(.r4, 0))
    first.call(.mapUpdateElement)
    first.emit(.move(.r0, 0))
    first.emit(.exit)
    var second = Assembler(program: "second")
    second.call(kernelFunction: "bpf_preempt_disable")
    second.loadMapValue(.r1, globals.reference)
    second.emit(.load(.double, .r6, .r1, 0))
    second.emit(.arithmetic(.add, .r6, 2))
    second.call(kernelFunction: "bpf_preempt_enable")
    second.emit(.move(.r0, .r6))
    second.emit(.exit)
    let kind = ProgramKind.rawTracepoint("sched_switch")
    return ModuleBlueprint(
      maps: [hits, globals, next, .taskStorage("scratch", byteCount: 64)],
      programs: [
        ProgramSpec(name: "first", kind: kind, code: try first.finish()),
        ProgramSpec(name: "second", kind: kind, code: try second.finish()),
      ],
      sources: [SourceFile(name: "script.stp", text: "probe p { }\n")],
      userSection: [1]
    )
  }

  @Test("bpftool loads what we write", .needs(.loop, .preemptDisable, .taskStorage))
  func bpftool() throws {
    let found = try run("sh", ["-c", "command -v bpftool || ls /usr/sbin/bpftool"])
    if found.status != 0 { try Test.cancel("needs bpftool") }
    let scratch = try ScratchDirectory()
    let mount = try BPFMount()
    let path = scratch.path + "/module.o"
    try Data(ObjectFile.encode(try blueprint())).write(to: URL(fileURLWithPath: path))
    let tool = found.output.split(separator: "\n").first.map(String.init) ?? "bpftool"
    let result = try run(tool, ["-d", "prog", "loadall", path, mount.path + "/module"])
    #expect(result.status == 0, "\(result.output.suffix(3000))")
    let dump = try run(tool, ["prog", "dump", "xlated", "pinned", mount.path + "/module/first"])
    #expect(dump.output.contains("script.stp") || dump.output.contains("probe p"), "\(dump.output)")
  }

  @Test("a module read back from its object file runs like the original", .needs(.loop, .preemptDisable))
  func readBack() throws {
    let session = KernelSession()
    let original = try blueprint()
    let copy = try ObjectFile.decode(SharedBytes(ObjectFile.encode(original)), path: "m.o")
    for blueprint in [original, copy] {
      let module = try session.load(blueprint)
      #expect(try module.program("first").run() == 42)
      #expect(try module.map("hits").get(UInt64(3), as: UInt64.self) == 4)
    }
  }
}

/// A bpffs mounted for one test: bpftool can only load what it can pin.
private final class BPFMount {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/utrace-bpffs-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let result = try run("mount", ["-t", "bpf", "bpf", path])
    guard result.status == 0 else { throw CommandFailure(command: "mount", output: result.output) }
  }

  deinit {
    _ = try? run("umount", [path])
    rmdir(path)
  }
}
