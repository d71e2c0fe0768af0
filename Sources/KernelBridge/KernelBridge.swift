package import BPFObject
import CKernelABI
import CLibbpf
import Glibc
package import Platform
package import TargetModel

/// The door to the kernel: blueprints come in, maps, rings and attachments go out.
///
/// What this module may import: Platform, TargetModel, BTF, BPFObject; libbpf and the kernel's ABI are its own.
/// Whatever it hands out detaches, unloads and unmaps itself when it goes away.
package final class KernelSession: Sendable {
  /// What this kernel can do for this user.
  package let features: KernelFeatures
  /// The kernel's own types.
  package let types: KernelBTF
  private let tracefs: Tracefs?

  /// Looks at the machine; `tracefs` is found in the mount table unless given.
  ///
  /// `states` are features that have been tried before, on this boot and for this user; `functions` are numbers of
  /// the kernel's functions for programs that have been looked up; `typeIndex` keeps where the kernel's types are.
  package init(
    tracefs: Tracefs? = .mounted(),
    knowing states: [KernelFeature: FeatureState] = [:],
    functions: [String: UInt32] = [:],
    typeIndex: KeptBytes? = nil
  ) {
    self.tracefs = tracefs
    types = KernelBTF(knowing: functions, index: typeIndex)
    features = KernelFeatures(tracefs: tracefs, types: types, knowing: states)
    if let tracefs { TracefsUprobes.removeStale(tracefs) }
  }

  /// Release, lockdown, capabilities and the like.
  package var settings: KernelSettings { .current(tracefs: tracefs) }

  /// CPUs that may ever come up.
  package static var possibleCPUCount: Int { Int(max(1, libbpf_num_possible_cpus())) }

  /// Creates the maps of `blueprint` and loads its programs; nothing stays behind on failure.
  /// - Throws: ``KernelError/verifier(_:)`` when the verifier refuses a program.
  package func load(_ blueprint: ModuleBlueprint) throws(KernelError) -> LoadedModule {
    try ProgramLoader(types: types).load(blueprint)
  }
}

// MARK: Attaching

extension KernelSession {
  /// Attaches `program` to all `sites`; `pid` limits hits to one process.
  ///
  /// The program's kind says how: `uprobeMulti` and `uprobeSession` by one link for each file, `uprobe` by sibling
  /// probes of a tracefs event, or by single perf events where tracefs is not mounted.
  package func attach(
    _ program: BPFProgram,
    sites: [AttachSite],
    pid: Int32? = nil
  ) throws(KernelError) -> Attachment {
    guard !sites.isEmpty else { return Attachment() }
    return try FatalSignals.waiting { () throws(KernelError) in try attachToFiles(program, sites, pid) }
  }

  private func attachToFiles(
    _ program: BPFProgram,
    _ sites: [AttachSite],
    _ pid: Int32?
  ) throws(KernelError) -> Attachment {
    switch program.spec.kind {
    case .uprobeMulti, .uprobeSession:
      var parts: [any AttachmentPart] = []
      for (path, sites) in grouped(sites) {
        parts.append(try UprobeMulti.link(program, path: path, sites: sites, pid: pid))
      }
      return Attachment(parts)
    case .uprobe(let isReturn): return try attachOldWay(program, sites, isReturn, pid)
    default: throw .invalid("program \(program.spec.name) does not attach to files")
    }
  }

  /// Attaches a program whose kind names its place: tracepoints and kernel functions.
  package func attach(_ program: BPFProgram) throws(KernelError) -> Attachment {
    switch program.spec.kind {
    case .rawTracepoint(let name): return Attachment([try rawLink(program, name)])
    case .btfTracepoint, .fentry, .fexit: return Attachment([try rawLink(program, nil)])
    case .tracepoint(let category, let name):
      try features.require(.tracepoint)
      guard let id = try tracefs?.eventID(category, name) else { return Attachment() }
      let event = try PerfEvent.tracepoint(id, named: "\(category):\(name)", pid: nil)
      return Attachment([try PerfEvent(program, on: event)])
    case .kprobe(let function, let isReturn):
      let event = try PerfEvent.kprobe(function, isReturn: isReturn)
      return Attachment([try PerfEvent(program, on: event)])
    case .uprobe, .uprobeMulti, .uprobeSession, .perfEvent, .syscall:
      throw .invalid("program \(program.spec.name) does not name its place")
    }
  }

