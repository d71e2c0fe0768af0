import ELF
import Platform
import TargetModel
import TestSupport
import Testing

@testable import DwarfIndex

/// libdw on a `.debug_info` of which only those units are unpacked that it is asked for.
@Suite("Access to units") struct UnitAccessTests {
  /// Three units with 170 bytes of debug info for each structure.
  private static func program(
    _ scratch: ScratchDirectory,
    _ flags: [String] = [],
    structures: Int = 7000
  ) throws -> ELFFile {
    var sources: [String] = []
    for unit in 1...3 {
      var text = ""
      for number in 0..<structures {
        let members = (0..<12).map { "int m\($0)_\(number % 700)_\(unit);" }.joined()
        text += "struct s\(number)_\(unit) { \(members) };\n"
      }
      text += "static inline __attribute__((always_inline)) int seven\(unit)(int x) { return x * 7; }\n"
      text +=
        "int work\(unit)(struct s5_\(unit) *from\(unit), int count) { "
        + "return seven\(unit)(from\(unit)->m3_5_\(unit)) + count; }\n"
      if unit == 1 { text += "int main(void) { return 0; }\n" }
      sources.append(try scratch.write(text, to: "unit\(unit).c"))
    }
    let path = "\(scratch.path)/program"
    let all = ["-g", "-O1", "-fno-eliminate-unused-debug-types", "-gz=zlib"] + flags
    let made = try run("gcc", all + ["-o", path] + sources)
    #expect(made.status == 0, "\(made.output)")
    return try ELFFile(path: path)
  }

  private static func index(_ file: ELFFile) throws -> IndexFile {
    let found = ParallelScan.run(main: file, alternate: nil, threads: 2, worthPieces: 1)
    let bytes = IndexBuilder.build(
      found.outputs,
      found.sections,
      symbols: [],
      access: found.access,
      stamp: 0
    ) { $0 != 0 }
    let index = try #require(IndexFile(SharedBytes(bytes)))
    #expect(index.access == found.access)
    return index
  }

