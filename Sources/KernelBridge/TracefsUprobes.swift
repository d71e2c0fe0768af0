import Glibc
import Platform
import Synchronization
import TargetModel

/// Many sites as sibling probes of one tracefs event, with one perf event and one program on them all.
///
/// For kernels without uprobe_multi (before 6.6): opening a perf event for each site works as well, but closing
/// them takes 0.1 s each, one after the other. The price: one cookie for all sites, so programs tell them by
/// address. The definition is removed in `deinit`; its name carries our process ID for ``removeStale(_:)``.
final class TracefsUprobes: AttachmentPart {
  private let tracefs: Tracefs
  private let name: String
  /// Closed before the event can be removed: the kernel refuses while it is in use.
  private let perfEvent: Mutex<PerfEvent?>

  private static let group = "utrace"
  private static let counter = Atomic<Int>(0)

  init(
    _ program: BPFProgram,
    sites: [AttachSite],
    isReturn: Bool,
    pid: Int32?,
    in tracefs: Tracefs
  ) throws(KernelError) {
    let number = Self.counter.add(1, ordering: .relaxed).newValue
    let name = "p\(getpid())_\(number)"
    self.tracefs = tracefs
    self.name = name
    let lines = sites.map { Self.definition($0, isReturn: isReturn, name: name) }
    do throws(KernelError) {
      try tracefs.append(lines, to: "uprobe_events")
      let id = try tracefs.eventID(Self.group, name)
      let event = try PerfEvent.tracepoint(id, named: name, pid: pid)
      let cookies = Set(sites.map(\.cookie))
      let cookie = cookies.count == 1 ? cookies.first ?? 0 : 0
      perfEvent = Mutex(try PerfEvent(program, on: event, cookie: cookie))
    } catch {
      try? tracefs.append(["-:\(Self.group)/\(name)"], to: "uprobe_events")
      throw error
    }
  }

  deinit {
    perfEvent.withLock { $0 = nil }
    try? tracefs.append(["-:\(Self.group)/\(name)"], to: "uprobe_events")
  }

  /// `p:GROUP/EVENT PATH:OFFSET(REF_CTR)` (Linux, Documentation/trace/uprobetracer.rst).
  private static func definition(_ site: AttachSite, isReturn: Bool, name: String) -> String {
    let semaphore = site.semaphore.map { "(0x\(String($0.raw, radix: 16)))" } ?? ""
    let offset = "0x" + String(site.offset.raw, radix: 16)
    return "\(isReturn ? "r" : "p"):\(group)/\(name) \(site.path):\(offset)\(semaphore)"
  }

  /// Removes the events of sessions whose process is gone; they are disarmed but listed.
  static func removeStale(_ tracefs: Tracefs) {
    guard let text = try? readSmallText("\(tracefs.path)/uprobe_events") else { return }
    var names: Set<String> = []
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: " ").first?.split(separator: ":") ?? []
      guard parts.count == 2, parts[1].hasPrefix(group + "/p") else { continue }
      let digits = parts[1].dropFirst(group.count + 2).prefix { $0 != "_" }
      guard let process = Int32(digits), kill(process, 0) != 0, errno == ESRCH else { continue }
      names.insert(String(parts[1]))
    }
    for name in names { try? tracefs.append(["-:\(name)"], to: "uprobe_events") }
  }
}
