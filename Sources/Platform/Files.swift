import Glibc

/// Reads a whole file without trusting its size: `/proc`, `/sys`, configuration.
/// - Throws: ``SystemError``; `EFBIG` when there are more than `limit` bytes.
package func readSmallFile(_ path: String, limit: Int = 64 << 20) throws(SystemError) -> [UInt8] {
  let file = try OwnedFD(reading: path)
  var content: [UInt8] = []
  while true {
    // Files of /proc/sys take kernel memory for as much as is asked for, not for what there is: 1 ms for 256 KB.
    let chunk = try file.read(upTo: content.count < 16 << 10 ? 16 << 10 : 256 << 10, subject: path)
    if chunk.isEmpty { return content }
    guard content.count + chunk.count <= limit else { throw SystemError("read", on: path, code: EFBIG) }
    content += chunk
  }
}

/// Reads a whole small file as text; bytes that are not UTF-8 become U+FFFD.
/// - Throws: as ``readSmallFile(_:limit:)``.
package func readSmallText(_ path: String, limit: Int = 64 << 20) throws(SystemError) -> String {
  String(decoding: try readSmallFile(path, limit: limit), as: UTF8.self)
}

/// Replaces `path` by `bytes` in one step: readers see the old file or the new one, never a part.
/// - Throws: ``SystemError`` of the call that failed; the old file is then unchanged.
package func writeFile(
  _ path: String,
  _ bytes: [UInt8],
  permissions: UInt32 = 0o644
) throws(SystemError) {
  // PID and clock: two processes that write the same cache entry must not share a temporary file.
  let temporary = "\(path).\(getpid())-\(Clock.monotonicNanoseconds()).tmp"
  let file = try OwnedFD(creating: temporary, permissions: permissions, isExclusive: true)
  do throws(SystemError) {
    try file.write(bytes, subject: temporary)
  } catch {
    unsafe unlink(temporary)
    throw error
  }
  guard unsafe rename(temporary, path) == 0 else {
    let code = errno
    unsafe unlink(temporary)
    throw SystemError("rename", on: path, code: code)
  }
}

/// Removes a file; one that is not there is fine.
/// - Throws: ``SystemError`` for `unlink(2)`.
package func removeFile(_ path: String) throws(SystemError) {
  guard unsafe unlink(path) == 0 || errno == ENOENT else {
    throw SystemError("unlink", on: path, code: errno)
  }
}

/// Creates `path` and the directories above it where missing.
/// - Throws: ``SystemError`` for `mkdir(2)`.
package func createDirectories(_ path: String, permissions: UInt32 = 0o755) throws(SystemError) {
  if unsafe mkdir(path, mode_t(permissions)) == 0 { return }
  if errno == EEXIST {
    guard try FileStatus(of: path).kind == .directory else {
      throw SystemError("mkdir", on: path, code: ENOTDIR)
    }
    return
  }
  guard errno == ENOENT, let parent = Paths.parent(of: path), parent != path else {
    throw SystemError("mkdir", on: path, code: errno)
  }
  try createDirectories(parent, permissions: permissions)
  guard unsafe mkdir(path, mode_t(permissions)) == 0 || errno == EEXIST else {
    throw SystemError("mkdir", on: path, code: errno)
  }
}

/// Removes a file, or a directory that is empty; what cannot be removed stays.
package func removeFileOrEmptyDirectory(_ path: String) { _ = unsafe Glibc.remove(path) }
