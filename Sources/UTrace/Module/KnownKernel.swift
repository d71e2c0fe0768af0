import KernelBridge
import Platform

/// What tries have shown about this kernel since it was booted, kept between runs: each try costs some system calls.
///
/// Told apart by boot, capabilities and release. What a look at the file system tells is not kept.
struct KnownKernel {
  private let cache: CacheDirectory?
  private let key: Key
  private let findings: Findings

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

  /// What was found out.
  private struct Findings: BinaryCoded, Hashable {
    var states: [KernelFeature: FeatureState] = [:]
    var functions: [String: UInt32] = [:]

    init(states: [KernelFeature: FeatureState] = [:], functions: [String: UInt32] = [:]) {
      self.states = states
      self.functions = functions
    }

    init(from reader: inout BinaryReader) throws(CodingFailure) {
      let features: [KernelFeature] = try reader.value()
      let states: [FeatureState] = try reader.value()
      let names: [String] = try reader.value()
      let numbers: [UInt64] = try reader.value()
      self.init(
        states: Dictionary(zip(features, states)) { first, _ in first },
        functions: Dictionary(zip(names, numbers.map { UInt32(clamping: $0) })) { first, _ in first }
      )
    }

    func write(to writer: inout BinaryWriter) {
      writer.write(states.keys.map { $0 }, states.values.map { $0 })
      writer.write(functions.keys.map { $0 }, functions.values.map { UInt64($0) })
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
    findings =
      cache?.read(Self.fileName).flatMap { [key] in try? Self.findings(in: $0.copied(), for: key) }
      ?? Findings()
  }

  /// The kernel, with what is known of it.
  func session() -> KernelSession {
    KernelSession(knowing: findings.states, functions: findings.functions, typeIndex: kept("types"))
  }

  /// Where something that stays the same until the next boot is kept.
  func kept(_ name: String) -> KeptBytes? {
    key.boot.isEmpty ? nil : cache.map { KeptBytes($0, name, key: key.boot) }
  }

  /// Keeps what `session` has found out, if that is more.
  func learn(from session: KernelSession) {
    let states = session.features.tried.filter { !Self.cheap.contains($0.key) }
    let found = Findings(states: states, functions: session.types.knownFunctions)
    guard found != findings, !key.boot.isEmpty else { return }
    var writer = BinaryWriter()
    writer.write(key, found)
    cache?.write(Self.fileName, writer.bytes)
  }

  private static func findings(in bytes: [UInt8], for key: Key) throws(CodingFailure) -> Findings {
    var reader = BinaryReader(bytes)
    return try reader.value() == key ? reader.value() : Findings()
  }
}
