import Glibc

extension OwnedFD {
  /// Most bytes that a pipe takes without waiting when it says that it takes any (pipe(7), PIPE_BUF).
  private static let piece = 4096
  /// How long a reader that does not read may keep us after an interruption.
  private static let graceMilliseconds: CInt = 1000

  /// Writes all of `bytes` to a reader that may be slow or have stopped: when `interruption` becomes readable it has a
  /// second left to go on.
  /// - Returns: false when it did not.
  /// - Throws: ``SystemError`` for `write(2)`.
  package func write(
    _ bytes: [UInt8],
    subject: String,
    interruption: CInt
  ) throws(SystemError) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      if !waitUntilWritable(raw, orReadable: interruption, timeoutMilliseconds: -1),
        !waitUntilWritable(raw, orReadable: nil, timeoutMilliseconds: Self.graceMilliseconds)
      {
        return false
      }
      try write(Array(rest.prefix(Self.piece)), subject: subject)
      rest = rest.dropFirst(Self.piece)
    }
    return true
  }

  /// Whether writing to it never waits for anybody.
  package var isRegularFile: Bool {
    var status = stat()
    return unsafe fstat(raw, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }
}

/// Waits until `descriptor` takes bytes, or has failed; false when `interruption` has something to read before, or time is
/// up.
@discardableResult func waitUntilWritable(
  _ descriptor: CInt,
  orReadable interruption: CInt?,
  timeoutMilliseconds: CInt
) -> Bool {
  var waiting = [
    pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0),
    pollfd(fd: interruption ?? -1, events: Int16(POLLIN), revents: 0),
  ]
  var count: CInt = 0
  repeat { count = unsafe poll(&waiting, 2, timeoutMilliseconds) } while count < 0 && errno == EINTR
  return waiting[0].revents != 0
}
