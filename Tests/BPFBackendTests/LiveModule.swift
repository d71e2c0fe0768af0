import BPFBackend
import BPFObject
import Foundation
import KernelBridge
import Platform
import TargetModel
import TestSupport
import Testing
import TraceIR
import TraceRuntime

extension Tag {
  /// Needs a kernel that lets us load programs.
  @Tag static var kernel: Self
}

/// Everything that runs in the kernel: one test after the other, because they share the traced program.
@Suite(.tags(.kernel), .timeLimit(.minutes(10)), .serialized) enum LiveTests {}

/// A small C program whose functions are probed; compiled once.
struct Victim {
  static let shared = Result { try Victim() }

  let path: String
  private let offsets: [String: UInt64]
  private let scratch: ScratchDirectory

  private init() throws {
    scratch = try ScratchDirectory()
    path = try scratch.compileC(victimSource, to: "victim", flags: ["-O1", "-no-pie", "-pthread", "-w"])
    // Linked at 0x400000, text right behind the headers.
    var offsets: [String: UInt64] = [:]
    for line in try run("nm", [path]).output.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count == 3, let address = UInt64(fields[0], radix: 16), address >= 0x400000 else {
        continue
      }
      offsets[String(fields[2])] = address - 0x400000
    }
    self.offsets = offsets
  }

  func site(_ function: String, probePoint: String = "") throws -> ProbeSite {
    let offset = try #require(offsets[function])
    return ProbeSite(
      path: path,
      buildID: nil,
      fileOffset: FileOffset(offset),
      linkAddress: LinkAddress(offset + 0x400000),
      semaphore: nil,
      description: SiteDescription(probePoint: probePoint, scriptPoint: probePoint, function: function)
    )
  }

  /// Runs it to its end; `arguments`: a mode of `main`, and numbers.
  @discardableResult func hit(_ arguments: String...) throws -> String {
    let result = try run(path, arguments)
    try #require(result.status == 0, "victim \(arguments): \(result.output)")
    return result.output
  }
}

private let victimSource = """
  #include <pthread.h>
  #include <setjmp.h>
  #include <stdlib.h>
  #include <stdio.h>
  #include <string.h>
  #include <time.h>
  #define PROBED __attribute__((noinline, noclone))
  #define KEEP __asm__ volatile("" ::: "memory")
  struct inner { int a; signed char b; short c; long d; };
  struct outer { struct inner *inner; long value; };
  // Begins with an instruction that the kernel emulates: a hit costs 0.7 instead of 9 microseconds.
  __attribute__((naked, noinline)) long count(long x) { __asm__("push %rbp; lea 1(%rdi), %rax; pop %rbp; ret"); }
  PROBED long other(long x) { KEEP; return x + 2; }
  PROBED long text(const char *s) { KEEP; return s != 0; }
  PROBED long pointers(struct outer *o) { KEEP; return o != 0; }
  PROBED long recurse(long n) { KEEP; return n <= 0 ? 0 : 1 + recurse(n - 1); }
  static jmp_buf back;
  PROBED long escape(long n) { KEEP; if (n == 1) longjmp(back, 1); return n; }
  __attribute__((naked, noinline)) long nop(void) { __asm__("nop; ret"); }
  __attribute__((naked, noinline)) long pushed(void) { __asm__("push %rbp; pop %rbp; ret"); }
  __attribute__((naked, noinline)) long given(const char *s) { __asm__("push %rbp; pop %rbp; ret"); }
  static long hits;
  static void *work(void *unused) { for (long i = 0; i < hits; i++) count(i); return 0; }
  static void threads(int n) {
    pthread_t t[64];
    for (int i = 0; i < n; i++) pthread_create(&t[i], 0, work, 0);
    for (int i = 0; i < n; i++) pthread_join(t[i], 0);
  }
  int main(int argc, char **argv) {
    const char *mode = argv[1];
    long n = argc > 2 ? atol(argv[2]) : 1;
    if (!strcmp(mode, "count")) for (long i = 0; i < n; i++) count(i);
    if (!strcmp(mode, "value")) count(n);
    if (!strcmp(mode, "both")) for (long i = 0; i < n; i++) { count(i); other(i); }
    if (!strcmp(mode, "text")) for (int i = 2; i < argc; i++) text(argv[i]);
    if (!strcmp(mode, "null")) text(0);
    if (!strcmp(mode, "recurse")) recurse(n);
    if (!strcmp(mode, "threads")) { hits = atol(argv[3]); threads(n); }
    if (!strcmp(mode, "pointers")) {
      struct inner i = { -5, -6, 7, 1L << 40 };
      struct outer o = { &i, n };
      pointers(&o);
    }
    if (!strcmp(mode, "escape")) for (long i = 0; i < n; i++) { if (!setjmp(back)) escape(1); escape(2); }
    if (!strncmp(mode, "time", 4)) {
      struct timespec a, b;
      long (*f)(const char *) = given;
      if (!strcmp(mode, "time")) f = (long (*)(const char *))pushed;
      if (!strcmp(mode, "timenop")) f = (long (*)(const char *))nop;
      double best = 1e9;
      for (int r = 0; r < 15; r++) {
        clock_gettime(CLOCK_MONOTONIC, &a);
        for (long i = 0; i < n; i++) f("select name from customers where id = 1");
        clock_gettime(CLOCK_MONOTONIC, &b);
        double ns = ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) / n;
        if (ns < best) best = ns;
      }
      printf("%.1f", best);
    }
    return 0;
  }
  """

