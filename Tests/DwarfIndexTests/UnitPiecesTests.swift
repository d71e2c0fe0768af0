import ELF
import Platform
import TargetModel
import TestSupport
import Testing

@testable import DwarfIndex

/// A packed `.debug_info` that is scanned in pieces, and classes that are walked once, change nothing of an index.
@Suite("Units in pieces") struct UnitPiecesTests {
  private static let header = """
    const int wordBits = 64;
    namespace os {
    const int K = 7;
    static const int limit = 4096;
    struct Frame {
      enum Kind { ENTRY = 3, EXIT };
      struct Inner { int depth; struct Deep; };
      static int live;
      Kind kind;
      int size;
      int grow(int by);
      int twice() const { return size * 2; }
    };
    struct Frame::Inner::Deep { long value; };
    }
    """

  private static func unit(_ number: Int) -> String {
    """
    #include "frame.h"
    namespace { struct Local { struct Part\(number) { int x; }; Part\(number) part; int y; }; }
    static int own\(number) = \(number);
    __attribute__((noinline)) int work\(number)(os::Frame *f) {
      Local l = {{\(number)}, f->twice()};
      os::Frame::Inner i = {l.y};
      os::Frame::Inner::Deep d = {i.depth};
      auto add = [&](int by) { return by + l.part.x; };
      return add((int)d.value) + os::K + os::limit + wordBits + own\(number)++;
    }
    """
  }

  private static let main = """
    #include "frame.h"
    int os::Frame::live = 1;
    int os::Frame::grow(int by) { live++; return size += by; }
    int work1(os::Frame *); int work2(os::Frame *); int work3(os::Frame *);
    int main() { os::Frame f = {os::Frame::ENTRY, 1}; f.grow(2); return work1(&f) + work2(&f) + work3(&f); }
    """

  private static func program(_ scratch: ScratchDirectory, _ flags: [String]) throws -> ELFFile {
    _ = try scratch.write(header, to: "frame.h")
    var sources = [try scratch.write(main, to: "main.cpp")]
    for number in 1...3 { sources.append(try scratch.write(unit(number), to: "unit\(number).cpp")) }
    let made = try run("g++", flags + ["-o", "\(scratch.path)/program"] + sources)
    #expect(made.status == 0, "\(made.output)")
    return try ELFFile(path: "\(scratch.path)/program")
  }

  /// The index of `file`, with all sections at once or in pieces.
  private static func index(_ file: ELFFile, inPieces: Bool) throws -> IndexFile {
    let found = ParallelScan.run(main: file, alternate: nil, threads: 1, worthPieces: inPieces ? 1 : Int.max)
    #expect(!found.outputs.isEmpty)
    let bytes = IndexBuilder.build(found.outputs, found.sections, symbols: [], stamp: 0) { $0 != 0 }
    return try #require(IndexFile(SharedBytes(bytes)))
  }

  private static func names(_ index: IndexFile) -> [String] {
    let functions = (0..<index.count(.functions)).map { index.function($0) }.map {
      "function \(index.string($0.scope))::\(index.string($0.name)) \(index.string($0.file)):\($0.line)"
    }
    let inlines = (0..<index.count(.inlines)).map { index.inline($0) }.map {
      "inline \(index.string($0.scope))::\(index.string($0.name)) in \($0.unitCount)"
    }
    let variables = (0..<index.count(.variables)).map { index.variable($0) }.map {
      "variable \(index.string($0.scope))::\(index.string($0.name)) of \(index.string($0.unitName))"
    }
    let types = (0..<index.count(.types)).map { index.type($0) }.map {
      "type \(index.string($0.scope))::\(index.string($0.name)) \($0.tag)"
    }
    let enumerators = (0..<index.count(.enumerators)).map { index.enumerator($0) }.map {
      "enumerator \(index.string($0.name)) \($0.value)"
    }
    return functions + inlines + variables + types + enumerators
  }

  @Test(
    "pieces of packed debug info give the index of the whole",
    arguments: [["-gdwarf-5", "-O2"], ["-gdwarf-4", "-O0"], ["-gdwarf-5", "-O0"], ["-gdwarf-2", "-O1"]]
  )
  func piecesAreTheWhole(_ flags: [String]) throws {
    let scratch = try ScratchDirectory()
    let file = try Self.program(scratch, flags + ["-gz=zlib"])
    #expect(file.zlibStream(ofSectionNamed: ".debug_info") != nil)
    let whole = Self.names(try Self.index(file, inPieces: false))
    #expect(whole == Self.names(try Self.index(file, inPieces: true)))
    #expect(whole.count > 20)
  }

  @Test("link-time optimisation refers across units: they are scanned as a whole")
  func foreignOrigins() throws {
    let scratch = try ScratchDirectory()
    let file = try Self.program(scratch, ["-g", "-O2", "-flto", "-gz=zlib"])
    let whole = Self.names(try Self.index(file, inPieces: false))
    #expect(whole == Self.names(try Self.index(file, inPieces: true)))
    #expect(whole.contains { $0.hasPrefix("function ::work2 ") || $0.hasPrefix("inline ::work2 ") })
  }

  @Test("what is in a class that several units repeat is found, and told from its namesakes")
  func repeatedClasses() throws {
    let scratch = try ScratchDirectory()
    let file = try Self.program(scratch, ["-g", "-O1"])
    let names = Set(Self.names(try Self.index(file, inPieces: false)))
    #expect(names.contains("function os::Frame::grow \(scratch.path)/main.cpp:3"))
    #expect(names.contains("variable os::Frame::live of \(scratch.path)/main.cpp"))
    #expect(names.contains("enumerator EXIT 4"))
    for type in ["os::Frame", "os::Frame::Inner", "os::Frame::Inner::Deep"] {
      #expect(names.contains { $0.hasPrefix("type \(type) ") }, "\(type)")
    }
    // Classes of an unnamed namespace have the same name and other members in each unit.
    for number in 1...3 {
      #expect(names.contains { $0.hasPrefix("type (anonymous namespace)::Local::Part\(number) ") })
      #expect(names.contains("variable ::own\(number) of \(scratch.path)/unit\(number).cpp"))
    }
    // A constant of a header belongs to no unit.
    #expect(names.contains("variable ::wordBits of "))
  }
}
