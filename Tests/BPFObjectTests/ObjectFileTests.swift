import BPFObject
import ELF
import Foundation
import Platform
import TestSupport
import Testing

@Suite struct ObjectFileTests {
  /// Two programs with everything that an object can hold.
  private func example() throws -> ModuleBlueprint {
    let hits = MapSpec(name: "hits", kind: .hash, keyByteCount: 8, valueByteCount: 24, maxEntries: 1024)
    let contents = Array(1...16) as [UInt8]
    let globals = MapSpec.array("globals", valueByteCount: 16, count: 1, flags: .mappable, contents: contents)
    let table = MapSpec.array("table", valueByteCount: 4, count: 3, contents: [9, 0, 0, 0, 8, 0, 0, 0])
    let events = MapSpec.ringBuffer("events", byteCount: 4096)
    let scratch = MapSpec.taskStorage("scratch", byteCount: 100)
    var next = MapSpec(name: "next", kind: .programArray, keyByteCount: 4, valueByteCount: 4, maxEntries: 4)
    next.programs = [2: "second"]
    var first = Assembler(program: "first")
    let callback = first.makeFunction("callback")
    let helper = first.makeFunction("helper", linkage: .global([.scalar, .memory(byteCount: 8)]))
    first.position = SourcePosition(file: 0, line: 1, column: 7)
    first.emit(.store(.double, .r10, -8, immediate: 3))
    first.loadMap(.r1, hits.reference)
    first.emit(.move(.r2, .r10))
    first.emit(.arithmetic(.add, .r2, -8))
    first.call(.mapLookupElement)
    first.loadMapValue(.r1, globals.reference, offset: 8)
    first.emit(.move(.r2, 1))
    first.emit(.atomic(.add, .double, .r1, 0, .r2))
    first.emit(.move(.r1, 4))
    first.loadFunction(.r2, callback)
    first.emit(.move(.r3, 0))
    first.emit(.move(.r4, 0))
    first.call(.loop)
    first.position = SourcePosition(file: 0, line: 2, column: 1)
    first.emit(.move(.r1, 1))
    first.emit(.move(.r2, .r10))
    first.emit(.arithmetic(.add, .r2, -8))
    first.call(helper)
    first.emit(.move(.r0, 0))
    first.emit(.exit)
    first.begin(callback)
    first.position = SourcePosition(file: 0, line: 2, column: 3)
    first.emit(.store(.double, .r10, -8, immediate: 3))
    first.emit(.move(.r1, 1))
    first.emit(.move(.r2, .r10))
    first.emit(.arithmetic(.add, .r2, -8))
    first.call(helper)
    first.emit(.move(.r0, 0))
    first.emit(.exit)
    first.begin(helper)
    first.emit(.move(.r0, .r1))
    first.emit(.exit)
    var second = Assembler(program: "second")
    second.call(kernelFunction: "bpf_preempt_disable")
    second.call(kernelFunction: "bpf_preempt_enable")
    second.emit(.move(.r0, 0))
    second.emit(.exit)
    let switches = ProgramKind.rawTracepoint("sched_switch")
    return ModuleBlueprint(
      maps: [hits, globals, table, events, scratch, next],
      programs: [
        ProgramSpec(name: "first", kind: switches, code: try first.finish()),
        ProgramSpec(name: "second", kind: switches, code: try second.finish()),
      ],
      sources: [SourceFile(name: "script.stp", text: "probe p { a++ }\n  next\n")],
      userSection: [1, 2, 3, 4, 5]
    )
  }

  private func decode(_ bytes: [UInt8]) throws -> ModuleBlueprint {
    try ObjectFile.decode(SharedBytes(bytes), path: "test.o")
  }

  @Test("what is written comes back")
  func roundTrip() throws {
    let blueprint = try example()
    let copy = try decode(ObjectFile.encode(blueprint))
    #expect(copy.maps.sorted { $0.name < $1.name } == blueprint.maps.sorted { $0.name < $1.name })
    #expect(copy.sources == blueprint.sources)
    #expect(copy.userSection == blueprint.userSection)
    #expect(copy.programs.map(\.name) == blueprint.programs.map(\.name))
    for (copied, original) in zip(copy.programs, blueprint.programs) {
      #expect(Disassembler.text(of: copied.code) == Disassembler.text(of: original.code))
      #expect(copied == original)
    }
    #expect(copy == blueprint)
  }

  @Test(
    "sections tell the kind of a program, and the kind the section",
    arguments: [
      (.uprobe(isReturn: false), true), (.uprobe(isReturn: true), false),
      (.uprobeMulti(isReturn: true), true),
      (.uprobeSession, false), (.btfTracepoint("x"), false), (.tracepoint(category: "a", name: "b"), false),
      (.perfEvent, false), (.kprobe(function: "f", isReturn: true), false), (.fentry(function: "f"), true),
      (.fexit(function: "f"), false), (.syscall, false),
    ] as [(ProgramKind, Bool)]
  )
  func kinds(_ kind: ProgramKind, _ isSleepable: Bool) throws {
    var code = Assembler(program: "main")
    code.emit(.move(.r0, 0))
    code.emit(.exit)
    let program = ProgramSpec(name: "main", kind: kind, isSleepable: isSleepable, code: try code.finish())
    let blueprint = ModuleBlueprint(programs: [program])
    #expect(try decode(ObjectFile.encode(blueprint)) == blueprint)
  }

  @Test("a map may have the name of a program")
  func sameNames() throws {
    var code = Assembler(program: "first")
    code.loadMap(.r1, MapReference("first"))
    code.loadMapValue(.r1, MapReference("second"), offset: 8)
    code.emit(.move(.r0, 0))
    code.emit(.exit)
    var other = Assembler(program: "second")
    other.emit(.move(.r0, 0))
    other.emit(.exit)
    let blueprint = ModuleBlueprint(
      maps: [
        .array("first", valueByteCount: 16, count: 4), .array("second", valueByteCount: 16, count: 1),
      ],
      programs: [
        ProgramSpec(name: "first", kind: .rawTracepoint("sched_switch"), code: try code.finish()),
        ProgramSpec(name: "second", kind: .rawTracepoint("sched_switch"), code: try other.finish()),
      ]
    )
    #expect(try decode(ObjectFile.encode(blueprint)) == blueprint)
  }

  @Test("readelf reads it without complaint")
  func readelf() throws {
    let scratch = try ScratchDirectory()
    let path = scratch.path + "/module.o"
    try Data(ObjectFile.encode(try example())).write(to: URL(fileURLWithPath: path))
    let result = try run("readelf", ["-aW", path])
    #expect(result.status == 0)
    #expect(!result.output.contains("readelf: "))
    for word in ["Linux BPF", "raw_tp/sched_switch", ".maps", ".data.globals", ".utrace", ".rel.text"] {
      #expect(result.output.contains(word))
    }
  }

  @Test("cut anywhere or with any word overwritten, it is refused or read, never a trap")
  func damage() throws {
    let bytes = ObjectFile.encode(try example())
    for count in stride(from: 0, to: bytes.count, by: 7) { _ = try? decode(Array(bytes[..<count])) }
    for place in stride(from: 0, to: bytes.count - 4, by: 4) {
      for value in [0x00, 0x7f, 0xff] as [UInt8] {
        var damaged = bytes
        for offset in 0..<4 { damaged[place + offset] = value }
        _ = try? decode(damaged)
      }
    }
  }
}
