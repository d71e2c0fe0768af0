import CEventLoop
import Glibc
import Synchronization

/// Makes a named pipe, in the place of what had that name before (mkfifo(3)).
///
/// The owner may always read and write.
/// - Throws: ``SystemError`` for the call that failed.
package func makeNamedPipe(_ path: String, permissions: UInt32) throws(SystemError) {
  let new = path + ".new"
  _ = unsafe unlink(new)
  guard unsafe mkfifo(new, 0o600) == 0 else { throw SystemError("mkfifo", on: path, code: errno) }
  // mkfifo(3) heeds the umask of the process.
  guard unsafe chmod(new, mode_t(permissions | 0o600)) == 0, unsafe rename(new, path) == 0 else {
    throw SystemError("rename", on: path, code: errno)
  }
}

/// A named pipe that others write to.
package final class PipeSink {
  private let file: OwnedFD

  /// Makes the pipe.
  /// - Throws: ``SystemError`` when that fails.
  package init(_ path: String, permissions: UInt32) throws(SystemError) {
    try makeNamedPipe(path, permissions: permissions)
    // Open for writing too: with a writer there is never an end of the file.
    let raw = unsafe open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
    guard raw >= 0 else { throw SystemError("open", on: path, code: errno) }
    file = OwnedFD(adopting: raw)
  }

  /// For ``EventLoop/add(_:tag:)``.
  package var raw: CInt { file.raw }

  /// What has been written, at most `count` bytes; empty when there is nothing.
  package func read(upTo count: Int) -> [UInt8] { (try? file.read(upTo: count)) ?? [] }
}

/// A named pipe that gives every reader a text of its own.
///
/// Only open(2) tells that somebody wants to read a pipe, by returning: a thread waits in it.
package final class PipeSource: Sendable {
  private struct State {
    var text: [UInt8] = []
    var isOver = false
  }

  private let path: String
  private let permissions: UInt32
  private let state = Mutex(State())
  private let requests: Bell
  private let answers: Bell

  /// Makes the pipe and waits for readers.
  /// - Throws: ``SystemError`` when that fails.
  package init(_ path: String, permissions: UInt32) throws(SystemError) {
    self.path = path
    self.permissions = permissions
    requests = try Bell()
    answers = try Bell()
    try makeNamedPipe(path, permissions: permissions)
    _ = WorkerThread { self.serveReaders() }
  }

  /// Readable while a reader waits; for ``EventLoop/add(_:tag:)``.
  package var raw: CInt { requests.raw }

  /// Gives the reader that waits what `text` makes.
  package func answer(_ text: () -> [UInt8]) {
    requests.wait()
    let bytes = text()
    state.withLock { $0.text = bytes }
    answers.ring()
  }

  /// Removes the pipe; readers that wait find it empty.
  package func stop() {
    state.withLock { state in
      state.isOver = true
      // Somebody who reads lets the thread out of open(2); it finds that all is over.
      let reader = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
      _ = unsafe unlink(path)
      if reader >= 0 { close(reader) }
    }
    answers.ring()
  }

  private func serveReaders() {
    while let writer = openedForReader() {
      requests.ring()
      answers.wait()
      let (text, isOver) = state.withLock { ($0.text, $0.isOver) }
      if isOver { return }
      try? writer.write(text)
    }
  }

  /// Waits for a reader; nil when all is over.
  private func openedForReader() -> OwnedFD? {
    var raw: CInt = -1
    repeat { raw = unsafe open(path, O_WRONLY | O_CLOEXEC) } while raw < 0 && errno == EINTR
    guard raw >= 0 else { return nil }
    let file = OwnedFD(adopting: raw)
    // Whoever opens it from now on waits for a text of its own.
    let goesOn = state.withLock { state in
      guard !state.isOver else { return false }
      return (try? makeNamedPipe(path, permissions: permissions)) != nil
    }
    if goesOn { return file }
    return nil
  }
}

/// Tells one thread of another's event, as a descriptor that becomes readable (pipe(2)).
private struct Bell: ~Copyable, Sendable {
  private let reader: OwnedFD
  private let writer: OwnedFD

  init() throws(SystemError) {
    var ends: [CInt] = [0, 0]
    guard unsafe ce_pipe(&ends) == 0 else { throw SystemError("pipe2", on: "", code: errno) }
    reader = OwnedFD(adopting: ends[0])
    writer = OwnedFD(adopting: ends[1])
  }

  var raw: CInt { reader.raw }

  func ring() { try? writer.write([1]) }

  func wait() { _ = try? reader.read(upTo: 1) }
}
