import Glibc

/// All bytes of the file at `path`, for small texts that are kept anyway; large files are better mapped.
/// - Throws: ``SystemError`` for `open(2)`, `fstat(2)` or `read(2)`.
package func readFile(_ path: String) throws(SystemError) -> [UInt8] {
  let file = try OwnedFD(reading: path)
  var info = stat()
  guard unsafe fstat(file.raw, &info) == 0 else { throw SystemError("fstat", on: path, code: errno) }
  guard info.st_mode & S_IFMT != S_IFDIR else { throw SystemError("read", on: path, code: EISDIR) }
  var bytes = [UInt8](repeating: 0, count: max(0, Int(info.st_size)) + 1)
  var filled = 0
  while true {
    let count = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe read(file.raw, buffer.baseAddress.map { unsafe $0 + filled }, buffer.count - filled)
    }
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else { throw SystemError("read", on: path, code: errno) }
    guard count > 0 else { break }
    filled += count
    // Files of /proc and pipes do not say their size.
    if filled == bytes.count { bytes += [UInt8](repeating: 0, count: bytes.count) }
  }
  bytes.removeLast(bytes.count - filled)
  return bytes
}
