import BPFBackend
import BPFObject
import KernelBridge
import Platform
import TargetModel
import TraceIR
import TraceRuntime

/// Brings a module into the kernel: maps, programs, then, when all of that stands, the attachments.
struct KernelSideLoader {
  let kernel: KernelSession
  let program: TraceProgram
  let module: BPFModule
  /// The process of `-p` or `-c`, to which process probes are limited that name none themselves.
  let target: Int32?
  /// The command of `-c`, which is the target and waits for its start.
  let command: ChildProcess?

  /// Loads and attaches; nothing stays behind on failure.
  ///
  /// Gives also how long the verifier took.
  func load() throws(KernelError) -> (side: KernelModuleSide, verificationNanoseconds: UInt64) {
    if program.writesUserMemory { try kernel.features.require(.probeWriteUser) }
    let loaded = try kernel.load(module.blueprint)
    let side = try KernelModuleSide(
      program,
      tables: tables(loaded),
      scalars: loaded.map(module.scalars.name),
      dataRing: loaded.map(module.dataRing.name),
      controlRing: loaded.map(module.controlRing.name),
      losses: loaded.map(module.losses.name),
      target: target,
      targetIsWaiting: command != nil
    )
    try fillPaths(loaded)
    try fillExecutables(loaded)
    try fillSiteIndices(loaded)
    // Without the right to perf events, processes that live long enough are still read from /proc.
    if program.usesUserStacks, let events = try? kernel.processEvents() { side.adopt(events) }
    // Who stops a session whose probes are there wants it to end in order.
    SignalDescriptor.hold()
    side.adopt(try attach(loaded, side))
    try side.openDataRing()
    let watches = try watches(loaded)
    if !watches.isEmpty, command != nil {
      side.whenCommandExecutes { () throws(KernelError) in try arm(watches) }
    }
    return (side, loaded.verificationNanoseconds)
  }

  private func tables(_ loaded: borrowing LoadedModule) throws(KernelError) -> [MapStore.Table?] {
    var tables: [MapStore.Table?] = []
    for maps in module.globals {
      guard let maps else {
        tables.append(nil)
        continue
      }
      var table = MapStore.Table(try loaded.map(maps.whole.name))
      for short in maps.shorts { table.shorts.append(try loaded.map(short.name)) }
      if let ages = maps.ages { table.ages = try loaded.map(ages.name) }
      tables.append(table)
    }
    return tables
  }

  /// Attaches every probe that has no condition; `side` attaches the others when theirs hold.
  private func attach(
    _ loaded: borrowing LoadedModule,
    _ side: KernelModuleSide
  ) throws(KernelError) -> Attachment {
    var all = Attachment()
    if module.noticesCommandStart {
      command?.waitUntilSuspended()
      all.add(try kernel.attach(loaded.program(CommandStart.program)))
    }
    if let family = module.family {
      all.add(try kernel.attach(loaded.program(FamilyPrograms.fork)))
      try TargetFamily(target).enter(loaded.map(family.name))
    }
    let dispatchers = module.dispatchers
    var attached: Set<String> = []
    for programs in module.probes {
      // Entries before bodies, so that no return lacks its entry for want of a probe.
      let probe = programs.probe
      let entrySites = program.probes[probe].entryPoint?.sites
      var parts: [(program: BPFProgram, sites: [ProbeSite]?)] = []
      if let index = programs.entry {
        parts.append((try loaded.program(module.blueprint.programs[index].name), entrySites))
      }
      let body = module.blueprint.programs[programs.body].name
      let dispatcher = dispatchers[body]
      if dispatcher == nil { parts.append((try loaded.program(body), nil)) }
      let attach = { [parts] () throws(KernelError) -> Attachment in
        var all = Attachment()
        for part in parts { all.add(try self.attach(part.program, of: probe, at: part.sites)) }
        return all
      }
      if program.probes[probe].arming == nil {
        all.add(try attach())
      } else {
        side.adopt(attach, ofProbe: probe)
      }
      if let dispatcher, attached.insert(dispatcher).inserted {
        all.add(try kernel.attach(loaded.program(dispatcher), through: loaded.map(dispatcher)))
      }
    }
    if module.family != nil { all.add(try kernel.attach(loaded.program(FamilyPrograms.exit))) }
    // A command's data has no place before it executes its program.
    if command == nil { all.add(try arm(watches(loaded))) }
    return all
  }

  // MARK: Data

