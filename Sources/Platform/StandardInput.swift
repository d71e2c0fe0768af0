import Glibc

/// Standard input, read as it comes.
package final class StandardInput {
  /// For ``EventLoop/add(_:tag:)``, which refuses regular files: those never wait.
  package static let raw: CInt = 0

  private var savedMode: termios?

  /// With `characterwise`, a terminal gives each character at once and does not show it.
  package init(characterwise: Bool) {
    guard characterwise, isatty(0) == 1 else { return }
    var mode = termios()
    guard unsafe tcgetattr(0, &mode) == 0 else { return }
    savedMode = mode
    mode.c_lflag &= ~tcflag_t(ICANON | ECHO)
    _ = unsafe tcsetattr(0, TCSANOW, &mode)
  }

  deinit { restore() }

  /// Gives the terminal back as it was.
  package func restore() {
    guard var mode = savedMode else { return }
    _ = unsafe tcsetattr(0, TCSANOW, &mode)
    savedMode = nil
  }

  /// What is there, at most `count` bytes; nil at the end.
  package func read(upTo count: Int) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: count)
    let got = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(0, $0.baseAddress, $0.count) }
    if got < 0, errno == EINTR || errno == EAGAIN { return [] }
    return got > 0 ? Array(buffer[..<got]) : nil
  }
}
