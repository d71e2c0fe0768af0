import Foundation
import Platform
import TargetModel
import TestSupport
import Testing

@testable import ELF

@Suite("Code extents") struct CodeExtentTests {
  /// A function with a part that is rarely run, and one without.
  private func program(_ scratch: ScratchDirectory) throws -> String {
    let source = """
      #include <stdio.h>
      __attribute__((cold, noinline)) void rare(int n) { printf("%d\\n", n); }
      __attribute__((noinline)) int split(int n) {
        if (__builtin_expect(n < 0, 0)) { rare(n); rare(n + 1); printf("again"); }
        return n * 3;
      }
      int main(int argc, char **argv) { return split(argc); }
      """
    return try scratch.compileC(source, to: "split", flags: ["-O2"])
  }

  @Test("functions and their parts are as long as their symbols say, stripped or not")
  func knowsExtents() throws {
    let scratch = try ScratchDirectory()
    let path = try program(scratch)
    let file = try ELFFile(path: path)
    let names = ["main", "rare", "split", "split.cold"]
    let symbols = try names.map { name in try #require(file.symbols.definition(of: name), "\(name)") }
    let stripped = "\(scratch.path)/stripped"
    #expect(try run("strip", ["-o", stripped, path]).status == 0)
    for file in [file, try ELFFile(path: stripped)] {
      for symbol in symbols {
        #expect(file.codeByteCount(at: symbol.address) == symbol.byteCount, "\(symbol.name)")
        #expect(file.codeByteCount(at: symbol.address.advanced(by: 1)) == nil)
        #expect(!file.isLinkage(symbol.address))
      }
      let near = file.codeStarts(near: symbols[0].address, within: 1 << 20)
      #expect(near == near.sorted() && symbols.allSatisfy { near.contains($0.address) })
      #expect(file.codeStarts(near: symbols[0].address, within: 0) == [symbols[0].address])
      #expect(file.codeStarts(near: LinkAddress(.max), within: .max) == near)
      #expect(file.codeByteCount(at: LinkAddress(0)) == nil)
      #expect(file.codeByteCount(at: LinkAddress(.max)) == nil)
      let stubs = file.stubs
      #expect(!stubs.isEmpty)
      for stub in stubs { #expect(file.isLinkage(stub.address)) }
    }
  }

  @Test("a damaged table answers nothing or something, and never traps")
  func survivesDamage() throws {
    let scratch = try ScratchDirectory()
    let path = try program(scratch)
    let whole = try ELFFile(path: path)
    let table = try #require(whole.section(named: ".eh_frame_hdr"))
    let frames = try #require(whole.section(named: ".eh_frame"))
    let address = try #require(whole.symbols.definition(of: "main")?.address)
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    for section in [table, frames] {
      let start = Int(section.fileOffset)
      for position in start..<start + min(Int(section.byteCount), 160) {
        for value: UInt8 in [0, 0x7f, 0x80, 0xff] {
          var damaged = bytes
          damaged[position] = value
          let file = try ELFFile(SharedBytes(damaged), path: path)
          _ = file.codeByteCount(at: address)
          _ = file.codeStarts(near: address, within: .max)
        }
      }
    }
  }
}
