import Elaboration
import Platform

/// Modules kept between runs: with the same script, library, binaries and kernel, translation is skipped.
///
/// One module file an entry, named by a hash of its key; the key in the file decides. An entry that is damaged,
/// out of date or not ours to trust counts as absent and is overwritten.
struct ModuleCache {
  private let directory: CacheDirectory

  /// What all entries together may take.
  static let byteLimit = 256 << 20

  init(_ directory: CacheDirectory) { self.directory = directory }

  /// The usual place; nil when there is none.
  static func standard(_ environment: Environment) -> ModuleCache? {
    CacheDirectory.standard("modules", environment: environment).map { ModuleCache($0) }
  }

  /// The module that was kept for `key`, if all that it was made from is as it was.
  func module(for key: [UInt8], lookingUpIn programs: SystemPrograms) -> ModuleFile? {
    let name = fileName(key)
    guard let bytes = directory.read(name),
      let image = try? ModuleImage(bytes, path: name, writtenBy: nil), image.facts.cacheKey == key,
      image.facts.dependencies.areUnchanged(lookingUpIn: programs)
    else { return nil }
    return try? image.module()
  }

  /// Keeps `module`, unless what it was made from may have changed meanwhile: `start` is when reading began, in
  /// nanoseconds since 1970.
  func keep(_ module: ModuleFile, start: UInt64) {
    guard module.facts.dependencies.latestChange < Int64(clamping: start) - Clock.fileSystemTick,
      let bytes = try? module.encoded()
    else { return }
    directory.write(fileName(module.facts.cacheKey), bytes)
  }

  /// Makes room: the oldest entries go.
  func prune() { directory.prune(toByteCount: Self.byteLimit) }

  /// Two FNV-1a hashes with different starts; a collision costs a miss.
  private func fileName(_ key: [UInt8]) -> String {
    [UInt64(0xcbf2_9ce4_8422_2325), 0x9ae1_6a3b_2f90_404f].map { start in
      let hash = key.reduce(start) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
      let digits = String(hash, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined() + ".o"
  }
}
