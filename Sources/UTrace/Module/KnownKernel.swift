import KernelBridge
import Platform

/// What tries have shown about this kernel since it was booted, kept between runs: each try costs some system calls.
///
/// Told apart by boot, capabilities and release. What a look at the file system tells is not kept.
struct KnownKernel {
  private let cache: CacheDirectory?
  private let key: Key
  private let states: [KernelFeature: FeatureState]

  private static let fileName = "features"
  private static let cheap: Set<KernelFeature> = [.btf, .kprobe, .tracefs, .tracepoint, .uprobe]

  private struct Key: Codable, Hashable {
    var boot: [UInt8]
    var capabilities: UInt64
    var kernel: String
    var executable: FileFact
  }

  private struct File: Codable {
    var key: Key
    var states: [KernelFeature: FeatureState]
  }

  /// Reads what is known.
  init(_ environment: Environment, _ machine: MachineInfo) {
    cache = CacheDirectory.standard("kernel", environment: environment)
    key = Key(
      boot: (try? readSmallFile("/proc/sys/kernel/random/boot_id")) ?? [],
      capabilities: Capabilities.current.effective,
      kernel: "\(machine.kernelRelease) \(machine.kernelVersion)",
      executable: FileFact("/proc/self/exe")
    )
    let file = cache?.read(Self.fileName).flatMap { try? BinaryDecoder().decode(File.self, from: $0) }
    states = file?.key == key ? file?.states ?? [:] : [:]
  }

  /// The kernel, with what is known of it.
  func session() -> KernelSession { KernelSession(knowing: states) }

  /// Keeps what `session` has found out, if that is more.
  func learn(from session: KernelSession) {
    let found = session.features.tried.filter { !Self.cheap.contains($0.key) }
    guard found != states, !key.boot.isEmpty,
      let bytes = try? BinaryEncoder().encode(File(key: key, states: found))
    else { return }
    cache?.write(Self.fileName, bytes)
  }
}