  /// The probes of data, each with its program.
  private func watches(_ loaded: borrowing LoadedModule) throws(KernelError) -> [DataProbe] {
    var found: [DataProbe] = []
    for programs in module.probes {
      guard case .userSites(let sites, .data, let processes) = program.probes[programs.probe].trigger,
        let pid = processes == .family ? target : pid(processes)
      else { continue }
      let bpf = try loaded.program(module.blueprint.programs[programs.body].name)
      found.append(DataProbe(program: bpf, sites: sites, pid: pid))
    }
    return found
  }

  private func arm(_ watches: [DataProbe]) throws(KernelError) -> Attachment {
    var all = Attachment()
    for watch in watches { all.add(try watch.attach(kernel)) }
    return all
  }

  /// Attaches a program of a probe to the probe's sites, or to others.
  private func attach(
    _ bpf: BPFProgram,
    of probe: Int,
    at others: [ProbeSite]?
  ) throws(KernelError) -> Attachment {
    if case .sample(let sampling, _, _) = program.probes[probe].trigger {
      return try kernel.sample(bpf, sampling)
    }
    guard case .userSites(let own, let kind, let processes) = program.probes[probe].trigger else {
      return try kernel.attach(bpf)
    }
    let sites = others ?? own
    if kind == .data { return Attachment() }
    let isSibling = if case .uprobe = bpf.spec.kind { true } else { false }
    let events = isSibling ? siblingEvents(sites) : []
    let attachSites = sites.enumerated().map { index, site in
      AttachSite(
        path: site.path,
        offset: site.fileOffset,
        semaphore: site.semaphore,
        cookie: isSibling ? events[index] : UInt64(index)
      )
    }
    let pid = self.pid(processes)
    guard isSibling else { return try kernel.attach(bpf, sites: attachSites, pid: pid) }
    var all = Attachment()
    for event in Set(events).sorted() {
      let siblings = attachSites.filter { $0.cookie == event }
      all.add(try kernel.attach(bpf, sites: siblings, pid: pid))
    }
    return all
  }

  /// The one process that the kernel runs a program in; nil: the program sees for itself, or there is no limit.
  private func pid(_ processes: ProcessScope) -> Int32? {
    switch processes {
    case .target: target
    case .family: nil
    case .process(let pid): pid
    }
  }

  /// Tells programs where the members of kernel structures are that they walk through.
  private func fillPaths(_ loaded: borrowing LoadedModule) throws(KernelError) {
    for path in module.kernelPaths {
      var offsets: [UInt8] = []
      for step in path.steps {
        let offset = try kernel.types.offset(of: step.member, in: step.structure)
        offsets.append(long: UInt64(offset))
      }
      try loaded.map(path.map.name).update([0, 0, 0, 0], offsets)
    }
  }

  /// Tells programs which files their processes run.
  private func fillExecutables(_ loaded: borrowing LoadedModule) throws(KernelError) {
    guard let table = module.executables else { return }
    var entries: [UInt8] = []
    for path in program.executables {
      do throws(SystemError) {
        let identity = try KernelFileIdentity(of: path)
        entries.append(long: identity.inode)
        entries.append(long: UInt64(identity.device))
      } catch { throw .system(error, advice: nil) }
    }
    try loaded.map(table.name).update([0, 0, 0, 0], entries)
  }

  // MARK: Siblings

  /// The event of each site: the first one that has no other site at its file offset.
  private func siblingEvents(_ sites: [ProbeSite]) -> [UInt64] {
    var used: [FileOffset: UInt64] = [:]
    return sites.map { site in
      defer { used[site.fileOffset, default: 0] += 1 }
      return used[site.fileOffset, default: 0]
    }
  }

  /// Tells programs that hang on siblings which file offset is which site.
  private func fillSiteIndices(_ loaded: borrowing LoadedModule) throws(KernelError) {
    for programs in module.probes {
      guard let index = module.siteIndex(ofProbe: programs.probe),
        case .userSites(let sites, _, _) = program.probes[programs.probe].trigger
      else { continue }
      let map = try loaded.map(index.name)
      for (number, (site, event)) in zip(sites, siblingEvents(sites)).enumerated() {
        var key: [UInt8] = []
        key.append(long: event)
        key.append(long: site.fileOffset.raw)
        var value: [UInt8] = []
        value.append(long: UInt64(number))
        try map.update(key, Array(value.prefix(4)))
      }
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(long value: UInt64) {
    for shift in stride(from: 0, to: 64, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
  }
}
