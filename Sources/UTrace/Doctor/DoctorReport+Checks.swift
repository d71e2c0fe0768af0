import KernelBridge

extension DoctorReport {
  /// Judges what was found; `state` tries a feature.
  init(
    version: String,
    architecture: String,
    settings: KernelSettings,
    surroundings: Surroundings,
    state: (KernelFeature) -> FeatureState
  ) {
    let canLoad = state(.loadPrograms).isAvailable
    let needed = Self.needed(state)
    canTrace = canLoad && needed.allSatisfy { $0.state != .missing }
    title = "utrace \(version) on Linux \(settings.release), \(architecture)"
    groups = [
      Group(title: "This user", checks: Self.user(settings, surroundings)),
      Group(title: "Needed for probes", checks: canLoad ? needed : [Check(.loadPrograms, state)]),
      Group(title: "Kernel features", checks: canLoad ? Self.features(state) : [.untried]),
      Group(title: "Settings", checks: Self.settings(settings, state)),
      Group(title: "Files", checks: Self.files(surroundings)),
    ]
    let reason =
      canLoad ? groups[1].checks.first { $0.state == .missing }?.advice : KernelFeature.loadPrograms.advice
    verdict = canTrace ? "Tracing works." : "Tracing does not work: \(reason ?? "see above")."
  }

  /// What no script with a probe can do without.
  private static func needed(_ state: (KernelFeature) -> FeatureState) -> [Check] {
    var attach = Check(.uprobeMulti, state)
    if attach.state == .missing {
      attach = Check(.uprobe, state)
      if attach.state == .good, case .missing = state(.tracefs) {
        attach.detail = "one by one: mount tracefs for more"
      }
    }
    attach.name = "probes of processes"
    return [Check(.loadPrograms, state), Check(.ringBuffer, state), Check(.taskStorage, state), attach]
  }

  private static func features(_ state: (KernelFeature) -> FeatureState) -> [Check] {
    let elsewhere: Set<KernelFeature> = [.loadPrograms, .ringBuffer, .taskStorage, .btf, .tracefs]
    return KernelFeature.allCases.filter { !elsewhere.contains($0) }.map { Check($0, state) }
  }

  private static func user(_ settings: KernelSettings, _ surroundings: Surroundings) -> [Check] {
    let capabilities = settings.capabilities
    let missing = capabilities.missingForTracing
    let name = surroundings.userID == 0 ? "root" : "user \(surroundings.userID)"
    var checks = [
      missing.isEmpty
        ? Check(name: "user", state: .good, detail: name)
        : Check(
          name: "user",
          state: .missing,
          detail: "\(name) lacks \(missing.joined(separator: " and "))",
          advice: "run utrace as root"
        ),
      capabilities.canTraceProcesses
        ? Check(name: "other users' processes", state: .good)
        : Check(
          name: "other users' processes",
          state: .missing,
          detail: "no CAP_SYS_PTRACE",
          advice: "-p takes your own processes only"
        ),
    ]
    if let container = surroundings.container {
      let advice =
        missing.isEmpty ? "" : "; start it with --cap-add=BPF --cap-add=PERFMON --cap-add=SYS_PTRACE"
      checks.append(Check(name: "container", state: .neutral, detail: container + advice))
    }
    if !surroundings.hasFirstProcessIDs {
      let detail = "of a namespace: pid() in scripts gives the kernel's numbers, -p takes those of here"
      checks.append(Check(name: "process IDs", state: .neutral, detail: detail))
    }
    return checks
  }

  private static func settings(
    _ settings: KernelSettings,
    _ state: (KernelFeature) -> FeatureState
  ) -> [Check] {
    var checks = [Check(.btf, state)]
    checks[0].detail = checks[0].state == .good ? "/sys/kernel/btf/vmlinux" : checks[0].detail
    checks.append(
      settings.tracefs.map { Check(name: "tracefs", state: .good, detail: $0) }
        ?? Check(
          name: "tracefs",
          state: .missing,
          detail: "not mounted",
          advice: KernelFeature.tracefs.advice
        )
    )
    switch settings.lockdown {
    case nil, "none"?:
      checks.append(Check(name: "lockdown", state: .good, detail: settings.lockdown ?? "none"))
    case "confidentiality"?:
      let detail = "confidentiality, which forbids reading the kernel's memory"
      checks.append(
        Check(name: "lockdown", state: .missing, detail: detail, advice: "boot with lockdown=integrity")
      )
    case let level?: checks.append(Check(name: "lockdown", state: .neutral, detail: level))
    }
    for (name, value) in [
      ("perf_event_paranoid", settings.perfEventParanoid),
      ("unprivileged_bpf_disabled", settings.unprivilegedBPFDisabled),
    ] {
      guard let value else { continue }
      let note = settings.capabilities.missingForTracing.isEmpty ? ", which does not limit this user" : ""
      checks.append(Check(name: name, state: .neutral, detail: "\(value)\(note)"))
    }
    return checks
  }

  private static func files(_ surroundings: Surroundings) -> [Check] {
    var checks = surroundings.caches.map { cache in
      guard let path = cache.path else {
        return Check(
          name: cache.name,
          state: .missing,
          detail: "no home directory",
          advice: "set XDG_CACHE_HOME"
        )
      }
      guard let problem = cache.problem else { return Check(name: cache.name, state: .good, detail: path) }
      let advice = "every run starts from nothing; set XDG_CACHE_HOME to a directory of yours"
      return Check(name: cache.name, state: .missing, detail: "\(path): \(problem)", advice: advice)
    }
    let servers = surroundings.debugInfoServers
    let none = "not configured; DEBUGINFOD_URLS names servers of debug information"
    checks.append(
      Check(name: "debuginfod", state: servers == nil ? .neutral : .good, detail: servers ?? none)
    )
    return checks
  }
}

extension DoctorReport.Check {
  /// Tries `feature`.
  fileprivate init(_ feature: KernelFeature, _ state: (KernelFeature) -> FeatureState) {
    switch state(feature) {
    case .available: self.init(name: feature.title, state: .good)
    case .missing(let reason):
      let advice = "\(feature.advice) (since Linux \(feature.since))"
      self.init(name: feature.title, state: .missing, detail: reason, advice: advice)
    }
  }

  /// In place of what cannot be tried.
  fileprivate static let untried = Self(
    name: "not tried",
    state: .neutral,
    detail: "they take BPF programs to be found out"
  )
}
