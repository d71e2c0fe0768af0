/// A file that a process executes code from: its program, or a library that it has loaded.
package struct LoadedFile: Hashable, Sendable {
  /// As the process calls it, in its own mount namespace.
  package let path: String
  /// As it can be opened here: the same file even when another one has taken its path.
  package let openablePath: String
  /// Nothing here has its path any more, or something else has: the file was removed or replaced.
  package let isReplaced: Bool
}

extension RunningProcess {
  /// The files mapped executable, each once, in address order.
  /// - Throws: ``SystemError`` when it is gone or another user's.
  package func loadedFiles() throws(SystemError) -> [LoadedFile] {
    var seen: Set<FileKey> = []
    return try maps().regions.compactMap { region in
      guard region.isFile, region.permissions.contains(.execute), seen.insert(FileKey(region)).inserted else {
        return nil
      }
      return loadedFile(region)
    }
  }

  /// Paths are tried as we see them, then as the process does; `/proc/PID/map_files` has every file (Linux 3.3) for those
  /// with CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN.
  private func loadedFile(_ region: MappedRegion) -> LoadedFile {
    let inside = rootDirectory + region.path
    let places = region.isDeleted ? [] : [region.path, inside]
    if let found = places.first(where: { FileKey(ofFileAt: $0) == FileKey(region) }) {
      return LoadedFile(path: region.path, openablePath: found, isReplaced: false)
    }
    let name = "\(String(region.start, radix: 16))-\(String(region.end, radix: 16))"
    // btrfs and overlayfs show one device in maps and another one in stat(2).
    let isThere = !region.isDeleted && FileKey(ofFileAt: inside)?.inode == region.inode
    return LoadedFile(
      path: region.path,
      openablePath: isThere ? inside : "/proc/\(pid)/map_files/\(name)",
      isReplaced: !isThere
    )
  }
}

/// What tells files apart.
private struct FileKey: Hashable {
  let major: UInt32
  let minor: UInt32
  let inode: UInt64

  init(_ region: MappedRegion) {
    (major, minor, inode) = (region.deviceMajor, region.deviceMinor, region.inode)
  }

  init?(ofFileAt path: String) {
    guard let status = try? FileStatus(of: path) else { return nil }
    (major, minor, inode) = (status.deviceMajor, status.deviceMinor, status.inode)
  }
}
