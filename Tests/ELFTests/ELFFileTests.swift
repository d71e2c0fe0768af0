import Foundation
import Platform
import TargetModel
import TestSupport
import Testing

@testable import ELF

@Suite("ELFFile") struct ELFFileTests {
  @Test(arguments: TestBinaries.installed)
  func sectionsAndSegmentsAgreeWithReadelf(_ path: String) throws {
    let file = try ELFFile(path: path)
    let header = try readelf("-h", path)
    func number(_ label: String) -> Int? {
      header.first { $0.contains(label) }?.split(separator: ":").last
        .flatMap { Int($0.split(separator: " ")[0]) }
    }
    #expect(file.sections.count == number("Number of section headers"))
    #expect(file.segments.count == number("Number of program headers"))
    for section in file.sections.dropFirst() {
      #expect(!section.name.isEmpty)
      #expect(throws: Never.self) { try file.contents(of: section) }
    }
  }

  @Test(arguments: TestBinaries.installed)
  func identityAgreesWithReadelf(_ path: String) throws {
    let file = try ELFFile(path: path)
    let notes = try readelf("-n", path).first { $0.contains("Build ID") }
    #expect(file.buildID?.description == notes?.split(separator: " ").last.map(String.init))
    let dynamic = try readelf("-d", path)
    let needed = dynamic.filter { $0.contains("(NEEDED)") }.compactMap(bracketed)
    #expect(file.dynamic?.needed == needed)
    #expect(file.dynamic?.soname == dynamic.first { $0.contains("(SONAME)") }.flatMap(bracketed))
    let interpreter = try readelf("-l", path).first { $0.contains("program interpreter") }
    #expect((file.interpreter != nil) == (interpreter != nil))
  }

  @Test(arguments: TestBinaries.installed)
  func addressesAndOffsetsAreInverse(_ path: String) throws {
    let file = try ELFFile(path: path)
    for section in file.sections where section.isAllocated && !section.hasNoBits && section.byteCount > 0 {
      #expect(file.fileOffset(of: section.address) == FileOffset(section.fileOffset))
      #expect(file.linkAddress(of: FileOffset(section.fileOffset)) == section.address)
      let bytes = try #require(file.bytes(at: section.address, upTo: 4))
      let contents = try file.storedContents(of: section)
      let first = try contents.slice(offset: 0, count: min(4, contents.count))
      #expect(bytes.copied().starts(with: first.copied()))
    }
    #expect(file.fileOffset(of: LinkAddress(.max)) == nil)
    #expect(file.linkAddress(of: FileOffset(.max)) == nil)
  }

  @Test func zeroFilledMemoryHasNoOffset() throws {
    let program = try ELFFixture.program()
    let file = try ELFFile(path: program.path)
    let bss = try #require(file.section(named: ".bss"))
    #expect(file.fileOffset(of: bss.address.advanced(by: Int64(bss.byteCount) - 1)) == nil)
  }

  @Test func loadBiasOfItself() throws {
    let process = RunningProcess.current()
    let file = try ELFFile(path: process.executableLink)
    let path = try process.executablePath()
    let regions = try process.maps().regions.filter { $0.path == path }
    let code = try #require(regions.first { $0.permissions.contains(.execute) })
    let mapping = (LoadAddress(code.start), FileOffset(code.fileOffset))
    let bias = try #require(file.loadBias(mappingStart: mapping.0, fileOffset: mapping.1, isExecutable: true))
    let first = try #require(file.firstLoadAddress)
    #expect(regions[0].start == first.raw &+ bias)
    #expect(file.header.isPositionIndependent || bias == 0)
  }

  @Test(arguments: [["-gz=none"], ["-gz=zlib"], ["-gz=zlib-gnu"]])
  func compressedSectionsUnpack(_ flags: [String]) throws {
    let scratch = try ScratchDirectory()
    let source = "int main(int argc, char **argv) { return argc; }"
    let program = try scratch.compileC(source, to: "packed", flags: ["-g"] + flags)
    #expect(try run("objcopy", ["--decompress-debug-sections", program, "\(program).plain"]).status == 0)
    let file = try ELFFile(path: program)
    let bytes = try #require(try file.contents(ofSectionNamed: ".debug_info"))
    let plain = try ELFFile(path: "\(program).plain").contents(ofSectionNamed: ".debug_info")
    #expect(bytes.copied() == plain?.copied())
    #expect(file.hasDebugInfo)
  }

  @Test func debugLinksAreRead() throws {
    let scratch = try ScratchDirectory()
    let program = try scratch.compileC("int main(void) { return 0; }", to: "linked")
    let debug = "\(scratch.path)/linked.debug"
    #expect(try run("objcopy", ["--only-keep-debug", program, debug]).status == 0)
    #expect(try run("objcopy", ["--strip-all", "--add-gnu-debuglink=\(debug)", program]).status == 0)
    let file = try ELFFile(path: program)
    let link = try #require(file.debugLink)
    #expect(link.name == "linked.debug")
    #expect(!file.hasDebugInfo)
    let detached = try ELFFile(path: debug)
    #expect(detached.hasDebugInfo)
    #expect(detached.buildID == file.buildID)
    #expect(try detached.contents(ofSectionNamed: ".text") == nil)
  }

  @Test func thirtyTwoBitFilesWork() throws {
    let file = try ELFFile(SharedBytes(ELFFixture.tiny32()), path: "tiny32")
    #expect(!file.header.is64Bit)
    #expect(file.header.machine == ELFConstant.machineI386)
    #expect(file.fileOffset(of: LinkAddress(0x0804_8010)) == FileOffset(0x10))
  }

  @Test func strangersAreNamed() throws {
    let scratch = try ScratchDirectory()
    let text = try scratch.write("#!/bin/sh\n", to: "script")
    #expect(throws: ELFError.notELF(path: text)) { try ELFFile(path: text) }
    #expect(throws: ELFError.notELF(path: "")) { try ELFFile(SharedBytes([]), path: "") }
    var big = ELFFixture.tiny32()
    big[5] = 2
    #expect(throws: ELFError.unsupported(path: "x", what: "not little endian")) {
      try ELFFile(SharedBytes(big), path: "x")
    }
    #expect(throws: ELFError.self) { try ELFFile(path: "/nonexistent") }
  }
}

private func bracketed(_ line: Substring) -> String? {
  line.split(separator: "[").last?.split(separator: "]").first.map(String.init)
}
