import Glibc

/// A file whose every open(2), read(2) and write(2) this process answers, like one of `/proc` (FUSE).
///
/// It is a mount of its own, whose root is the file: that needs the right to mount, and no library. The words are those of
/// Linux, include/uapi/linux/fuse.h, protocol 7.31.
package final class ServedFile {
  /// What is made of a read at the file's beginning, and told of a write.
  package typealias Reading = () -> [UInt8]
  package typealias Writing = (_ bytes: [UInt8]) -> Void

  private enum Operation {
    static let forget: UInt32 = 2
    static let getAttributes: UInt32 = 3
    static let setAttributes: UInt32 = 4
    static let open: UInt32 = 14
    static let read: UInt32 = 15
    static let write: UInt32 = 16
    static let statFileSystem: UInt32 = 17
    static let release: UInt32 = 18
    static let flush: UInt32 = 25
    static let initialize: UInt32 = 26
    static let interrupt: UInt32 = 36
    static let forgetSeveral: UInt32 = 42
  }

  private static let headByteCount = 40
  /// Most bytes of one write; the kernel divides longer ones.
  private static let mostWritten = 128 << 10
  /// Requests that are answered before the caller looks after other things.
  private static let mostRequests = 64

  private let path: String
  private let permissions: UInt32
  private let device: OwnedFD
  /// What each open file has been given to read, by handle.
  private var texts: [UInt64: [UInt8]] = [:]
  private var lastHandle: UInt64 = 0
  private var isServed = true

  /// Makes the file.
  /// - Throws: ``SystemError`` when that fails, above all for want of CAP_SYS_ADMIN or of `/dev/fuse`.
  package init(_ path: String, permissions: UInt32) throws(SystemError) {
    self.path = path
    self.permissions = permissions & 0o777
    // One that was killed leaves its mount behind.
    _ = unsafe umount2(path, CInt(MNT_DETACH | UMOUNT_NOFOLLOW))
    try removeFile(path)
    _ = try OwnedFD(creating: path, permissions: 0o600, isExclusive: true)
    let raw = unsafe open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK)
    guard raw >= 0 else { throw SystemError("open", on: "/dev/fuse", code: errno) }
    device = OwnedFD(adopting: raw)
    let options =
      "fd=\(raw),rootmode=100644,user_id=\(geteuid()),group_id=\(getegid()),allow_other,default_permissions"
    let flags = UInt(MS_NOSUID | MS_NODEV | MS_NOEXEC)
    let status = unsafe options.withCString { unsafe mount("utrace", path, "fuse.utrace", flags, $0) }
    guard status == 0 else { throw SystemError("mount", on: path, code: errno) }
  }

  deinit { stop() }

  /// Readable while somebody waits; for ``EventLoop/add(_:tag:)``.
  package var raw: CInt { device.raw }

  /// Removes the file; who waits for it gets an error.
  package func stop() {
    guard isServed else { return }
    isServed = false
    _ = unsafe umount2(path, CInt(MNT_DETACH | UMOUNT_NOFOLLOW))
    _ = unsafe unlink(path)
  }

  /// Answers those who wait.
  package func answer(reading: Reading, writing: Writing) {
    for _ in 0..<Self.mostRequests {
      guard let request = try? device.read(upTo: Self.mostWritten + 4096), !request.isEmpty else { return }
      guard request.count >= Self.headByteCount else { continue }
      answer(request.rawSpan, reading, writing)
    }
  }

  // MARK: Requests

  private func answer(_ request: RawSpan, _ reading: Reading, _ writing: Writing) {
    guard let operation = request.load(at: 4, as: UInt32.self),
      let unique = request.load(at: 8, as: UInt64.self)
    else { return }
    var answer = ByteWriter()
    switch operation {
    case Operation.forget, Operation.forgetSeveral, Operation.interrupt: return
    case Operation.initialize: answerStart(&answer)
    case Operation.getAttributes, Operation.setAttributes: answerAttributes(&answer)
    case Operation.open: answerOpen(&answer)
    case Operation.read: answer.write(read(request, reading))
    case Operation.write: answer.write([take(request, writing), 0])
    case Operation.statFileSystem: answer.write([UInt8](repeating: 0, count: 80))
    case Operation.release:
      if let handle = argument(request, 0) { texts[handle] = nil }
    case Operation.flush: break
    default: return reply(unique, error: ENOSYS, [])
    }
    reply(unique, error: 0, answer.bytes)
  }

  private func reply(_ unique: UInt64, error: CInt, _ bytes: [UInt8]) {
    var answer = ByteWriter(reserving: 16 + bytes.count)
    answer.write(UInt32(16 + bytes.count))
    answer.write(-error)
    answer.write(unique)
    answer.write(bytes)
    // ENOENT: who asked does not wait any more.
    try? device.write(answer.bytes)
  }

  /// A 64-bit word of what follows the head.
  private func argument(_ request: RawSpan, _ offset: Int) -> UInt64? {
    request.load(at: Self.headByteCount + offset, as: UInt64.self)
  }

  /// `struct fuse_init_out`: no read-ahead, long writes in one (FUSE_BIG_WRITES, FUSE_MAX_PAGES).
  private func answerStart(_ answer: inout ByteWriter) {
    answer.write([7, 31, 0, 1 << 5 | 1 << 22] as [UInt32])
    answer.write(UInt16(8))
    answer.write(UInt16(8))
    answer.write(UInt32(Self.mostWritten))
    answer.write(UInt32(1))
    answer.write(UInt16(Self.mostWritten / 4096))
    answer.write([UInt8](repeating: 0, count: 64 - 30))
  }

  /// `struct fuse_attr_out`: an empty regular file, for an hour.
  private func answerAttributes(_ answer: inout ByteWriter) {
    answer.write([3600, 0] as [UInt64])
    answer.write([1, 0, 0, 0, 0, 0] as [UInt64])
    let mode = UInt32(S_IFREG) | permissions
    answer.write([0, 0, 0, mode, 1, geteuid(), getegid(), 0, 4096, 0] as [UInt32])
  }

  /// `struct fuse_open_out`: nothing is cached (FOPEN_DIRECT_IO).
  private func answerOpen(_ answer: inout ByteWriter) {
    lastHandle += 1
    answer.write(lastHandle)
    answer.write([1, 0] as [UInt32])
  }

  /// Who reads from the beginning gets a text of its own.
  ///
  /// `struct fuse_read_in`: handle, offset, size.
  private func read(_ request: RawSpan, _ reading: Reading) -> [UInt8] {
    guard let handle = argument(request, 0), let offset = argument(request, 8),
      let size = request.load(at: Self.headByteCount + 16, as: UInt32.self)
    else { return [] }
    if offset == 0 || texts[handle] == nil { texts[handle] = reading() }
    guard let text = texts[handle], let start = Int(exactly: offset), start < text.count else { return [] }
    return Array(text[start...].prefix(Int(size)))
  }

  /// Gives how many bytes were taken.
  ///
  /// `struct fuse_write_in`: handle, offset, size, …, then the bytes.
  private func take(_ request: RawSpan, _ writing: Writing) -> UInt32 {
    let start = Self.headByteCount + 40
    guard let size = request.load(at: Self.headByteCount + 16, as: UInt32.self),
      let bytes = try? request.slice(offset: start, count: Int(size))
    else { return 0 }
    writing(bytes.copied())
    return size
  }
}
