import Glibc
import Platform

/// Reads a small file of procfs, sysfs or tracefs, whose size stat(2) does not tell.
func readText(_ path: String) throws(SystemError) -> String {
  String(decoding: try readBytes(path), as: UTF8.self)
}

/// Reads a file to its end.
func readBytes(_ path: String, expecting byteCount: Int = 4096) throws(SystemError) -> [UInt8] {
  let file = try OwnedFD(reading: path)
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: byteCount)
  while true {
    let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(file.raw, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { throw SystemError("read", on: path, code: errno) }
    if count == 0 { return bytes }
    bytes += chunk[..<count]
  }
}
