import Platform
import TargetModel
import TraceIR

/// The processes that were there before the session, for the probes that want to know of them.
struct RunningTargets {
  /// `process.begin` of one process.
  struct Hit {
    let probe: Int
    let process: RunningProcess
    let site: SiteDescription
  }

  private let target: Int32?
  private let command: Int32?

  /// `command` is a suspended one, whose program has yet to begin.
  init(target: Int32?, command: Int32?) {
    self.target = target
    self.command = command
  }

  /// Every probe of `program` with every process that it is about, processes ascending.
  func hits(in program: TraceProgram) -> [Hit] {
    let wanted = program.probes.enumerated().compactMap { index, probe in
      if case .running(let filter, let site) = probe.trigger { (index, filter, site) } else { nil }
    }
    guard !wanted.isEmpty, let all = try? RunningProcess.all() else { return [] }
    let own = RunningProcess.current().pid
    let family = wanted.contains { $0.1.scope == .family } ? ProcessTree().descendants(of: [target ?? 0]) : []
    let programs = Dictionary(
      wanted.compactMap { $0.1.executable }.map { ($0, try? FileStatus(of: $0)) },
      uniquingKeysWith: { first, _ in first }
    )
    var hits: [Hit] = []
    for process in all where process.pid != own && process.pid != command {
      // Threads of the kernel run no program.
      guard let status = try? FileStatus(of: process.executableLink) else { continue }
      for (index, filter, site) in wanted where isInside(process, filter.scope, family) {
        if let path = filter.executable {
          guard let program = programs[path] ?? nil, program.inode == status.inode,
            program.device == status.device
          else { continue }
        }
        hits.append(Hit(probe: index, process: process, site: site))
      }
    }
    return hits
  }

  private func isInside(_ process: RunningProcess, _ scope: ProcessScope, _ family: Set<Int32>) -> Bool {
    switch scope {
    case .target: target == nil || target == process.pid
    case .family: family.contains(process.pid)
    case .process(let pid): pid == process.pid
    }
  }
}
