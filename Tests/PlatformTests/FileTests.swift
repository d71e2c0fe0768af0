import Foundation
import TestSupport
import Testing

@testable import Platform

@Suite("Files") struct FileTests {
  @Test func mapsItself() throws {
    let image = try MappedFile("/proc/self/exe")
    var reader = ByteReader(image.bytes)
    #expect(try reader.read(UInt32.self) == 0x464c_457f)  // "\x7fELF"
  }

  @Test func errorsSayCallSubjectAndText() {
    let error = #expect(throws: SystemError.self) { try readSmallFile("/nonexistent") }
    #expect(error?.description == "open /nonexistent: No such file or directory")
    #expect(error?.isNotFound == true)
  }

  @Test(arguments: ["/", "/dev/null", "/proc/self/fd"])
  func onlyRegularFilesAreMapped(_ path: String) {
    #expect(throws: SystemError.self) { try SharedBytes(mapping: path) }
  }

  @Test func emptyFilesMapToNothing() throws {
    let scratch = try ScratchDirectory()
    #expect(try SharedBytes(mapping: scratch.write("", to: "empty")).isEmpty)
  }

  @Test func truncatedMappingReadsZeros() throws {
    BusErrors.becomeZeros()
    let scratch = try ScratchDirectory()
    let path = try scratch.write(String(repeating: "x", count: 20000), to: "shrinking")
    let bytes = try SharedBytes(mapping: path)
    #expect(bytes.span.byte(at: 10000) == 0x78)
    #expect(truncate(path, 0) == 0)
    #expect(bytes.span.byte(at: 10000) == 0)
  }

  @Test func truncatedMappingReadsZerosInOtherThreadsToo() throws {
    BusErrors.becomeZeros()
    let scratch = try ScratchDirectory()
    let path = try scratch.write(String(repeating: "x", count: 20000), to: "shrinking")
    let bytes = try SharedBytes(mapping: path)
    #expect(truncate(path, 0) == 0)
    let read = WorkerThread { bytes.span.byte(at: 10000) }.value()
    #expect(read == 0)
  }

  @Test func procFilesAreReadWhole() throws {
    #expect(try readSmallText("/proc/self/status").contains("Name:"))
    #expect(throws: SystemError("read", on: "/proc/self/maps", code: EFBIG)) {
      try readSmallFile("/proc/self/maps", limit: 100)
    }
  }

  @Test func replacingLeavesNoTemporary() throws {
    let scratch = try ScratchDirectory()
    let path = try scratch.write("old", to: "file")
    try writeFile(path, Array("new".utf8), permissions: 0o600)
    #expect(try readSmallText(path) == "new")
    #expect(try FileStatus(of: path).permissions == 0o600)
    #expect(try DirectoryListing(scratch.path).entries.map(\.name) == ["file"])
  }

  @Test func directoriesAreMadeOnTheWay() throws {
    let scratch = try ScratchDirectory()
    try createDirectories("\(scratch.path)/a/b/c")
    try createDirectories("\(scratch.path)/a/b/c")
    #expect(try FileStatus(of: "\(scratch.path)/a/b/c").kind == .directory)
    _ = try scratch.write("", to: "file")
    #expect(throws: SystemError.self) { try createDirectories("\(scratch.path)/file/x") }
  }

  @Test func descriptorsCloseWithTheirOwner() throws {
    let raw: CInt
    do {
      let file = try OwnedFD(reading: "/dev/null")
      raw = try file.duplicate().release()
    }
    #expect(fcntl(raw, F_GETFD) == FD_CLOEXEC)
    _ = OwnedFD(adopting: raw)
    #expect(fcntl(raw, F_GETFD) == -1)
  }

  @Test(
    arguments: [
      ("/a/b", "/a", "b"), ("/a", "/", "a"), ("a", nil, "a"), ("/", nil, "/"), ("a//b/", "a", "b"),
    ] as [(String, String?, String)]
  )
  func pathsSplit(_ path: String, _ parent: String?, _ name: String) {
    #expect(Paths.parent(of: path) == parent)
    #expect(Paths.name(of: path) == name)
  }

  @Test func programsAreFoundAsSystemTapDoes() throws {
    let scratch = try ScratchDirectory()
    let path = try Paths.canonical(scratch.write("", to: "tool"))  // Readable is enough.
    let environment = Environment(["PATH": "/nonexistent:\(scratch.path):/bin"])
    #expect(Paths.findProgram("tool", environment: environment) == path)
    #expect(Paths.findProgram("no-such-tool", environment: environment) == nil)
    #expect(
      Paths.findProgram("\(scratch.path)/../\(Paths.name(of: scratch.path))/tool", environment: environment)
        == path
    )
  }

  @Test func fileNamePatternsExpand() throws {
    let scratch = try ScratchDirectory()
    for name in ["one.so", "two.so", ".hidden.so", "three.a"] { _ = try scratch.write("", to: name) }
    let base = scratch.path
    #expect(Paths.expand(pattern: "\(base)/*.so") == ["\(base)/one.so", "\(base)/two.so"])
    #expect(Paths.expand(pattern: "\(base)/{t*.a,o?e.so,x}") == ["\(base)/one.so", "\(base)/three.a"])
    #expect(Paths.expand(pattern: "\(base)/none*").isEmpty)
    #expect(Paths.expandBraces("a{b,c{d,e}}f{") == ["abf{", "acdf{", "acef{"])
  }

  @Test func zlibRefusesWhatDoesNotFit() throws {
    // zlib stream of "hello hello hello hello\n".
    let packed: [UInt8] = [
      0x78, 0xda, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0xb9, 0x00, 0x70, 0xbe, 0x08, 0xbb,
    ]
    let unpacked = try Zlib.inflate(SharedBytes(packed), byteCount: 24)
    #expect(String(copying: unpacked.span) == "hello hello hello hello\n")
    for count in [-1, 0, 23, 25, 1 << 50] {
      #expect(throws: ByteError.badCompression(offset: 0)) {
        _ = try Zlib.inflate(SharedBytes(packed), byteCount: count)
      }
    }
  }

  @Test("a zlib stream comes in pieces of any size, and is broken wherever it is cut or changed")
  func inflatesInPieces() throws {
    let packed: [UInt8] = [
      0x78, 0xda, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0xb9, 0x00, 0x70, 0xbe, 0x08, 0xbb,
    ]
    for byteCount in 1...30 {
      var stream = InflateStream(SharedBytes(packed))
      var text = ""
      var carry = SharedBytes([])
      while !stream.isFinished {
        // What was not used of a piece comes again before the next one.
        let piece = try stream.next(after: carry, byteCount: carry.count + byteCount)
        let used = stream.isFinished ? piece.count : piece.count / 2
        text += String(decoding: piece.copied().prefix(used), as: UTF8.self)
        carry = try piece.slice(offset: used, count: piece.count - used)
      }
      #expect(text == "hello hello hello hello\n")
    }
    var broken = (0..<packed.count).map { Array(packed.prefix($0)) }
    broken += packed.indices.map { index in
      var bytes = packed
      bytes[index] ^= 0x10
      return bytes
    }
    for bytes in broken {
      var stream = InflateStream(SharedBytes(bytes))
      #expect(throws: ByteError.self) {
        while !stream.isFinished { _ = try stream.next(after: SharedBytes([]), byteCount: 7) }
      }
    }
  }
}