  /// The file for libdw, with what `access` says of its units.
  private static func opened(
    _ file: ELFFile,
    _ access: UnitAccess
  ) throws -> (image: Assembly.Assembled, session: DwarfSession) {
    let packed = try #require(file.zlibStream(ofSectionNamed: ".debug_info"))
    let section = try #require(access.section(packed))
    let image = try #require(file.unpackedDebugSections(info: section))
    let starts = access.fronts.map(\.offset)
    let supply = UnitSupply(try #require(image.supply), starts: starts, byteCount: section.byteCount)
    return (
      image, DwarfSession(binary: file.path, main: { .plainImage(image.bytes, supply) }, alternate: nil)
    )
  }

  /// Names, types' names and lines of a function and what is in it.
  private static func described(_ function: FunctionRecord, _ session: DwarfSession) -> [String] {
    session.read { reader in
      guard let die = reader.die(DIEReference(raw: function.die)) else { return [] }
      return [die.name ?? "?", die.declarationFile ?? "?", "\(reader.unit(of: die.reference)?.offset ?? 0)"]
        + die.children.map { child in
          let type = child.reference(DwarfAttribute.type)
          let target = type?.reference(DwarfAttribute.type) ?? type
          let members = target?.children.compactMap(\.name) ?? []
          return "\(child.name ?? "?") \(target?.name ?? "?") \(members) \(child.declarationLine ?? 0)"
        }
    }
  }

  @Test("a function's details are those of the whole section, and no other unit is unpacked for them")
  func unpacksOneUnit() throws {
    let scratch = try ScratchDirectory()
    let file = try Self.program(scratch)
    let index = try Self.index(file)
    let access = try #require(index.access)
    #expect(access.stretches.count >= 2 && access.fronts.count >= 3)
    let whole = DwarfSession(binary: file.path, main: { .path(file.path) }, alternate: nil)
    let last = index.function(index.range(of: .functions, named: "work3").lowerBound)
    let (image, session) = try Self.opened(file, access)
    let expected = Self.described(last, whole)
    #expect(expected.contains { $0.hasPrefix("from3 s5_3 [\"m0_5_3\"") }, "\(expected)")
    #expect(Self.described(last, session) == expected)
    // The middle of the first stretch is still empty, that of the last one is not.
    let info = try #require(try ELFFile(image.bytes, path: "image").section(named: ".debug_info"))
    func middle(of stretch: PackedStretch) -> [UInt8] {
      let middle = Int(info.fileOffset) + stretch.start + stretch.byteCount / 2
      return image.bytes.span.extracting(middle..<middle + 64).copied()
    }
    let (first, final) = (try #require(access.stretches.first), try #require(access.stretches.last))
    #expect(middle(of: first).allSatisfy { $0 == 0 } && middle(of: final).contains { $0 != 0 })
    for name in ["work1", "work2", "main"] {
      let function = index.function(index.range(of: .functions, named: name).lowerBound)
      #expect(Self.described(function, session) == Self.described(function, whole))
    }
  }

  @Test("inlined instances are found without other units than those that know the function")
  func findsInlines() throws {
    let scratch = try ScratchDirectory()
    let file = try Self.program(scratch)
    let index = try Self.index(file)
    let inline = index.inline(index.range(of: .inlines, named: "seven3").lowerBound)
    let wanted = WantedInlines([inline], of: index, for: FunctionPattern(name: "seven3"))
    func instances(_ feed: UnitFeed) -> [UInt64] {
      var found: [UInt64] = []
      while let batch = feed.next() {
        var scanner = InlineScanner(batch.catalog)
        for header in batch.headers { found += scanner.instances(in: header, of: wanted).map(\.die) }
      }
      return found
    }
    let whole = instances(UnitFeed(UnitCatalog(DwarfSections(main: file, alternate: nil))))
    #expect(whole.count == 1)
    let (image, session) = try Self.opened(file, try #require(index.access))
    let unpacked = try ELFFile(image.bytes, path: "image")
    let starts = index.units(of: inline).map { DIEReference(raw: $0).offset }
    #expect(starts.count == 1 && instances(UnitFeed.only(starts, of: unpacked)).isEmpty)
    for start in starts { session.partlyUnpacked?.supply.provideUnit(holding: start) }
    #expect(instances(UnitFeed.only(starts, of: unpacked)) == whole)
    #expect(instances(UnitFeed.only([0, 5, UInt64.max, UInt64(Int.max)], of: unpacked)).isEmpty)
  }

  @Test("what is damaged in an index costs time and no answers")
  func survivesDamage() throws {
    let scratch = try ScratchDirectory()
    let file = try Self.program(scratch)
    let index = try Self.index(file)
    let good = try #require(index.access)
    let last = index.function(index.range(of: .functions, named: "work3").lowerBound)
    let expected = Self.described(last, try Self.opened(file, good).session)
    var bad = good
    for number in bad.stretches.indices { bad.stretches[number].bitOffset += 3 }
    #expect(Self.described(last, try Self.opened(file, bad).session) == expected)
    bad = good
    for number in bad.stretches.indices { bad.stretches[number].checksum ^= 0x10000 }
    #expect(Self.described(last, try Self.opened(file, bad).session) == expected)
    let packed = try #require(file.zlibStream(ofSectionNamed: ".debug_info"))
    bad = good
    bad.fronts[1].offset = 0
    #expect(bad.section(packed) == nil)
    bad = good
    bad.fronts[2].offset = UInt64.max
    #expect(bad.section(packed) == nil)
    bad = good
    bad.stretches.removeLast()
    #expect(bad.section(packed) == nil)
  }

  @Test(
    "units that refer to one another are not unpacked alone",
    arguments: [["-flto"], ["-gdwarf-5", "-fdebug-types-section"]]
  )
  func needsClosedUnits(_ flags: [String]) throws {
    let scratch = try ScratchDirectory()
    let file = try Self.program(scratch, flags, structures: 10)
    let found = ParallelScan.run(main: file, alternate: nil, threads: 1, worthPieces: 1)
    #expect(!found.outputs.isEmpty && found.access == nil)
  }
}
