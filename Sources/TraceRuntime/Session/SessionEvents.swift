import Platform
import TargetModel
import TraceIR

/// The files and the standard input of a session, as descriptors of its event loop.
final class SessionEvents {
  /// Runs a probe with that `$value`, which may become as long as the limit says; gives what it is then.
  typealias Run = (_ probe: Int, _ text: ByteString, _ limit: Int) -> ByteString

  /// Tags of events begin here.
  private static let firstTag: UInt64 = 1 << 32
  /// Bytes of standard input at a time.
  private static let inputByteCount = 4096

  private enum Source {
    case readers(PipeSource, probes: [Int], limit: Int)
    case writers(PipeSink, probes: [Int])
    case input(StandardInput)
  }

  private var sources: [Source] = []
  private let directory: SessionDirectory?
  private let stringLimit: Int
  private let characterProbes: [Int]
  private let lineProbes: [Int]
  private var line = ByteString()
  /// Standard input is a file: it is always there.
  private var inputTag: UInt64?

  /// Makes every file of `program` and adds all to `loop`.
  /// - Throws: ``SystemError`` when a file cannot be made.
  init(_ program: TraceProgram, directory path: String, in loop: borrowing EventLoop) throws(SystemError) {
    var files: [(event: SessionEvent, probes: [Int])] = []
    var (characterProbes, lineProbes): ([Int], [Int]) = ([], [])
    for (index, probe) in program.probes.enumerated() {
      guard case .event(let event) = probe.trigger else { continue }
      switch event.kind {
      case .inputCharacter: characterProbes.append(index)
      case .inputLine: lineProbes.append(index)
      case .fileRead, .fileWrite:
        guard let known = files.firstIndex(where: { $0.event.path == event.path }) else {
          files.append((event, [index]))
          continue
        }
        files[known].probes.append(index)
        files[known].event.permissions |= event.permissions
        files[known].event.byteCount = max(files[known].event.byteCount, event.byteCount)
      }
    }
    stringLimit = program.limits.longestString
    (self.characterProbes, self.lineProbes) = (characterProbes, lineProbes)
    directory = files.isEmpty ? nil : try SessionDirectory(path)
    let usual = program.limits.fileByteCount > 0 ? program.limits.fileByteCount : program.limits.longestString
    for (event, probes) in files { try add(event, probes, usual, in: loop) }
    if !characterProbes.isEmpty || !lineProbes.isEmpty { addInput(to: loop) }
  }

  private func add(
    _ event: SessionEvent,
    _ probes: [Int],
    _ usualByteCount: Int,
    in loop: borrowing EventLoop
  ) throws(SystemError) {
    guard let directory else { return }
    let path = try directory.place(event.path)
    let permissions = UInt32(clamping: event.permissions)
    if event.kind == .fileRead {
      let source = try PipeSource(path, permissions: permissions)
      let limit = event.byteCount > 0 ? event.byteCount : usualByteCount
      try loop.add(source.raw, tag: nextTag)
      sources.append(.readers(source, probes: probes, limit: limit))
    } else {
      let sink = try PipeSink(path, permissions: permissions)
      try loop.add(sink.raw, tag: nextTag)
      sources.append(.writers(sink, probes: probes))
    }
  }

  private func addInput(to loop: borrowing EventLoop) {
    do { try loop.add(StandardInput.raw, tag: nextTag) } catch { inputTag = nextTag }
    sources.append(.input(StandardInput(characterwise: !characterProbes.isEmpty)))
  }

  private var nextTag: UInt64 { Self.firstTag + UInt64(sources.count) }

  /// What happens all the time, without the loop telling of it.
  var constantTags: [UInt64] { inputTag.map { [$0] } ?? [] }

  /// Runs the probes of the event with that tag; false for a tag of something else.
  func handle(_ tag: UInt64, in loop: borrowing EventLoop, _ run: Run) -> Bool {
    guard tag >= Self.firstTag, tag - Self.firstTag < UInt64(sources.count) else { return false }
    switch sources[Int(tag - Self.firstTag)] {
    case .readers(let source, let probes, let limit):
      source.answer {
        probes.reduce(ByteString()) { text, probe in run(probe, text, limit) }.cut(to: limit).bytes
      }
    case .writers(let sink, let probes):
      let text = ByteString(sink.read(upTo: max(1, stringLimit)))
      if !text.isEmpty { for probe in probes { _ = run(probe, text, stringLimit) } }
    case .input(let input):
      if let bytes = input.read(upTo: Self.inputByteCount) {
        for byte in bytes { take(byte, run) }
      } else {
        loop.remove(StandardInput.raw)
        inputTag = nil
      }
    }
    return true
  }

  /// A line that is longer than strings are loses its end.
  private func take(_ byte: UInt8, _ run: Run) {
    for probe in characterProbes { _ = run(probe, ByteString([byte]), stringLimit) }
    guard !lineProbes.isEmpty else { return }
    if line.count < stringLimit { line.bytes.append(byte) }
    guard byte == UInt8(ascii: "\n") else { return }
    for probe in lineProbes { _ = run(probe, line, stringLimit) }
    line = ByteString()
  }

  /// Removes the files and gives the terminal back.
  func stop() {
    for source in sources {
      switch source {
      case .readers(let source, _, _): source.stop()
      case .writers: break
      case .input(let input): input.restore()
      }
    }
    sources = []
    inputTag = nil
    directory?.remove()
  }
}

/// The directory of a session's files, which nobody else may write to.
private final class SessionDirectory {
  private let path: String
  /// What was made below it, directories before what is in them.
  private var made: [String] = []

  /// Makes it.
  /// - Throws: ``SystemError`` when that fails or it is somebody else's.
  init(_ path: String) throws(SystemError) {
    self.path = path
    try createDirectories(path, permissions: 0o755)
    let status = try FileStatus(of: path, followingLinks: false)
    guard status.kind == .directory, status.isWrittenByUsOnly else {
      throw SystemError("open", on: "\(path), which others may write to", code: SystemError.notPermitted)
    }
  }

  /// The path of a file that the session is about to make.
  func place(_ file: String) throws(SystemError) -> String {
    let whole = Paths.join(path, file)
    if let parent = Paths.parent(of: whole), parent != path, !made.contains(parent) {
      try createDirectories(parent, permissions: 0o755)
      made.append(parent)
    }
    made.append(whole)
    return whole
  }

  /// Removes what was made; directories stay that others have put something into.
  func remove() {
    for entry in made.reversed() + [path] { removeFileOrEmptyDirectory(entry) }
  }
}
