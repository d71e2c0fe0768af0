import Platform
import TargetModel
import TestSupport
import Testing

@testable import ELF

/// Small ELF files made for tests.
enum ELFFixture {
  /// A compiled program and the directory that keeps it alive.
  struct Program {
    let scratch: ScratchDirectory
    let path: String
  }

  static func program(flags: [String] = ["-g", "-O1"]) throws -> Program {
    let scratch = try ScratchDirectory()
    let source = """
      static int hidden(int x) { return x * 3; }
      int counter = 5; int zeros[4096];
      __attribute__((noinline)) int visible(int x) { return hidden(x) + counter; }
      __attribute__((weak)) int alias(int x) { return visible(x) - 1; }
      int main(int argc, char **argv) { return alias(argc) + zeros[argc]; }
      """
    return Program(scratch: scratch, path: try scratch.compileC(source, to: "program", flags: flags))
  }

  /// A 32-bit executable: header and one PT_LOAD.
  static func tiny32() -> [UInt8] {
    var writer = ByteWriter()
    writer.write([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0] as [UInt8])
    writer.write(ELFConstant.typeExecutable)
    writer.write(ELFConstant.machineI386)
    for value: UInt32 in [1, 0x0804_8010, 52, 0, 0] { writer.write(value) }
    for value: UInt16 in [52, 32, 1, 40, 0, 0] { writer.write(value) }
    for value: UInt32 in [1, 0, 0x0804_8000, 0x0804_8000, 84, 84, 5, 0x1000] { writer.write(value) }
    return writer.bytes
  }

  /// An object with every kind of table that ``ELFWriter`` makes.
  static func object(machine: UInt16 = ELFConstant.machineBPF) -> [UInt8] {
    var writer = ELFWriter(machine: machine)
    let code = ELFConstant.flagAllocate | ELFConstant.flagExecute
    let text = writer.addSection(
      "text",
      flags: code,
      alignment: 8,
      content: [UInt8](repeating: 0x95, count: 24)
    )
    let data = writer.addSection(
      ".maps",
      flags: ELFConstant.flagAllocate | ELFConstant.flagWrite,
      alignment: 8
    )
    writer.append([1, 2, 3], to: data)
    let offset = writer.append([4, 5, 6, 7], to: data, alignment: 4)
    _ = writer.addSection(".bss", type: ELFConstant.sectionNoBits, byteCount: 4096)
    let global = writer.addSymbol("program", kind: .function, at: .section(text), byteCount: 24)
    let local = writer.addSymbol(
      "map",
      kind: .object,
      binding: .local,
      at: .section(data),
      value: offset,
      byteCount: 4
    )
    _ = writer.addSymbol("elsewhere", at: .undefined)
    writer.addRelocation(in: text, at: 0, symbol: local, type: 1)
    writer.addRelocation(in: text, at: 8, symbol: global, type: 10)
    writer.addRelocation(in: data, at: 0, symbol: global, type: 2, addend: -4)
    return writer.encoded()
  }
}
