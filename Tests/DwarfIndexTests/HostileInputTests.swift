import ELF
import Platform
import TargetModel
import TestSupport
import Testing

@testable import DwarfIndex

/// Damaged debug info gives fewer or wrong answers, never a trap or a hang.
@Suite("Hostile input", .timeLimit(.minutes(2))) struct HostileInputTests {
  private static func scan(_ bytes: [UInt8]) {
    guard let file = try? ELFFile(SharedBytes(bytes), path: "hostile") else { return }
    let (outputs, sections, _) = ParallelScan.run(main: file, alternate: nil, threads: 1, worthPieces: 1)
    let catalog = UnitCatalog(DwarfSections(main: file, alternate: nil))
    _ = IndexBuilder.build(outputs, sections, symbols: [], stamp: 0) { _ in true }
    var inlines = InlineScanner(catalog)
    let known = outputs.flatMap { output in
      output.inlines.map { output.string($0.name, sections) }
    }
    let functions = known.map { WantedInlines.Function(name: $0, scope: "", file: "", line: 0) }
    let wanted = WantedInlines(functions, isByNameAlone: true, hasFile: false)
    for header in catalog.headers { _ = inlines.instances(in: header, of: wanted) }
  }

  /// The bytes of a program, and where its debug sections are.
  private static func sample(_ flags: [String]) throws -> (bytes: [UInt8], sections: [Range<Int>]) {
    let scratch = try ScratchDirectory()
    let program = try scratch.compileC(Samples.shapes, to: "shapes", flags: flags)
    let file = try ELFFile(path: program)
    let ranges = file.sections.filter { $0.name.hasPrefix(".debug_") }.map {
      Int($0.fileOffset)..<Int($0.fileOffset + $0.byteCount)
    }
    return (try readSmallFile(program), ranges.filter { !$0.isEmpty })
  }

  @Test(arguments: [
    ["-gdwarf-5", "-O2"], ["-gdwarf-4", "-O2"], ["-gdwarf-2", "-O0"], ["-gdwarf-5", "-gz"],
  ])
  func mutatedSectionsDoNotTrapTheScanner(_ flags: [String]) throws {
    let (bytes, sections) = try Self.sample(flags)
    var random = SystemRandomNumberGenerator()
    let end = Clock.monotonicNanoseconds() + 3_000_000_000
    var rounds = 0
    while Clock.monotonicNanoseconds() < end {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let section = try #require(sections.randomElement(using: &random))
        let place = Int.random(in: section, using: &random)
        damaged[place] =
          [0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255)].randomElement(using: &random) ?? 0
      }
      Self.scan(damaged)
      rounds += 1
    }
    #expect(rounds > 10)
  }

  @Test(arguments: [["-gdwarf-5", "-O2"], ["-gdwarf-4", "-O2"]])
  func cutOffSectionsDoNotTrapTheScanner(_ flags: [String]) throws {
    let (bytes, sections) = try Self.sample(flags)
    for section in sections {
      for start in stride(from: section.lowerBound, to: section.upperBound, by: max(section.count / 40, 1)) {
        var damaged = bytes
        for place in start..<section.upperBound { damaged[place] = 0 }
        Self.scan(damaged)
      }
    }
  }

  @Test(arguments: [["-gdwarf-5", "-O2"], ["-gdwarf-4", "-O2"], ["-gdwarf-5", "-fdebug-types-section"]])
  func mutatedSplitUnitsDoNotTrap(_ flags: [String]) throws {
    let scratch = try ScratchDirectory()
    let source = try scratch.write(Samples.shapes, to: "shapes.c")
    let object = "\(scratch.path)/shapes.o"
    let made = try run("gcc", flags + ["-gsplit-dwarf", "-c", "-o", object, source])
    try #require(made.status == 0, "\(made.output)")
    let linked = try run("gcc", flags + ["-gsplit-dwarf", "-o", "\(scratch.path)/shapes", object])
    try #require(linked.status == 0, "\(linked.output)")
    let main = try ELFFile(path: "\(scratch.path)/shapes")
    let skeletons = Skeleton.all(in: DwarfSections(main: main, alternate: nil))
    #expect(skeletons.count == 1)
    let bytes = try readSmallFile("\(scratch.path)/shapes.dwo")
    let headers = bytes.count - 16 * 64
    var random = SystemRandomNumberGenerator()
    let end = Clock.monotonicNanoseconds() + 3_000_000_000
    var whole = 0
    while Clock.monotonicNanoseconds() < end {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        damaged[Int.random(in: 64..<headers, using: &random)] =
          [0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255)].randomElement(using: &random) ?? 0
      }
      let file = try ELFFile(SharedBytes(damaged), path: "hostile")
      var merger = MergedDwarf(main, skeletons)
      SplitFile(file, key: 1).allUnits().forEach { merger.add($0) }
      if merger.missing.isEmpty { whole += 1 }
      let merged = try #require(merger.file(path: "merged", machine: 62))
      Self.scan(merged.image.copied())
    }
    #expect(whole > 10)
  }

  @Test func mutatedPackageIndexesDoNotTrap() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      var writer = ByteWriter()
      for word: UInt32 in [2, 8, 3, 4] { writer.write(word) }
      while writer.count < 300 { writer.write(UInt32.random(in: 0...9, using: &random)) }
      for _ in 0..<3 {
        writer.patch(UInt32.random(in: 0...UInt32.max, using: &random), at: Int.random(in: 0..<16))
      }
      let bytes = SharedBytes(writer.bytes)
      #expect(PackageIndex(bytes.span).rows.count <= 1 << 20)
    }
  }
}
