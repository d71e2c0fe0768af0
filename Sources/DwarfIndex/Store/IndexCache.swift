import ELF
package import Platform
import TargetModel

/// The directory that keeps indexes between runs, one file a build ID.
///
/// Everything about it may fail without harm: the index is then built again.
package struct IndexCache {
  private let directory: CacheDirectory
  private let name: String

  /// What all indexes together may take, in bytes; one of a program with 100 MB of debug information takes 10 MB.
  static let byteLimit = 1 << 30

  /// The place of the index for `buildID`.
  init(directory: String, buildID: BuildID) {
    self.directory = CacheDirectory(directory)
    name = "\(buildID).index"
  }

  /// The stored index when it is whole and was made from files with that stamp.
  func load(stamp: UInt64) -> IndexFile? {
    guard let image = directory.read(name), let index = IndexFile(image), index.stamp == stamp else {
      return nil
    }
    return index
  }

  /// Stores an index for the next run, and makes room for it.
  func store(_ bytes: [UInt8]) {
    directory.write(name, bytes)
    directory.prune(toByteCount: Self.byteLimit)
  }

  /// Where indexes go by default.
  package static func standardDirectory(_ environment: Environment) -> String? {
    CacheDirectory.standard("index", environment: environment)?.path
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
