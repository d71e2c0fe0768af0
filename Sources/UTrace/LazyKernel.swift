import BTF
import Elaboration
import KernelBridge
import Platform
import Synchronization
import TargetModel

/// The running kernel's types and tracepoints, read when a script first asks: most never do, and BTF is megabytes.
final class LazyKernel: KernelCatalog {
  private let session: KernelSession
  /// Read once: a script with `syscall.*` asks seven hundred times.
  private let known = Mutex<BTFKernelCatalog?>(nil)

  init(session: KernelSession) { self.session = session }

  var types: any TypeSource { LazyKernelTypes(session: session) }

  var tracepoints: [KernelTracepoint] { catalog?.tracepoints ?? [] }

  func arguments(ofTracepoint name: String) -> [(name: String, type: TypeReference)]? {
    catalog?.arguments(ofTracepoint: name)
  }

  func hasFunction(_ name: String) -> Bool { catalog?.hasFunction(name) ?? false }

  /// Nil when the kernel publishes no BTF.
  private var catalog: BTFKernelCatalog? {
    known.withLock { known in
      known = known ?? (try? session.types.image()).map { BTFKernelCatalog($0, systems: Self.systems()) }
      return known
    }
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

/// The kernel's types, of which there are none without BTF.
///
/// The session reads the image once.
private struct LazyKernelTypes: TypeSource {
  let session: KernelSession

  private var source: BTFTypeSource? { (try? session.types.image()).map { BTFTypeSource($0) } }

  func layout(of type: TypeReference) -> TypeLayout { source?.layout(of: type) ?? .opaque("unknown") }
  func spelling(of type: TypeReference?) -> String { source?.spelling(of: type) ?? "unknown" }
  func type(named name: String) -> TypeReference? { source?.type(named: name) }
  func enumerator(named name: String) -> Int64? { source?.enumerator(named: name) }
}
