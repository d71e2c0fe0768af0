import ELF
import Glibc
package import Platform
import TargetModel

/// The directory that keeps indexes between runs, one file a build ID.
///
/// Everything about it may fail without harm: the index is then built again.
package struct IndexCache {
  private let directory: String
  private let path: String

  /// The place of the index for `buildID`.
  init(directory: String, buildID: BuildID) {
    self.directory = directory
    path = "\(directory)/\(buildID).index"
  }

  /// The stored index when it is whole and was made from files with that stamp.
  func load(stamp: UInt64) -> IndexFile? {
    // Someone else's file could be replaced while it is mapped.
    guard let status = try? FileStatus(of: path), status.kind == .regular,
      status.userID == geteuid(), status.permissions & 0o022 == 0,
      let image = try? SharedBytes(mapping: path), let index = IndexFile(image), index.stamp == stamp
    else { return nil }
    return index
  }

  /// Stores an index for the next run.
  func store(_ bytes: [UInt8]) {
    try? createDirectories(directory, permissions: 0o700)
    try? writeFile(path, bytes, permissions: 0o600)
  }

  /// Where indexes go by default: root shares one directory, users have their own (XDG Base Directory
  /// Specification).
  package static func standardDirectory(_ environment: Environment) -> String? {
    if let base = environment["XDG_CACHE_HOME"], base.hasPrefix("/") { return base + "/utrace/index" }
    if geteuid() == 0 { return "/var/cache/utrace/index" }
    guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
    return home + "/.cache/utrace/index"
  }
}

/// Tells apart the sets of files that an index can be made from.
enum IndexStamp {
  /// Changes when any of the files is replaced, or when another one is used.
  static func compute(_ files: [ELFFile?]) -> UInt64 {
    var stamp: UInt64 = UInt64(IndexHeader.version)
    for file in files {
      let status = file.flatMap { try? FileStatus(of: $0.path) }
      let parts = [
        status?.device ?? 0, status?.inode ?? 0, UInt64(status?.byteCount ?? 0),
        UInt64(bitPattern: status?.modifiedNanoseconds ?? 0),
      ]
      for part in parts {
        stamp = (stamp ^ part) &* 0xff51_afd7_ed55_8ccd
        stamp ^= stamp >> 32
      }
    }
    return stamp
  }
}