  /// The same for a program that finds others in `programs`, which the kernel empties when nobody holds it any more.
  package func attach(_ program: BPFProgram, through programs: BPFMap) throws(KernelError) -> Attachment {
    // In the order of release: the link, then the array.
    var all = Attachment([programs.descriptor])
    all.add(try attach(program))
    return all
  }

  /// Runs a `perfEvent` program `frequencyHertz` times a second on every CPU that is online and busy.
  ///
  /// With `pid` only that thread is sampled: perf_event_open(2) knows threads. For a whole process, sample
  /// everything and let the program compare `bpf_get_current_pid_tgid`.
  package func sample(
    _ program: BPFProgram,
    frequencyHertz: Int,
    pid: Int32? = nil
  ) throws(KernelError) -> Attachment {
    guard case .perfEvent = program.spec.kind else {
      throw .invalid("program \(program.spec.name) is not for perf events")
    }
    var parts: [any AttachmentPart] = []
    // A thread's event follows it from CPU to CPU.
    for cpu in pid == nil ? onlineCPUs() : [-1] {
      let event = try PerfEvent.clock(frequencyHertz, pid: pid, cpu: cpu)
      parts.append(try PerfEvent(program, on: event))
    }
    return Attachment(parts)
  }

  /// Runs a `perfEvent` program when the clock or counter of any CPU says so.
  package func sample(_ program: BPFProgram, _ sampling: PerfSampling) throws(KernelError) -> Attachment {
    var parts: [any AttachmentPart] = []
    for cpu in onlineCPUs() {
      parts.append(try PerfEvent(program, on: try PerfEvent.sampling(sampling, cpu: cpu)))
    }
    return Attachment(parts)
  }

  private func rawLink(_ program: BPFProgram, _ name: String?) throws(KernelError) -> Descriptor {
    let raw = unsafe bpf_raw_tracepoint_open(name, program.descriptor.raw)
    guard raw >= 0 else {
      let subject = name.map { "tracepoint \($0)" } ?? "program \(program.spec.name)"
      let advice = errno == ENOENT ? "this kernel has no such tracepoint" : nil
      throw .last("bpf(BPF_RAW_TRACEPOINT_OPEN)", on: subject, advice: advice)
    }
    return Descriptor(raw)
  }

  private func attachOldWay(
    _ program: BPFProgram,
    _ sites: [AttachSite],
    _ isReturn: Bool,
    _ pid: Int32?
  ) throws(KernelError) -> Attachment {
    if let tracefs {
      return Attachment([
        try TracefsUprobes(program, sites: sites, isReturn: isReturn, pid: pid, in: tracefs)
      ])
    }
    var parts: [any AttachmentPart] = []
    for site in sites {
      let event = try PerfEvent.uprobe(site, isReturn: isReturn, pid: pid)
      parts.append(try PerfEvent(program, on: event, cookie: site.cookie))
    }
    return Attachment(parts)
  }

  /// Sites by file, files in the order of their first site.
  private func grouped(_ sites: [AttachSite]) -> [(path: String, sites: [AttachSite])] {
    let byPath = Dictionary(grouping: sites, by: \.path)
    var seen: Set<String> = []
    return sites.map(\.path).filter { seen.insert($0).inserted }.map { ($0, byPath[$0] ?? []) }
  }

  /// Begins to note what processes map, start and end.
  /// - Throws: ``KernelError`` for `perf_event_open(2)` and `mmap(2)`.
  package func processEvents() throws(KernelError) -> ProcessEventReader {
    try ProcessEventReader(cpus: onlineCPUs())
  }

  /// CPUs of a list like `0-3,8`.
  private func onlineCPUs() -> [Int] {
    let text = (try? readSmallText("/sys/devices/system/cpu/online")) ?? "0"
    return text.split(whereSeparator: { $0 == "," || $0.isNewline }).flatMap { range in
      let ends = range.split(separator: "-").compactMap { Int($0) }
      return ends.isEmpty ? [] : Array(ends[0]...max(ends[0], ends[ends.count - 1]))
    }
  }
}
