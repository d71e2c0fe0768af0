import Glibc

/// The streams that every process has; never closed.
package enum StandardStream: CInt, Sendable {
  case output = 1
  case error = 2

  /// Writes `text` whole; a stream that does not take it (closed, full) loses the rest.
  package func write(_ text: String) { try? deliver(text) }

  /// Writes `text` whole.
  /// - Throws: ``SystemError`` for `write(2)`.
  package func deliver(_ text: String) throws(SystemError) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(rawValue, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN {
        waitUntilWritable(rawValue, orReadable: nil, timeoutMilliseconds: -1)
        continue
      }
      guard count > 0 else { throw SystemError("write", on: name, code: errno) }
      bytes = bytes.dropFirst(count)
    }
  }

  /// As messages call it.
  private var name: String { self == .output ? "standard output" : "standard error" }

  /// A descriptor of one's own for the same stream.
  /// - Throws: ``SystemError`` for `fcntl(2)`, when it is closed.
  package func duplicate() throws(SystemError) -> OwnedFD {
    let copy = fcntl(rawValue, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw SystemError("fcntl", on: name, code: errno) }
    return OwnedFD(adopting: copy)
  }

  /// Keeps what is opened later from taking the number of a stream that was closed, and with it the stream's output.
  ///
  /// Such a stream stays as useless as it was: reading standard input and writing to the others fails.
  package static func reserveNumbers() {
    for number: CInt in 0...2 where fcntl(number, F_GETFD) < 0 {
      // The lowest free number is this one.
      _ = unsafe open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY)
    }
  }

  /// From now on, writing to a pipe that nobody reads is an error instead of the end of this process.
  package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  /// Whether a person reads it.
  package var isTerminal: Bool { isatty(rawValue) == 1 }

  /// The terminal's width in characters; nil when there is none.
  package var columnCount: Int? {
    var size = winsize()
    guard unsafe ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }
}

extension StandardStream {
  /// Everything that can be read from standard input.
  /// - Throws: ``SystemError`` for `read(2)`.
  package static func readInput() throws(SystemError) -> [UInt8] {
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(0, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw SystemError("read", on: "standard input", code: errno) }
      if count == 0 { return result }
      result += buffer[..<count]
    }
  }
}
