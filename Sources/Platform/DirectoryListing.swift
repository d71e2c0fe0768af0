import Glibc

/// The names in one directory, without `.` and `..`, sorted by bytes.
package struct DirectoryListing: Sendable {
  /// What tells one file from another, whatever it is called.
  package struct Identity: Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64
  }

  /// One name and, where the file system tells without asking again, its kind.
  package struct Entry: Hashable, Sendable {
    package let name: String
    /// Nil when the file system does not say; ask ``FileStatus``.
    package let kind: FileStatus.Kind?
    package let identity: Identity
  }

  package let entries: [Entry]

  /// Reads the directory at `path`.
  /// - Throws: ``SystemError`` for `opendir(3)`.
  package init(_ path: String) throws(SystemError) {
    guard let stream = unsafe opendir(path) else { throw SystemError("opendir", on: path, code: errno) }
    defer { unsafe closedir(stream) }
    var info = stat()
    guard unsafe fstat(dirfd(stream), &info) == 0 else { throw SystemError("fstat", on: path, code: errno) }
    var found: [Entry] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      guard name != "." && name != ".." else { continue }
      let kind: FileStatus.Kind? =
        switch unsafe CInt(entry.pointee.d_type) {
        case CInt(DT_REG): .regular
        case CInt(DT_DIR): .directory
        case CInt(DT_LNK): .symbolicLink
        case CInt(DT_UNKNOWN): nil
        default: .other
        }
      let identity = Identity(device: UInt64(info.st_dev), inode: unsafe UInt64(entry.pointee.d_ino))
      found.append(Entry(name: name, kind: kind, identity: identity))
    }
    entries = found.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }
}
