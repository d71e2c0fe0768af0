import Elaboration
import KernelBridge
import Platform
import Synchronization
import TargetModel

/// The running kernel's types and tracepoints, read when a script first asks: most never do, and BTF is megabytes.
final class LazyKernel: KernelCatalog {
  private let session: KernelSession
  private let known = Mutex<BTFKernelCatalog?>(nil)

  init(_ session: KernelSession) { self.session = session }

  var types: any TypeSource { catalog?.types ?? NoKernelTypes() }
  var tracepoints: [KernelTracepoint] { catalog?.tracepoints ?? [] }

  func arguments(ofTracepoint name: String) -> [(name: String, type: TypeReference)]? {
    catalog?.arguments(ofTracepoint: name)
  }

  /// Nil when the kernel publishes no BTF.
  private var catalog: BTFKernelCatalog? {
    if let catalog = known.withLock({ $0 }) { return catalog }
    guard let image = try? session.types.image() else { return nil }
    let catalog = BTFKernelCatalog(image, systems: Self.systems())
    known.withLock { $0 = catalog }
    return catalog
  }

  /// Tracepoint names to their systems, where tracefs is mounted.
  private static func systems() -> [String: String] {
    guard let events = Tracefs.mounted().map({ Paths.join($0.path, "events") }) else { return [:] }
    var result: [String: String] = [:]
    for system in (try? DirectoryListing(events))?.entries ?? [] where system.kind == .directory {
      let names = (try? DirectoryListing(Paths.join(events, system.name)))?.entries ?? []
      for entry in names where entry.kind == .directory { result[entry.name] = system.name }
    }
    return result
  }
}

/// A kernel without BTF.
private struct NoKernelTypes: TypeSource {
  func layout(of type: TypeReference) -> TypeLayout { .opaque("unknown") }
  func spelling(of type: TypeReference?) -> String { "unknown" }
  func type(named name: String) -> TypeReference? { nil }
  func enumerator(named name: String) -> Int64? { nil }
}
