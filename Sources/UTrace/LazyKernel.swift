import BTF
import Elaboration
import KernelBridge
import Platform
import Synchronization
import TargetModel

/// The running kernel's types and tracepoints, read when a script first asks: most never do, and BTF is megabytes.
final class LazyKernel: KernelCatalog {
  private let session: KernelSession
  private let listing: KeptBytes?
  /// Read once: a script with `syscall.*` asks seven hundred times.
  private let known = Mutex<BTFKernelCatalog?>(nil)

  /// `listing` keeps which tracepoint is of which system.
  init(session: KernelSession, listing: KeptBytes? = nil) {
    self.session = session
    self.listing = listing
  }

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
      known = known ?? (try? session.types.image()).map { BTFKernelCatalog($0, systems: systems) }
      return known
    }
  }

  /// What tracefs tells of tracepoints, where it is mounted.
  ///
  /// BTF has those of the kernel itself, whose list stays as it is while the kernel runs.
  private var systems: TracepointSystems {
    if let kept = listing?.load() { return TracepointSystems(listing: kept) }
    let path = Tracefs.mounted().map { Paths.join($0.path, "available_events") }
    let read = SharedBytes(path.flatMap { try? readSmallFile($0) } ?? [])
    if !read.isEmpty { listing?.store(read) }
    return TracepointSystems(listing: read)
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
