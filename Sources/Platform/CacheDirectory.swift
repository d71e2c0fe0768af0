import Glibc

/// A directory of files that can all be made again: indexes, modules.
///
/// Everything about it may fail without harm. Files that another user could have written are not read: what root
/// keeps here becomes programs in the kernel.
package struct CacheDirectory: Hashable, Sendable {
  package let path: String

  /// Takes `path` for one.
  package init(_ path: String) { self.path = path }

  /// Where things of one kind go: root has one directory, users have their own (XDG Base Directory
  /// Specification); nil without a home.
  package static func standard(_ kind: String, environment: Environment) -> CacheDirectory? {
    if let base = environment["XDG_CACHE_HOME"], base.hasPrefix("/") {
      return CacheDirectory("\(base)/utrace/\(kind)")
    }
    if geteuid() == 0 { return CacheDirectory("/var/cache/utrace/\(kind)") }
    guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
    return CacheDirectory("\(home)/.cache/utrace/\(kind)")
  }

  /// The bytes of the file called `name`; nil when there is none, or somebody else could have written it.
  ///
  /// Once a day this counts as a use of the file, which keeps it from being pruned.
  package func read(_ name: String) -> SharedBytes? {
    guard let folder = try? FileStatus(of: path), folder.isWrittenByUsOnly else { return nil }
    var modified: Int64?
    let bytes = try? SharedBytes(mapping: filePath(name)) { status in
      modified = status.modifiedNanoseconds
      return status.isWrittenByUsOnly
    }
    if bytes != nil, let modified, Int64(clamping: Clock.realtimeNanoseconds()) - modified > Self.day {
      unsafe _ = utimensat(AT_FDCWD, filePath(name), nil, 0)
    }
    return bytes
  }

  /// In nanoseconds.
  private static let day: Int64 = 86_400_000_000_000

  /// Keeps `bytes` as `name`; readers see the old file or the new one.
  package func write(_ name: String, _ bytes: [UInt8]) {
    try? createDirectories(path, permissions: 0o700)
    try? writeFile(filePath(name), bytes, permissions: 0o600)
  }

  /// Forgets the file called `name`.
  package func remove(_ name: String) { try? removeFile(filePath(name)) }

  /// Removes the files that were not used for longest until the rest takes at most `byteCount` bytes.
  package func prune(toByteCount byteCount: Int) {
    guard let entries = try? DirectoryListing(path).entries else { return }
    let files = entries.compactMap { entry in
      (try? FileStatus(of: filePath(entry.name), followingLinks: false)).map { (entry.name, $0) }
    }
    var total = files.reduce(0) { $0 + $1.1.byteCount }
    for (name, status) in files.sorted(by: { $0.1.modifiedNanoseconds < $1.1.modifiedNanoseconds }) {
      guard total > byteCount else { return }
      remove(name)
      total -= status.byteCount
    }
  }

  /// Why nothing can be kept here; nil when something can.
  package func writingProblem() -> SystemError? {
    do throws(SystemError) {
      try createDirectories(path, permissions: 0o700)
      return unsafe access(path, W_OK) == 0 ? nil : SystemError("access", on: path, code: errno)
    } catch { return error }
  }

  private func filePath(_ name: String) -> String { Paths.join(path, name) }
}