/// A program generated, loaded and attached; detached at the end of the test.
final class LiveModule {
  let program: TraceProgram
  let module: BPFModule
  let loaded: LoadedModule
  private let session = KernelSession()
  private var attachment = Attachment()

  init(_ program: TraceProgram, target: BPFTarget = .live) throws {
    self.program = program
    module = try generate(program, for: target)
    do {
      loaded = try session.load(module.blueprint)
    } catch .verifier(let failure) {
      Issue.record("\(failure)\n\(failure.log.suffix(6000))")
      throw failure
    }
    try setState(.running)
    for entry in module.probes {
      if let program = entry.entry { try attach(program, entry.probe) }
      try attach(entry.body, entry.probe)
    }
  }

  private func attach(_ index: Int, _ probe: Int) throws {
    let loadedProgram = try loaded.program(module.blueprint.programs[index].name)
    guard case .userSites(let sites, _, let processes) = program.probes[probe].trigger else {
      return attachment.add(try session.attach(loadedProgram))
    }
    let places = sites.enumerated().map {
      AttachSite(path: $1.path, offset: $1.fileOffset, semaphore: $1.semaphore, cookie: UInt64($0))
    }
    let pid: Int32? = if case .process(let pid) = processes { pid } else { nil }
    attachment.add(try session.attach(loadedProgram, sites: places, pid: pid))
  }

  func setState(_ state: SessionState) throws { try set(ScalarLayout.stateOffset, state.rawValue) }

  /// Says that the reader of the data ring sleeps.
  func setAsleep() throws { try set(ScalarLayout.readerAsleepOffset, 1) }

  private func set(_ offset: Int, _ value: UInt32) throws {
    try MappedArray(loaded.map(module.scalars.name)).store(0, offset: offset, value)
  }

  func state() throws -> UInt32 { try scalar(ScalarLayout.stateOffset) }

  /// A word of the scalars, by offset.
  func scalar<Value: BitwiseCopyable>(_ offset: Int) throws -> Value {
    try MappedArray(loaded.map(module.scalars.name)).load(0, offset: offset, as: Value.self)
  }

