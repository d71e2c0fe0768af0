import BTF
import Elaboration
import KernelBridge
import Platform
import TargetModel

/// The running kernel as elaboration sees it: its types by BTF, its tracepoints by BTF and tracefs.
struct KernelFacts: KernelCatalog {
  private let image: BTFImage
  private let source: BTFTypeSource

  /// Nil when the kernel publishes no BTF.
  init?(_ session: KernelSession) {
    guard let image = try? session.types.image() else { return nil }
    self.image = image
    source = BTFTypeSource(image)
  }

  var types: any TypeSource { source }

  /// Systems come from tracefs, which may not be mounted; BTF knows only names.
  var tracepoints: [KernelTracepoint] {
    var systems: [String: String] = [:]
    if let events = Tracefs.mounted().map({ Paths.join($0.path, "events") }) {
      for system in (try? DirectoryListing(events))?.entries ?? [] where system.kind == .directory {
        let names = (try? DirectoryListing(Paths.join(events, system.name)))?.entries ?? []
        for entry in names where entry.kind == .directory { systems[entry.name] = system.name }
      }
    }
    return image.tracepointNames.map { KernelTracepoint(system: systems[$0] ?? "", name: $0) }
      .sorted { ($0.system, $0.name) < ($1.system, $1.name) }
  }

  func arguments(ofTracepoint name: String) -> [(name: String, type: TypeReference)]? {
    image.tracepoint(name)?.map { ($0.name, source.reference($0.type)) }
  }
}
