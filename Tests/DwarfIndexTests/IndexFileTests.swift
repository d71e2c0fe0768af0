import ELF
import Platform
import TargetModel
import TestSupport
import Testing

@testable import DwarfIndex

@Suite("IndexFile") struct IndexFileTests {
  private func buildIndex(_ scratch: ScratchDirectory) throws -> [UInt8] {
    let program = try scratch.compileC(Samples.shapes, to: "shapes", flags: ["-g", "-O2"])
    let file = try ELFFile(path: program)
    let sections = DwarfSections(main: file, alternate: nil)
    let outputs = ParallelScan.run(UnitFeed(UnitCatalog(sections)), threads: 1)
    let symbols = file.symbols.filter { $0.isDefined && $0.kind == .function }
    return IndexBuilder.build(outputs, sections, symbols: symbols, stamp: 7) { $0 != 0 }
  }

  @Test func namesAreFoundExactlyAndByPrefix() throws {
    let bytes = try buildIndex(try ScratchDirectory())
    let index = try #require(IndexFile(SharedBytes(bytes)))
    #expect(index.stamp == 7)
    #expect(index.hasDebugInfo)
    #expect(index.range(of: .functions, named: "work").count == 1)
    #expect(index.range(of: .functions, named: "wor").isEmpty)
    #expect(index.range(of: .functions, prefix: "make_").count == 3)
    #expect(index.range(of: .functions, prefix: "").count == index.count(.functions))
    let names = (0..<index.count(.functions)).map { String(copying: index.name(of: .functions, $0)) }
    #expect(names == names.sorted())
    for position in 0..<index.count(.functions) {
      let record = index.function(position)
      #expect(index.function(containing: record.entry)?.entry == record.entry)
    }
  }

  @Test func cutOffFilesAreRefused() throws {
    let bytes = try buildIndex(try ScratchDirectory())
    for count in stride(from: 0, to: bytes.count, by: 61) {
      #expect(IndexFile(SharedBytes(Array(bytes.prefix(count)))) == nil)
    }
  }

  @Test func damagedFilesAreRefusedAndHostileOnesAreHarmless() throws {
    let bytes = try buildIndex(try ScratchDirectory())
    var random = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      var damaged = bytes
      for _ in 0..<4 {
        damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255)
      }
      if damaged != bytes { #expect(IndexFile(SharedBytes(damaged)) == nil) }
      // Someone who can write the file can make its checksum right.
      let checksum = damaged.rawSpan.crc64(from: IndexHeader.checksumStart)
      for byte in 0..<8 {
        damaged[IndexHeader.checksumOffset + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt64(byte)))
      }
      guard let index = IndexFile(SharedBytes(damaged)) else { continue }
      let query = SiteQuery(index)
      _ = query.functions(matching: FunctionPattern(name: "*"))
      _ = query.inlines(matching: FunctionPattern(name: "*"))
      _ = query.nearestFunctions(to: "work", limit: 3)
      _ = query.enumerator(named: "GREEN")
      _ = query.types(named: "point", tags: [DwarfTag.structureType])
      _ = index.function(containing: 0x1200)
    }
  }

  @Test func theCacheIsUsedAndSurvivesDamage() throws {
    let scratch = try ScratchDirectory()
    let program = try scratch.compileC(Samples.shapes, to: "shapes", flags: ["-g", "-O2"])
    let options = DebugInfoOptions(cacheDirectory: scratch.path + "/cache", smallestCachedByteCount: 0)
    func entry() throws -> LinkAddress? {
      try ProgramImage(path: program, options: options).functions(matching: FunctionPattern(name: "work"))
        .first?.entry
    }
    let first = try #require(try entry())
    let files = try DirectoryListing(scratch.path + "/cache").entries.map(\.name)
    #expect(files.count == 1)
    let stored = try #require(files.first)
    #expect(stored.hasSuffix(".index"))
    #expect(try entry() == first)
    let path = scratch.path + "/cache/" + stored
    let whole = try readSmallFile(path)
    try writeFile(path, Array(whole.dropLast(100)), permissions: 0o600)
    #expect(try entry() == first)
    #expect(try readSmallFile(path).count == whole.count)
  }

  @Test func aCacheThatCannotBeWrittenIsHarmless() throws {
    let scratch = try ScratchDirectory()
    let program = try scratch.compileC(Samples.shapes, to: "shapes")
    let file = try scratch.write("not a directory", to: "file")
    let options = DebugInfoOptions(cacheDirectory: file + "/cache", smallestCachedByteCount: 0)
    let image = try ProgramImage(path: program, options: options)
    #expect(!image.functions(matching: FunctionPattern(name: "work")).isEmpty)
  }

  /// In other mappings the kernel sets the breakpoints of uprobes (kernel/events/uprobes.c, `valid_vma`).
  @Test func mappingsAreSharedOrCouldBeWrittenTo() throws {
    let scratch = try ScratchDirectory()
    let program = try scratch.compileC(Samples.shapes, to: "shapes", flags: ["-g", "-O2"])
    let image = try Samples.open(program)
    #expect(!image.places(in: "work").isEmpty)
    let maps = String(decoding: try readSmallFile("/proc/self/maps"), as: UTF8.self)
    let lines = maps.split(separator: "\n").filter { $0.hasSuffix(program) }
    let rights = lines.map { $0.split(separator: " ")[1] }
    #expect(!rights.isEmpty && rights.allSatisfy { $0.contains("w") || $0.hasSuffix("s") }, "\(rights)")
    withExtendedLifetime(image) {}
  }
}
