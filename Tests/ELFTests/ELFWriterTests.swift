import Platform
import TestSupport
import Testing

@testable import ELF

@Suite("ELFWriter") struct ELFWriterTests {
  @Test func whatIsWrittenIsRead() throws {
    let file = try ELFFile(SharedBytes(ELFFixture.object()), path: "object")
    #expect(file.header.machine == ELFConstant.machineBPF)
    #expect(
      file.sections.map(\.name) == [
        "", "text", ".maps", ".bss", ".symtab", ".strtab", ".reltext", ".rela.maps", ".shstrtab",
      ]
    )
    #expect(try file.contents(ofSectionNamed: ".maps")?.copied() == [1, 2, 3, 0, 4, 5, 6, 7])
    #expect(file.section(named: ".bss")?.byteCount == 4096)
    let map = try #require(file.symbols.definition(of: "map"))
    #expect(map.address.raw == 4)
    #expect(map.binding == .local)
    #expect(map.index == 1)  // Local symbols come first.
    #expect(file.section(named: ".symtab")?.info == 2)
    #expect(file.symbols.symbols(named: "elsewhere").first?.isDefined == false)
  }

  @Test func readelfHasNoComplaint() throws {
    let scratch = try ScratchDirectory()
    let path = "\(scratch.path)/object.o"
    try writeFile(path, ELFFixture.object(machine: ELFConstant.machineX86_64))
    let all = try readelf("--all", path)
    #expect(!all.contains { $0.lowercased().contains("warning") || $0.lowercased().contains("error") })
    #expect(all.contains { $0.contains("R_X86_64_64") && $0.contains("map") })
    #expect(all.contains { $0.contains("R_X86_64_32") && $0.contains("program") })
  }
}
