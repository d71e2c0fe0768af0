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
    let sections = DwarfSections(main: file, alternate: nil)
    let catalog = UnitCatalog(sections)
    let outputs = ParallelScan.run(catalog, threads: 1)
    _ = IndexBuilder.build(outputs, sections, symbols: [], stamp: 0) { _ in true }
    var inlines = InlineScanner(catalog)
    for header in catalog.headers { _ = inlines.instances(in: header) { _ in true } }
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
}
