/// What the kernel itself calls a file: `inode.i_ino` and `super_block.s_dev`.
///
/// On btrfs and overlayfs stat(2) answers otherwise. `/proc/self/fdinfo` has the inode's own number since Linux 5.14
/// (commit 3845f256a8b5), and the mount, whose device `/proc/self/mountinfo` tells; before that stat(2) has to do.
package struct KernelFileIdentity: Hashable, Sendable {
  package let inode: UInt64
  /// `dev_t` as the kernel packs it: 12 bits major, 20 bits minor (include/linux/kdev_t.h).
  package let device: UInt32

  /// Opens `path` to ask.
  /// - Throws: ``SystemError`` when it cannot be opened or asked.
  package init(of path: String) throws(SystemError) {
    let file = try OwnedFD(reading: path)
    let details = try readSmallText("/proc/self/fdinfo/\(file.raw)")
    guard let inode = Self.number(after: "ino:", in: details),
      let mount = Self.number(after: "mnt_id:", in: details),
      let device = try Self.device(ofMount: mount)
    else {
      let status = try FileStatus(of: path)
      self.inode = status.inode
      self.device = Self.packed(major: status.deviceMajor, minor: status.deviceMinor)
      return
    }
    self.inode = inode
    self.device = device
  }

  private static func number(after name: String, in text: String) -> UInt64? {
    let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
    return line.flatMap { UInt64($0.dropFirst(name.count).filter { $0 != " " && $0 != "\t" }) }
  }

  /// The third field of a line of mountinfo is `major:minor` (proc_pid_mountinfo(5)).
  private static func device(ofMount mount: UInt64) throws(SystemError) -> UInt32? {
    for line in try readSmallText("/proc/self/mountinfo").split(separator: "\n") {
      let fields = line.split(separator: " ", maxSplits: 3)
      guard fields.count > 2, UInt64(fields[0]) == mount else { continue }
      let numbers = fields[2].split(separator: ":").map { UInt32($0) }
      guard numbers.count == 2, let major = numbers[0], let minor = numbers[1] else { return nil }
      return packed(major: major, minor: minor)
    }
    return nil
  }

  private static func packed(major: UInt32, minor: UInt32) -> UInt32 { major << 20 | minor & 0xfffff }
}
