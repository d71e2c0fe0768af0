package import Platform
import TargetModel

extension ELFFile {
  /// Whether opening its debug info with a library that unpacks every section on one thread would take long.
  package var hasLargePackedDebugInfo: Bool {
    guard header.is64Bit, let packed = zlibStream(ofSectionNamed: ".debug_info") else { return false }
    return packed.byteCount >= 16 << 20
  }

  /// An ELF file in memory with this file's debug sections, unpacked; nil where one is packed in another way than
  /// zlib.
  ///
  /// Layout: ELF header, section headers, their names, the sections.
  /// - Parameter info: `.debug_info`, when only parts of it are to be unpacked, and later.
  package func unpackedDebugSections(info: PartedSection? = nil) -> Assembly.Assembled? {
    var later: Assembly.LaterPart?
    var parts: [Assembly.Part] = []
    var headers = ByteWriter()
    var names: [UInt8] = [0]
    headers.write([UInt8](repeating: 0, count: 64))
    let wanted = sections.filter { $0.name.hasPrefix(".debug_") && !$0.hasNoBits }
    guard wanted.count < 64, wanted.contains(where: { $0.name == ".debug_info" }) else { return nil }
    let namesByteCount = wanted.reduce(Self.namesName.count + 2) { $0 + $1.name.utf8.count + 1 }
    let namesOffset = 64 + 64 * (wanted.count + 2)
    var offset = (namesOffset + namesByteCount + 15) & ~15
    for section in wanted {
      guard let stored = try? storedContents(of: section) else { return nil }
      let packed = zlibStream(ofSectionNamed: section.name)
      guard packed != nil || !section.isCompressed else { return nil }
      let byteCount = packed?.byteCount ?? stored.count
      // Deflate packs at most 1032 to 1.
      guard byteCount / 1032 <= stored.count, byteCount < 1 << 34 else { return nil }
      writeHeader(section.type, name: names.count, offset, byteCount, to: &headers)
      names += Array(section.name.utf8) + [0]
      if let info, section.name == ".debug_info", info.byteCount == byteCount {
        later = Assembly.LaterPart(offset: offset, section: info)
      } else {
        let bytes = packed?.bytes ?? stored
        parts.append(
          Assembly.Part(offset: offset, byteCount: byteCount, bytes: bytes, isPacked: packed != nil)
        )
      }
      offset = (offset + byteCount + 15) & ~15
    }
    writeHeader(ELFConstant.sectionStrings, name: names.count, namesOffset, namesByteCount, to: &headers)
    names += Self.namesName + [0]
    let front = fileHeader(sectionCount: wanted.count + 2) + headers.bytes + names
    parts.append(
      Assembly.Part(offset: 0, byteCount: front.count, bytes: SharedBytes(front), isPacked: false)
    )
    return Assembly.assemble(parts, later: later, byteCount: offset)
  }

  private static let namesName = Array(".shstrtab".utf8)

  /// An Elf64_Shdr.
  private func writeHeader(
    _ type: UInt32,
    name: Int,
    _ offset: Int,
    _ byteCount: Int,
    to writer: inout ByteWriter
  ) {
    writer.write(UInt32(name))
    writer.write(type)
    writer.write(UInt64(0))  // sh_flags
    writer.write(UInt64(0))  // sh_addr
    writer.write(UInt64(offset))
    writer.write(UInt64(byteCount))
    writer.write(UInt64(0))  // sh_link, sh_info
    writer.write(UInt64(1))  // sh_addralign
    writer.write(UInt64(0))  // sh_entsize
  }

  /// An Elf64_Ehdr whose section headers follow it; the last section has the names.
  private func fileHeader(sectionCount: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.write([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0] as [UInt8])
    writer.write(header.type)
    writer.write(header.machine)
    writer.write(UInt32(1))  // e_version
    writer.write(header.entry.raw)
    writer.write(UInt64(0))  // e_phoff
    writer.write(UInt64(64))  // e_shoff
    writer.write(header.flags)
    for value: UInt16 in [64, 0, 0, 64, UInt16(sectionCount), UInt16(sectionCount - 1)] {
      writer.write(value)
    }
    return writer.bytes
  }
}