  func scalar(_ global: GlobalID) throws -> Int64 {
    try scalar(try #require(ScalarLayout(program).offsets[global.index]))
  }

  func text(_ global: GlobalID) throws -> String {
    let offset = try #require(ScalarLayout(program).offsets[global.index])
    let count: UInt32 = try scalar(offset)
    let map = try MappedArray(loaded.map(module.scalars.name))
    let bytes = (0..<Int(count)).map { map.load(0, offset: offset + 4 + $0, as: UInt8.self) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The elements of an array or statistic, keys and values as bytes.
  func elements(_ global: GlobalID) throws -> [[UInt8]: [UInt8]] {
    let map = try loaded.map(try #require(module.globals[global.index]).whole.name)
    var result: [[UInt8]: [UInt8]] = [:]
    var key: [UInt8]?
    while let next = try map.key(after: key) {
      result[next] = try map.lookUp(next)
      key = next
    }
    return result
  }

  /// An array from one long to one long.
  func longs(_ global: GlobalID) throws -> [Int64: Int64] {
    Dictionary(uniqueKeysWithValues: try elements(global).map { ($0.long(0), $1.long(0)) })
  }

  /// The elements of an array that only counts.
  func tally(_ global: GlobalID) throws -> [Int64: Int64] {
    var tables = [MapStore.Table?](repeating: nil, count: program.globals.count)
    let map = try #require(module.globals[global.index]).whole.name
    tables[global.index] = MapStore.Table(try loaded.map(map))
    let store = try MapStore(program, scalars: loaded.map(module.scalars.name), tables: tables)
    let found = store.elements(global, [])
    return Dictionary(
      uniqueKeysWithValues: found.map { element in
        guard case .datum(.long(let count)) = element.value else { return (0, 0) }
        return (element.keys[0].long, count)
      }
    )
  }

  /// The words of a statistic, added up over the CPUs (which merges all but minimum and maximum).
  func statistic(_ bytes: [UInt8], _ global: GlobalID) -> [Int64] {
    let layout = StatisticLayout(program.globals[global.index].statistics)
    return (0..<layout.byteCount / 8).map { word in
      let shares = stride(from: word * 8, to: bytes.count, by: layout.byteCount).map { bytes.long($0) }
      let isExtreme = [layout.minimumOffset, layout.maximumOffset].contains(word * 8)
      guard isExtreme else { return shares.reduce(0, &+) }
      return Int64(bitPattern: shares.map { UInt64(bitPattern: $0) }.max() ?? 0)
    }
  }

  func losses(_ probe: Int, _ reason: LossReason) throws -> UInt64 {
    let index = UInt32(probe * LossReason.allCases.count + reason.rawValue)
    let counts = try loaded.map(module.losses.name).getPerCPU(index, as: UInt64.self)
    return try #require(counts).reduce(0, +)
  }

  /// The items of a ring, each as bytes.
  func drain(_ ring: MapReference) throws -> [[UInt8]] {
    var reader = try RingBuffer(loaded.map(ring.name))
    var items: [[UInt8]] = []
    reader.drain { span in
      items.append((0..<span.byteCount).map { span.unsafeLoad(fromByteOffset: $0, as: UInt8.self) })
    }
    return items
  }

  /// Records of the data ring as text: `kind/probe/site field field`.
  func records() throws -> [String] {
    try drain(module.dataRing).flatMap { item in
      var start = 0
      var result: [String] = []
      while start < item.count { result.append(record(item, &start)) }
      return result
    }
  }

  private func record(_ item: [UInt8], _ start: inout Int) -> String {
    let kind = Int(item[start]) | Int(item[start + 1]) << 8
    var words = ["\(kind)/\(item[start + 2])/\(item[start + 4])"]
    start += 8
    for field in program.records[kind].fields { words.append(item.field(field, &start)) }
    return words.joined(separator: " ")
  }

  /// Records of the control ring: `kind/probe/site` and, for faults, code, location and subject.
  func controls() throws -> [String] {
    try drain(module.controlRing).map { item in
      let kind = ControlRecord(rawValue: UInt16(item[0]))
      var words = ["\(kind.map { "\($0)" } ?? "?")/\(item[2])/\(item[4])"]
      var start = 8
      if kind == .fault { for _ in 0..<3 { words.append(item.field(.long, &start)) } }
      if start < item.count { words.append(item.field(.string, &start)) }
      return words.joined(separator: " ")
    }
  }
}

extension BPFTarget {
  /// What the machine of the tests can do.
  static var live: BPFTarget { live() }

  static func live(hasMayGoto: Bool = true) -> BPFTarget {
    var target = BPFTarget()
    target.hasMayGoto = hasMayGoto
    target.possibleCPUCount = ProcessInfo.processInfo.processorCount
    return target
  }
}

extension [UInt8] {
  func long(_ offset: Int) -> Int64 {
    self[offset..<offset + 8].reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
  }

  /// The field at `start`, which moves on behind it.
  func field(_ type: ValueType, _ start: inout Int) -> String {
    if type == .long {
      defer { start += 8 }
      return String(long(start))
    }
    let count = Int(long(start) & 0xffff_ffff)
    defer { start += (4 + count + 7) & ~7 }
    return "\"" + String(decoding: self[start + 4..<start + 4 + count], as: UTF8.self) + "\""
  }
}
