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

  var types: any TypeSource { LazyKernelTypes(kernel: self) }

  var tracepointNames: [String] { catalog?.tracepointNames ?? [] }

  func tracepoints(named pattern: String) -> [KernelTracepoint] { catalog?.tracepoints(named: pattern) ?? [] }

  func arguments(ofTracepoint name: String) -> [(name: String, type: TypeReference)]? {
    catalog?.arguments(ofTracepoint: name)
  }

  func hasFunction(_ name: String) -> Bool { catalog?.hasFunction(name) ?? false }

  /// Nil when the kernel publishes no BTF.
  fileprivate var catalog: BTFKernelCatalog? {
    known.withLock { known in
      known = known ?? (try? session.types.image()).map { BTFKernelCatalog($0, systems: Self.systems()) }
      return known
    }
  }

  /// What tracefs tells of tracepoints, where it is mounted.
  private static func systems() -> TracepointSystems {
    let path = Tracefs.mounted().map { Paths.join($0.path, "available_events") }
    return TracepointSystems(listing: path.flatMap { try? readSmallFile($0) } ?? [])
  }
}

/// The kernel's types, of which there are none without BTF.
private struct LazyKernelTypes: TypeSource {
  let kernel: LazyKernel

  private var source: (any TypeSource)? { kernel.catalog?.types }

  func layout(of type: TypeReference) -> TypeLayout { source?.layout(of: type) ?? .opaque("unknown") }
  func spelling(of type: TypeReference?) -> String { source?.spelling(of: type) ?? "unknown" }
  func type(named name: String) -> TypeReference? { source?.type(named: name) }
  func enumerator(named name: String) -> Int64? { source?.enumerator(named: name) }
}
