import Platform
import TargetModel
import TestSupport
import Testing

@testable import ELF

@Suite("Hostile ELF files") struct HostileELFTests {
  /// Asks everything that can be asked.
  private func exercise(_ bytes: [UInt8]) {
    guard let file = try? ELFFile(SharedBytes(bytes), path: "hostile") else { return }
    for section in file.sections { _ = try? file.contents(of: section) }
    _ = file.buildID
    _ = file.debugLink
    _ = file.debugAltLink
    _ = file.interpreter
    _ = file.dynamic
    _ = file.firstLoadAddress
    _ = file.fileOffset(of: file.header.entry)
    _ = file.bytes(at: file.header.entry, upTo: 64)
    _ = file.loadBias(mappingStart: LoadAddress(0), fileOffset: FileOffset(0))
    let symbols = file.symbols
    _ = symbols.definition(of: "main")
    _ = symbols.functions(matching: GlobPattern("*"))
    _ = symbols.symbols(matching: GlobPattern("m*"))
    _ = symbols.symbol(containing: file.header.entry)
    _ = symbols.symbols(at: LinkAddress(0))
  }

  private static func samples() throws -> [[UInt8]] {
    let program = try ELFFixture.program(flags: ["-g", "-gz=zlib", "-O1", "-rdynamic", "-Wl,-z,norelro"])
    return [ELFFixture.tiny32(), ELFFixture.object(), try readSmallFile(program.path)]
  }

  @Test func cutFilesNeverTrap() throws {
    for sample in try HostileELFTests.samples() {
      // Every byte of the header tables; the rest, and larger files, by a prime.
      let dense = min(sample.count, 2000)
      let tail = max(dense, sample.count - 4000)
      for count in 0..<dense { exercise(Array(sample[..<count])) }
      for count in stride(from: dense, to: tail, by: 131) { exercise(Array(sample[..<count])) }
      for count in stride(from: tail, to: sample.count, by: 7) { exercise(Array(sample[..<count])) }
    }
  }

  @Test func changedBytesNeverTrap() throws {
    var random = SeededGenerator(seed: 1)
    let deadline = Clock.monotonicNanoseconds() + 3_000_000_000
    let samples = try HostileELFTests.samples()
    while Clock.monotonicNanoseconds() < deadline {
      for sample in samples {
        var changed = sample
        for _ in 0..<Int.random(in: 1...8, using: &random) {
          // Headers first: most of a program is code, which nobody here reads.
          let range = Bool.random(using: &random) ? min(1000, sample.count) : sample.count
          let index = Int.random(in: 0..<range, using: &random)
          changed[index] = [0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &random)].randomElement(
            using: &random
          )!
        }
        exercise(changed)
      }
    }
  }

  @Test func notesWithHugeLengthsStop() {
    var writer = ByteWriter()
    for value: UInt32 in [4, 4, 3] { writer.write(value) }
    writer.writeString("GNU")
    writer.write(UInt32(0xdead_beef))
    for value: UInt32 in [.max, .max, 1] { writer.write(value) }
    let notes = ELFNotes(SharedBytes(writer.bytes))
    #expect(notes.notes.map(\.owner) == ["GNU"])
    #expect(notes.damagedOffset == 20)
  }

  @Test func hugePromisesCostNoMemory() throws {
    // A section that promises 2^60 bytes once unpacked.
    var content = ByteWriter()
    content.write(UInt64(1))
    content.write(UInt64(1) << 60)
    content.write(UInt64(1))
    content.write([0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01] as [UInt8])
    var writer = ELFWriter(machine: ELFConstant.machineX86_64)
    _ = writer.addSection(".debug_info", flags: ELFConstant.flagCompressed, content: content.bytes)
    let file = try ELFFile(SharedBytes(writer.encoded()), path: "bomb")
    #expect(throws: ELFError.malformed(path: "bomb", what: "section '.debug_info' does not unpack")) {
      try file.contents(ofSectionNamed: ".debug_info")
    }
  }
}
