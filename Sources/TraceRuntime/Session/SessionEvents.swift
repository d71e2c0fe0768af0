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
    case both(ServedFile, readers: [Int], writers: [Int], limit: Int)
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
    var files: [FileProbes] = []
    var (characterProbes, lineProbes): ([Int], [Int]) = ([], [])
    for (index, probe) in program.probes.enumerated() {
      guard case .event(let event) = probe.trigger else { continue }
      switch event.kind {
      case .inputCharacter: characterProbes.append(index)
      case .inputLine: lineProbes.append(index)
      case .fileRead, .fileWrite:
        let known = files.firstIndex { $0.path == event.path } ?? files.count
        if known == files.count { files.append(FileProbes(path: event.path)) }
        files[known].add(event, probe: index)
      }
    }
    stringLimit = program.limits.longestString
    (self.characterProbes, self.lineProbes) = (characterProbes, lineProbes)
    directory = files.isEmpty ? nil : try SessionDirectory(path)
    let usual = program.limits.fileByteCount > 0 ? program.limits.fileByteCount : program.limits.longestString
    for file in files { try add(file, usual, in: loop) }
    if !characterProbes.isEmpty || !lineProbes.isEmpty { addInput(to: loop) }
  }

  private func add(
    _ file: FileProbes,
    _ usualByteCount: Int,
    in loop: borrowing EventLoop
  ) throws(SystemError) {
    guard let directory else { return }
    let path = try directory.place(file.path)
    let permissions = UInt32(clamping: file.permissions)
    let limit = file.byteCount > 0 ? file.byteCount : usualByteCount
    switch (file.readers, file.writers) {
    case (let readers, []):
      let source = try PipeSource(path, permissions: permissions)
      try loop.add(source.raw, tag: nextTag)
      sources.append(.readers(source, probes: readers, limit: limit))
    case ([], let writers):
      let sink = try PipeSink(path, permissions: permissions)
      try loop.add(sink.raw, tag: nextTag)
      sources.append(.writers(sink, probes: writers))
    case (let readers, let writers):
      let served = try serve(path, permissions)
      try loop.add(served.raw, tag: nextTag)
      sources.append(.both(served, readers: readers, writers: writers, limit: limit))
    }
  }

  private func serve(_ path: String, _ permissions: UInt32) throws(SystemError) -> ServedFile {
    do throws(SystemError) { return try ServedFile(path, permissions: permissions) } catch {
      let why = "a file with '.read' and '.write' is a mount, which needs CAP_SYS_ADMIN and FUSE"
      throw SystemError(error.call, on: "\(error.subject) (\(why); else take two names)", code: error.code)
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
      source.answer { text(of: probes, limit, run) }
    case .writers(let sink, let probes):
      let text = ByteString(sink.read(upTo: max(1, stringLimit)))
      if !text.isEmpty { for probe in probes { _ = run(probe, text, stringLimit) } }
    case .both(let file, let readers, let writers, let limit):
      file.answer {
        text(of: readers, limit, run)
      } writing: { bytes in
        for start in stride(from: 0, to: bytes.count, by: max(1, stringLimit)) {
          let text = ByteString(Array(bytes[start...].prefix(max(1, stringLimit))))
          for probe in writers { _ = run(probe, text, stringLimit) }
        }
      }
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

  private func text(of probes: [Int], _ limit: Int, _ run: Run) -> [UInt8] {
    probes.reduce(ByteString()) { text, probe in run(probe, text, limit) }.cut(to: limit).bytes
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
      case .both(let file, _, _, _): file.stop()
      case .input(let input): input.restore()
      }
    }
    sources = []
    inputTag = nil
    directory?.remove()
  }
}

/// The probes of one file.
private struct FileProbes {
  let path: String
  private(set) var permissions = 0
  private(set) var byteCount = 0
  private(set) var readers: [Int] = []
  private(set) var writers: [Int] = []

  init(path: String) { self.path = path }

  mutating func add(_ event: SessionEvent, probe: Int) {
    if event.kind == .fileRead { readers.append(probe) } else { writers.append(probe) }
    permissions |= event.permissions
    byteCount = max(byteCount, event.byteCount)
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
