import Glibc
import TestSupport
import Testing

@testable import Platform

/// Stretches of a packed section that are unpacked without what lies before them.
@Suite("Stretches of a zlib stream") struct StretchTests {
  private static let text: [UInt8] = {
    var generator = SeededGenerator(seed: 7)
    var text: [UInt8] = []
    let words = (0..<4000).map { _ in
      (0..<Int.random(in: 2...9, using: &generator)).map { _ in
        UInt8.random(in: 0x61...0x7a, using: &generator)
      }
    }
    while text.count < 3 << 20 { text += words[Int.random(in: 0..<words.count, using: &generator)] + [0x20] }
    return text
  }()

  /// What zlib's deflate makes of the text: gzip's stream in zlib's dress.
  private static func packed(_ text: [UInt8]) throws -> SharedBytes {
    let scratch = try ScratchDirectory()
    try writeFile(scratch.path + "/text", text, permissions: 0o600)
    let made = try run("gzip", ["-n", scratch.path + "/text"])
    #expect(made.status == 0)
    let zipped = try Array(SharedBytes(mapping: scratch.path + "/text.gz").copied().dropFirst(10).dropLast(8))
    let (low, high) = text.reduce((UInt32(1), UInt32(0))) { sums, byte in
      let low = (sums.0 + UInt32(byte)) % 65521
      return (low, (sums.1 + low) % 65521)
    }
    return SharedBytes(
      [0x78, 0x9c] + zipped + (0..<4).map { UInt8(truncatingIfNeeded: (high << 16 | low) >> (24 - 8 * $0)) }
    )
  }

  private static func stretches(_ packed: SharedBytes, every spacing: Int?) throws -> [PackedStretch] {
    var stream = InflateStream(packed, stretchesEvery: spacing)
    var text: [UInt8] = []
    while !stream.isFinished {
      #expect(stream.foundStretches.isEmpty)
      text += try stream.next(after: SharedBytes([]), byteCount: 1 << 20).copied()
    }
    #expect(text == Self.text)
    return stream.foundStretches
  }

  private static func section(_ stretches: [PackedStretch], _ packed: SharedBytes) -> PartedSection? {
    let known = PartedSection.Known(offset: 5000, bytes: Array(text[5000..<5100]))
    return PartedSection(packed: packed, byteCount: text.count, stretches: stretches, known: [known])
  }

  @Test("each unpacks to its part of the text, and together they are all of it")
  func unpacksAlone() throws {
    let packed = try Self.packed(Self.text)
    let stretches = try Self.stretches(packed, every: 500_000)
    #expect(stretches.count == 4 && stretches[0].window.isEmpty)
    #expect(stretches.map(\.byteCount).reduce(0, +) == Self.text.count)
    for stretch in stretches {
      #expect(InflateStream.unpack(stretch, of: packed) == Array(Self.text[stretch.range]))
    }
    #expect(try Self.stretches(packed, every: nil).isEmpty)
    #expect(try Self.stretches(packed, every: 8 << 20).count == 1)
  }

  @Test("a damaged one is told from a good one")
  func tellsDamage() throws {
    let packed = try Self.packed(Self.text)
    let good = try #require(try Self.stretches(packed, every: 500_000).dropFirst().first)
    var bad = good
    for bit in [0, good.bitOffset + 1, good.bitOffset - 1, UInt64(packed.count) * 8, UInt64.max] {
      bad.bitOffset = bit
      #expect(InflateStream.unpack(bad, of: packed) == nil)
    }
    bad = good
    for byteCount in [Int.min, -1, 0, 1, good.byteCount - 1, good.byteCount + 1, 1 << 30, Int.max] {
      bad.byteCount = byteCount
      #expect(InflateStream.unpack(bad, of: packed) == nil)
    }
    bad = good
    bad.checksum ^= 1
    #expect(InflateStream.unpack(bad, of: packed) == nil)
    bad = good
    for window in [[], [UInt8](repeating: 0, count: good.window.count), good.window + [0]] {
      bad.window = window
      #expect(InflateStream.unpack(bad, of: packed) == nil)
    }
  }

  @Test("what nobody asks for is not unpacked")
  func suppliesWhatIsAskedFor() throws {
    let packed = try Self.packed(Self.text)
    let stretches = try Self.stretches(packed, every: 500_000)
    let section = try #require(Self.section(stretches, packed))
    let part = Assembly.LaterPart(offset: 4096, section: section)
    let made = try #require(Assembly.assemble([], later: part, byteCount: 4096 + section.byteCount))
    func there(_ range: Range<Int>) -> Bool {
      made.bytes.span.extracting(range.lowerBound + 4096..<range.upperBound + 4096).copied()
        == Array(Self.text[range])
    }
    #expect(there(5000..<5100) && !there(4990..<5000))
    let supply = try #require(made.supply)
    supply.provide(0..<0)
    supply.provide(section.byteCount..<section.byteCount + 5)
    #expect(!there(stretches[0].range))
    let second = stretches[1].range
    supply.provide(second.lowerBound..<second.lowerBound + 1)
    #expect(there(second) && !there(stretches[0].range) && !there(stretches[2].range))
    supply.provide(second.upperBound - 1..<second.upperBound + 1)
    #expect(there(stretches[2].range) && !there(stretches[0].range))
    supply.provide(4000..<4001)
    #expect(there(0..<stretches[2].range.upperBound) && !there(stretches[3].range))
  }

  @Test("where one is damaged, the section is unpacked from its front")
  func survivesDamage() throws {
    let packed = try Self.packed(Self.text)
    var stretches = try Self.stretches(packed, every: 500_000)
    stretches[1].window[100] ^= 0xff
    stretches[1].checksum ^= 1
    let section = try #require(Self.section(stretches, packed))
    let part = Assembly.LaterPart(offset: 0, section: section)
    let made = try #require(Assembly.assemble([], later: part, byteCount: section.byteCount))
    made.supply?.provide(stretches[1].range)
    #expect(made.bytes.copied() == Self.text)
  }

  @Test("stretches that are not the whole section are refused")
  func refusesNonsense() throws {
    let packed = try Self.packed(Self.text)
    let stretches = try Self.stretches(packed, every: 500_000)
    #expect(Self.section(Array(stretches.dropLast()), packed) == nil)
    #expect(Self.section(Array(stretches.dropFirst()), packed) == nil)
    #expect(Self.section(stretches.reversed(), packed) == nil)
    for byteCount in [0, -1, Int.max, Int.min] {
      var bad = stretches
      bad[1].byteCount = byteCount
      #expect(Self.section(bad, packed) == nil)
    }
    let outside = PartedSection.Known(offset: Self.text.count - 1, bytes: [1, 2])
    #expect(
      PartedSection(packed: packed, byteCount: Self.text.count, stretches: stretches, known: [outside]) == nil
    )
  }
}
