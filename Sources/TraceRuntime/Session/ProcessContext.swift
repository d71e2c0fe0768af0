import Platform
import TargetModel
import TraceIR

/// What a `process.begin` probe can ask about a process that was there before the session.
final class ProcessContext: HitContext {
  let site: SiteDescription?
  var entrySlots: [Datum] = []
  private let process: RunningProcess
  private let session: SessionContext

  /// A context of `process`; `session` answers what is everybody's.
  init(_ process: RunningProcess, _ site: SiteDescription, _ session: SessionContext) {
    self.process = process
    self.site = site
    self.session = session
  }

  func long(_ field: ContextField) -> Int64 {
    switch field {
    case .pid, .tid: Int64(process.pid)
    case .ppid: Int64((try? process.parentID()) ?? 0)
    case .pgrp: Int64(process.groupID)
    case .sid: Int64(process.sessionID)
    case .uid: identity?.user ?? 0
    case .gid: identity?.group ?? 0
    case .euid: identity?.effectiveUser ?? 0
    case .egid: identity?.effectiveGroup ?? 0
    case .realtimeNanoseconds, .monotonicNanoseconds, .cycles, .jiffies, .target, .cpu: session.long(field)
    case .isUserMode: 1
    case .execname, .pexecname, .instructionPointer, .argument, .returnValue, .currentTask, .site,
      .argumentsStart, .argumentsEnd, .environmentStart, .environmentEnd:
      0
    }
  }

  private var identity: ProcessIdentity? { try? process.identity() }

  func text(_ field: ContextField) -> ByteString {
    switch field {
    case .execname: ByteString((try? process.commandName()) ?? "")
    case .pexecname:
      ByteString((try? RunningProcess(pid: process.parentID()).commandName()) ?? "")
    default: ""
    }
  }

  var commandLine: [ByteString] { ((try? process.arguments()) ?? []).map { ByteString($0) } }

  func environmentVariable(_ name: ByteString) -> ByteString? {
    (try? process.environment())?[name.text].map { ByteString($0) }
  }
}
