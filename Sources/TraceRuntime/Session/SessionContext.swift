import Glibc
package import KernelBridge
package import Platform
package import TargetModel
package import TraceIR

/// What `begin`, `end` and timer probes can ask: about this process, as SystemTap's answer about `stapio`.
package final class SessionContext: HitContext {
  package private(set) var site: SiteDescription?
  package var entrySlots: [Datum] = []
  package var eventText = ByteString() {
    didSet { if eventText.count > eventTextLimit { eventText = eventText.cut(to: eventTextLimit) } }
  }
  /// Bytes that ``eventText`` has at most.
  var eventTextLimit = 0
  package let userCode: UserCode?
  private let target: Int64
  private let environment: Environment
  private let kernelMemory: KernelMemory?
  private let process = RunningProcess.current()

  /// A context whose `target()` is `target`.
  package init(
    target: Int32?,
    environment: Environment,
    userCode: UserCode? = nil,
    kernelMemory: KernelMemory? = nil
  ) {
    self.userCode = userCode
    self.kernelMemory = kernelMemory
    self.target = Int64(target ?? 0)
    self.environment = environment
  }

  /// Makes `pp()` and its kin answer for `probe`.
  func enter(_ probe: Probe) {
    site = SiteDescription(probePoint: probe.name, scriptPoint: probe.name, probeType: probe.trigger.typeName)
  }

  package func long(_ field: ContextField) -> Int64 {
    switch field {
    case .pid, .tid: Int64(process.pid)
    case .ppid: Int64(getppid())
    case .pgrp: Int64(getpgrp())
    case .sid: Int64(getsid(0))
    case .uid: Int64(getuid())
    case .euid: Int64(geteuid())
    case .gid: Int64(getgid())
    case .egid: Int64(getegid())
    case .realtimeNanoseconds: Int64(bitPattern: Clock.realtimeNanoseconds())
    case .monotonicNanoseconds, .cycles: Int64(bitPattern: Clock.monotonicNanoseconds())
    // Ticks of a kernel with CONFIG_HZ=250, the usual one; only differences mean anything.
    case .jiffies: Int64(bitPattern: Clock.monotonicNanoseconds() / 4_000_000)
    case .target: target
    case .isUserMode: 1
    case .cpu: Int64(EventLoop.currentCPU)
    case .execname, .pexecname, .instructionPointer, .argument, .returnValue, .currentTask, .site,
      .argumentsStart, .argumentsEnd, .environmentStart, .environmentEnd:
      0
    }
  }

  package func text(_ field: ContextField) -> ByteString {
    switch field {
    case .execname: ByteString((try? process.commandName()) ?? "")
    case .pexecname: ByteString((try? RunningProcess(pid: getppid()).commandName()) ?? "")
    default: ""
    }
  }

  package func read(_ memory: PlanMemory, at address: UInt64, byteCount: Int) -> [UInt8]? {
    memory == .kernel ? kernelMemory?.read(at: address, byteCount: byteCount) : nil
  }

  package var commandLine: [ByteString] { ((try? process.arguments()) ?? []).map { ByteString($0) } }

  package func environmentVariable(_ name: ByteString) -> ByteString? {
    environment[name.text].map { ByteString($0) }
  }
}

/// What a record's handler can ask: the texts of the site that sent it.
final class RecordContext: HitContext {
  /// The probe and the site that sent the record; looked up only when somebody asks, since most handlers do not.
  var origin = (probe: 0, site: 0)
  /// The sites of each kernel-side probe.
  private let sites: [[SiteDescription]]
  var entrySlots: [Datum] = []
  private let target: Int64

  let userCode: UserCode?

  init(_ program: TraceProgram, target: Int32?, userCode: UserCode?) {
    self.target = Int64(target ?? 0)
    self.userCode = userCode
    sites = program.probes.map { probe in
      switch probe.trigger {
      case .userSites(let sites, _, _): sites.map(\.description)
      case .tracepoint(_, _, let description, _): [description]
      default: []
      }
    }
  }

  var site: SiteDescription? {
    guard sites.indices.contains(origin.probe), sites[origin.probe].indices.contains(origin.site) else {
      return nil
    }
    return sites[origin.probe][origin.site]
  }

  func long(_ field: ContextField) -> Int64 { field == .target ? target : 0 }

  func text(_: ContextField) -> ByteString { "" }
}

extension Trigger {
  /// `probe_type()`.
  fileprivate var typeName: String {
    switch self {
    case .begin: "begin"
    case .end: "end"
    case .error: "error"
    case .timer: "timer"
    case .never: "never"
    case .event(let event):
      switch event.kind {
      case .fileRead, .fileWrite: "procfs"
      case .inputCharacter, .inputLine: "input"
      }
    case .sample: "perf"
    case .userSites: "uprobe"
    case .tracepoint: "tracepoint"
    case .running: "process"
    }
  }
}
