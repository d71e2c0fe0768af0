import BPFBackend
import BPFObject
import KernelBridge
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

  /// Loads and attaches; nothing stays behind on failure.
  func load() throws(KernelError) -> KernelModuleSide {
    let loaded = try kernel.load(module.blueprint)
    var maps: [BPFMap?] = []
    for reference in module.globals {
      guard let reference else {
        maps.append(nil)
        continue
      }
      maps.append(try loaded.map(reference.name))
    }
    let side = try KernelModuleSide(
      program,
      maps: maps,
      scalars: loaded.map(module.scalars.name),
      dataRing: loaded.map(module.dataRing.name),
      controlRing: loaded.map(module.controlRing.name),
      losses: loaded.map(module.losses.name),
      target: target
    )
    side.adopt(try attach(loaded))
    return side
  }

  /// Attaches every probe; entries before bodies, so that no return lacks its entry for want of a probe.
  private func attach(_ loaded: borrowing LoadedModule) throws(KernelError) -> Attachment {
    var all = Attachment()
    for programs in module.probes {
      if let entry = programs.entry { all.add(try attach(entry, of: programs.probe, loaded)) }
      all.add(try attach(programs.body, of: programs.probe, loaded))
    }
    return all
  }

  private func attach(
    _ index: Int,
    of probe: Int,
    _ loaded: borrowing LoadedModule
  ) throws(KernelError) -> Attachment {
    let bpf = try loaded.program(module.blueprint.programs[index].name)
    guard case .userSites(let sites, _, let pid) = program.probes[probe].trigger else {
      return try kernel.attach(bpf)
    }
    let attachSites = sites.enumerated().map { cookie, site in
      AttachSite(
        path: site.path,
        offset: site.fileOffset,
        semaphore: site.semaphore,
        cookie: UInt64(cookie)
      )
    }
    return try kernel.attach(bpf, sites: attachSites, pid: pid ?? target)
  }
}
