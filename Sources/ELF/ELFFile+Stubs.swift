import Platform
package import TargetModel

/// A piece of code that jumps to a function of another file, made by the linker.
package struct LinkageStub: Hashable, Sendable {
  /// The function, without version.
  package var name: String
  package var address: LinkAddress
}

extension ELFFile {
  /// The stubs of the procedure linkage table, by address; x86-64 only.
  ///
  /// Every kind of table (`.plt`, `.plt.sec` of CET, `.plt.got`, `.iplt`) ends in a jump through a slot that a relocation
  /// fills: `[endbr64] [bnd] jmp *slot(%rip)` (System V ABI, AMD64 supplement, “Procedure Linkage Table”). The slot tells
  /// the name, whatever the table looks like otherwise.
  package var stubs: [LinkageStub] {
    guard header.machine == ELFConstant.machineX86_64 else { return [] }
    let names = slotNames
    guard !names.isEmpty else { return [] }
    var stubs: [LinkageStub] = []
    for section in sections
    where section.isAllocated && section.name.hasPrefix(".plt") || section.name == ".iplt" {
      guard let code = try? contents(of: section) else { continue }
      for offset in stride(from: 0, to: code.count, by: 8) {
        guard let slot = Self.slot(ofStubAt: offset, in: code.span, at: section.address),
          let name = names[slot]
        else { continue }
        stubs.append(LinkageStub(name: name, address: section.address.advanced(by: Int64(offset))))
      }
    }
    return stubs.sorted { $0.address < $1.address }
  }

  /// The slot that the instructions at `offset` jump through; nil when they are no stub.
  private static func slot(ofStubAt offset: Int, in code: RawSpan, at base: LinkAddress) -> UInt64? {
    var position = offset
    if code.load(at: position, as: UInt32.self) == 0xfa1e_0ff3 { position += 4 }
    if code.byte(at: position) == 0xf2 { position += 1 }
    guard code.byte(at: position) == 0xff, code.byte(at: position + 1) == 0x25,
      let displacement = code.load(at: position + 2, as: Int32.self)
    else { return nil }
    return base.advanced(by: Int64(position) + 6 + Int64(displacement)).raw
  }

  /// What fills the slots of the global offset table: names by link address.
  private var slotNames: [UInt64: String] {
    var names: [UInt64: String] = [:]
    for section in sections
    where section.type == ELFConstant.sectionRelocationsWithAddend && section.isAllocated {
      guard let bytes = try? contents(of: section) else { continue }
      let part = symbols.parts.first { $0.source == .dynsym }
      for start in stride(from: 0, through: bytes.count - 24, by: 24) {
        guard let slot = bytes.span.load(at: start, as: UInt64.self),
          let info = bytes.span.load(at: start + 8, as: UInt64.self)
        else { break }
        switch UInt32(truncatingIfNeeded: info) {
        case Relocation.globalData, Relocation.jumpSlot:
          guard let part, info >> 32 < UInt64(part.count) else { continue }
          let name = part.symbol(at: part.firstIndex + Int(info >> 32))?.name ?? ""
          if !name.isEmpty { names[slot] = name }
        case Relocation.indirectRelative:
          // A function of this file whose resolver picks one of several: the resolver has its name.
          guard let resolver = bytes.span.load(at: start + 16, as: UInt64.self) else { continue }
          names[slot] = symbols.symbols(at: LinkAddress(resolver)).first?.name
        default: continue
        }
      }
    }
    return names
  }

  /// R_X86_64_*.
  private enum Relocation {
    static let globalData: UInt32 = 6
    static let jumpSlot: UInt32 = 7
    static let indirectRelative: UInt32 = 37
  }
}
