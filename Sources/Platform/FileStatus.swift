import Glibc

/// What `stat(2)` says about a file, as far as a tracer cares.
package struct FileStatus: Hashable, Sendable {
  /// What a path leads to.
  package enum Kind: Hashable, Sendable { case regular, directory, symbolicLink, other }

  package let kind: Kind
  package let byteCount: Int
  package let device: UInt64
  /// The parts of ``device`` (makedev(3)).
  package var deviceMajor: UInt32 {
    UInt32(truncatingIfNeeded: device >> 32 & 0xffff_f000 | device >> 8 & 0xfff)
  }
  package var deviceMinor: UInt32 { UInt32(truncatingIfNeeded: device >> 12 & 0xffff_ff00 | device & 0xff) }
  package let inode: UInt64
  /// `st_mtim`, nanoseconds since 1970; 0 when that does not fit.
  package let modifiedNanoseconds: Int64
  /// `st_ctim`, nanoseconds since 1970: unlike the time above, nobody can set it.
  package let changedNanoseconds: Int64
  /// `st_mode` without the kind: permissions, set-ID and sticky bits.
  package let permissions: UInt32
  package let userID: UInt32

  /// Follows symbolic links unless told otherwise.
  /// - Throws: ``SystemError`` for `stat(2)`.
  package init(of path: String, followingLinks: Bool = true) throws(SystemError) {
    var info = stat()
    let result = unsafe followingLinks ? stat(path, &info) : lstat(path, &info)
    guard result == 0 else { throw SystemError("stat", on: path, code: errno) }
    self.init(info)
  }

  /// Translates the C library's structure.
  init(_ info: stat) {
    kind =
      switch info.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .directory
      case S_IFLNK: .symbolicLink
      default: .other
      }
    byteCount = Int(info.st_size)
    device = UInt64(info.st_dev)
    inode = UInt64(info.st_ino)
    modifiedNanoseconds = Self.nanoseconds(info.st_mtim)
    changedNanoseconds = Self.nanoseconds(info.st_ctim)
    permissions = UInt32(info.st_mode & ~S_IFMT)
    userID = UInt32(info.st_uid)
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    let (nanoseconds, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? 0 : nanoseconds &+ Int64(time.tv_nsec)
  }

  /// Whether this user may read `path` (`access(2)`).
  package static func isReadable(_ path: String) -> Bool { unsafe access(path, R_OK) == 0 }

  /// Whether this user may run `path` (`access(2)`).
  package static func isExecutable(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

  /// Whether `path` is a regular file that this user may read: what a PATH search accepts.
  package static func isReadableFile(_ path: String) -> Bool {
    guard let status = try? FileStatus(of: path) else { return false }
    return status.kind == .regular && isReadable(path)
  }
}

extension FileStatus {
  /// Whether it belongs to this user and no other one may write to it.
  package var isWrittenByUsOnly: Bool { userID == geteuid() && permissions & 0o022 == 0 }

  /// Whether both are the same file, whatever the paths were.
  package func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }
}
