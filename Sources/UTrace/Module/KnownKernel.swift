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

  /// Boot, user and kernel.
  private struct Key: BinaryCoded, Hashable {
    var boot: [UInt8]
    var capabilities: UInt64
    var kernel: String
    var executable: FileFact

    init(boot: [UInt8], capabilities: UInt64, kernel: String, executable: FileFact) {
      self.boot = boot
      self.capabilities = capabilities
      self.kernel = kernel
      self.executable = executable
    }

    init(from reader: inout BinaryReader) throws(CodingFailure) {
      self.init(
        boot: try reader.readBlob(),
        capabilities: try reader.value(),
        kernel: try reader.value(),
        executable: try reader.value()
      )
    }

    func write(to writer: inout BinaryWriter) {
      writer.write(blob: boot)
      writer.write(capabilities, kernel, executable)
    }
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
    states =
      cache?.read(Self.fileName).flatMap { [key] in try? Self.states(in: $0.copied(), for: key) } ?? [:]
  }

  /// The kernel, with what is known of it.
  func session() -> KernelSession { KernelSession(knowing: states) }

  /// Keeps what `session` has found out, if that is more.
  func learn(from session: KernelSession) {
    let found = session.features.tried.filter { !Self.cheap.contains($0.key) }
    guard found != states, !key.boot.isEmpty else { return }
    var writer = BinaryWriter()
    writer.write(key, found.keys.map { $0 }, found.values.map { $0 })
    cache?.write(Self.fileName, writer.bytes)
  }

  private static func states(
    in bytes: [UInt8],
    for key: Key
  ) throws(CodingFailure) -> [KernelFeature: FeatureState] {
    var reader = BinaryReader(bytes)
    guard try reader.value() == key else { return [:] }
    let features: [KernelFeature] = try reader.value()
    let states: [FeatureState] = try reader.value()
    return Dictionary(zip(features, states)) { first, _ in first }
  }
}
