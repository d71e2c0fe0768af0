import Glibc

/// A process by its ID, as `/proc` shows it.
package struct RunningProcess: Hashable, Sendable {
  package let pid: Int32

  package init(pid: Int32) { self.pid = pid }

  /// This process.
  package static func current() -> RunningProcess { RunningProcess(pid: getpid()) }

  /// The user whose rights this process has.
  package static var effectiveUserID: UInt32 { geteuid() }

  /// Every process that `/proc` shows, by ascending ID.
  /// - Throws: ``SystemError`` when `/proc` cannot be listed.
  package static func all() throws(SystemError) -> [RunningProcess] {
    try DirectoryListing("/proc").entries.compactMap { Int32($0.name) }.sorted().map(RunningProcess.init)
  }

  /// Whether it exists now; a process of another user counts, so does a zombie.
  package var exists: Bool { kill(pid, 0) == 0 || errno == EPERM }

  /// The path to open the executable by: right across mount namespaces and after deletion.
  package var executableLink: String { "/proc/\(pid)/exe" }

  /// Where its file system root is: prefix for the absolute paths in its maps.
  package var rootDirectory: String { "/proc/\(pid)/root" }

  /// The executable's path in the process's own mount namespace; ` (deleted)` is removed.
  /// - Throws: ``SystemError`` when it is gone, a kernel thread, or another user's.
  package func executablePath() throws(SystemError) -> String {
    let path = try Paths.linkTarget(executableLink)
    return path.hasSuffix(deletedMark) ? String(path.dropLast(deletedMark.count)) : path
  }

  /// `comm`: at most 15 bytes.
  /// - Throws: ``SystemError`` when it is gone.
  package func commandName() throws(SystemError) -> String {
    let text = try readSmallText("/proc/\(pid)/comm")
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// The arguments it was started with, or what it put there since.
  /// - Throws: ``SystemError`` when it is gone.
  package func arguments() throws(SystemError) -> [String] {
    try readSmallFile("/proc/\(pid)/cmdline").split(separator: 0, omittingEmptySubsequences: false)
      .dropLast().map { String(decoding: $0, as: UTF8.self) }
  }

  /// The environment it was started with.
  /// - Throws: ``SystemError`` when it is gone or another user's.
  package func environment() throws(SystemError) -> Environment {
    Environment(block: try readSmallFile("/proc/\(pid)/environ"))
  }

  /// Clock ticks between boot and its start (proc(5), field 22 of `stat`): with the ID, its identity.
  /// - Throws: ``SystemError`` when it is gone.
  package func startTicks() throws(SystemError) -> UInt64 { try statistics().startTicks }

  /// The parent's ID.
  /// - Throws: ``SystemError`` when it is gone.
  package func parentID() throws(SystemError) -> Int32 { try statistics().parent }

  /// Whether it has ended and its parent has not taken notice.
  /// - Throws: ``SystemError`` when it is gone.
  package func isZombie() throws(SystemError) -> Bool { try statistics().state == "Z" }

  /// Its process group's ID; 0 when it is gone.
  package var groupID: Int32 { max(0, getpgid(pid)) }

  /// Its session's ID; 0 when it is gone.
  package var sessionID: Int32 { max(0, getsid(pid)) }

  /// Where the code of the program that it runs begins.
  /// - Throws: ``SystemError`` when it is gone.
  package func codeStart() throws(SystemError) -> UInt64 { try statistics().codeStart }

  /// Real and effective user and group (proc_pid_status(5)).
  /// - Throws: ``SystemError`` when it is gone.
  package func identity() throws(SystemError) -> ProcessIdentity {
    var users: [Int64] = []
    var groups: [Int64] = []
    for line in try readSmallText("/proc/\(pid)/status").split(separator: "\n") {
      let numbers = line.split(separator: "\t").dropFirst().compactMap { Int64($0) }
      if line.hasPrefix("Uid:") { users = numbers }
      if line.hasPrefix("Gid:") { groups = numbers }
    }
    guard users.count > 1, groups.count > 1 else {
      throw SystemError("parse", on: "/proc/\(pid)/status", code: EINVAL)
    }
    return ProcessIdentity(
      user: users[0],
      effectiveUser: users[1],
      group: groups[0],
      effectiveGroup: groups[1]
    )
  }

  /// Thread IDs, ascending.
  /// - Throws: ``SystemError`` when it is gone.
  package func threadIDs() throws(SystemError) -> [Int32] {
    try DirectoryListing("/proc/\(pid)/task").entries.compactMap { Int32($0.name) }.sorted()
  }

  /// What is mapped where.
  /// - Throws: ``SystemError`` when it is gone or another user's.
  package func maps() throws(SystemError) -> ProcessMaps {
    ProcessMaps(text: try readSmallFile("/proc/\(pid)/maps"))
  }

  /// Fields of `/proc/PID/stat` after the command name, which may contain spaces and parentheses.
  private func statistics() throws(SystemError) -> Statistics {
    let path = "/proc/\(pid)/stat"
    let text = try readSmallText(path)
    let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
    guard fields.count > 24, let parent = Int32(fields[2]), let start = UInt64(fields[20]),
      let code = UInt64(fields[24])
    else {
      throw SystemError("parse", on: path, code: EINVAL)
    }
    return Statistics(state: String(fields[1]), parent: parent, startTicks: start, codeStart: code)
  }

  private struct Statistics {
    let state: String
    let parent: Int32
    let startTicks: UInt64
    let codeStart: UInt64
  }
}

/// Who a process belongs to.
package struct ProcessIdentity: Hashable, Sendable {
  package let user: Int64
  package let effectiveUser: Int64
  package let group: Int64
  package let effectiveGroup: Int64
}

/// What the kernel appends to the path of an unlinked file.
let deletedMark = " (deleted)"
