package import Platform

/// Where a session's output goes: text as the script prints it, or JSON lines.
///
/// Output is collected and written at once: one write(2) for each round of the session.
package final class OutputSink {
  /// How output looks.
  package enum Format: Hashable, Sendable {
    case text
    /// One object a line; see ``JSONLine``.
    case json
  }

  /// Why nothing more can be written.
  package enum Failure: Equatable, Sendable {
    /// Nobody reads the pipe any more.
    case closed
    /// Disk full, input/output error: what write(2) said.
    case failed(SystemError)
  }

  package let format: Format
  private var file: OwnedFD
  private let name: String
  private let errors: (String) -> Void
  /// How many files there have been for `switch_file()`; nil where output goes elsewhere.
  private var fileNumber: Int?
  private var pending = ByteBuffer()
  package private(set) var failure: Failure?
  /// What becomes readable when the user has waited enough for output to go somewhere.
  var interruption: CInt?

  /// Writes to `file`, which messages call `name`; messages to the user go to `errors`, a line each.
  package init(
    _ format: Format,
    file: consuming OwnedFD,
    name: String,
    errors: @escaping (String) -> Void = { StandardStream.error.write($0 + "\n") }
  ) {
    self.format = format
    self.file = file
    self.name = name
    self.errors = errors
  }

  /// Writes to standard output.
  /// - Throws: ``SystemError`` when it is closed.
  package static func standardOutput(_ format: Format) throws(SystemError) -> OutputSink {
    // The process's own descriptor stays open: others may print too.
    let copy = try StandardStream.output.duplicate()
    return OutputSink(format, file: copy, name: "standard output")
  }

  /// Writes to a file, which is created or emptied.
  /// - Throws: ``SystemError`` for `open(2)`.
  package static func file(_ path: String, _ format: Format) throws(SystemError) -> OutputSink {
    let sink = OutputSink(format, file: try OwnedFD(creating: path), name: path)
    sink.fileNumber = 0
    return sink
  }

  /// Goes on in the next file: `out`, `out.1`, `out.2`; output that goes to no file stays where it is.
  func switchFile() {
    guard let number = fileNumber, failure == nil else { return }
    flush()
    let path = "\(name).\(number + 1)"
    do throws(SystemError) { file = try OwnedFD(creating: path) } catch {
      return errors("WARNING: cannot switch to \(path): \(error.text)")
    }
    fileNumber = number + 1
  }

  /// What a script printed.
  package func print(_ bytes: [UInt8]) {
    pending.append(bytes)
    if pending.count >= 1 << 16 { flush() }
  }

  /// One object of JSON.
  package func write(_ line: JSONLine) {
    line.append(to: &pending)
    if pending.count >= 1 << 16 { flush() }
  }

  /// A message for the user, which is no output of the script; in JSON it is a line too.
  package func report(_ text: String, as line: JSONLine) {
    flush()
    if format == .json { write(line) }
    errors(text)
  }

  /// Writes what has been collected; after a failure it is dropped.
  package func flush() {
    guard !pending.isEmpty else { return }
    defer { pending.clear() }
    guard failure == nil else { return }
    do {
      if let interruption, !file.isRegularFile {
        if try !file.write(pending.bytes, subject: name, interruption: interruption) { failure = .closed }
      } else {
        try file.write(pending.bytes, subject: name)
      }
    } catch {
      failure = error.isBrokenPipe ? .closed : .failed(error)
      if case .failed = failure { errors("ERROR: cannot write to \(name): \(error.text)") }
    }
  }
}
