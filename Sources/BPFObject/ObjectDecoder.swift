import BTF
import ELF
import Platform
import TargetModel

/// Reads one object, used once.
///
/// Everything in it may be wrong: what does not fit is an ``ObjectError``.
struct ObjectDecoder {
  let elf: ELFFile
  let types: BTFImage
  let infos: TypeExtension
  let symbols: [ELFSymbol]
  /// By section, by byte in it.
  var relocations: [Int: [UInt64: ELFSymbol]] = [:]
  var sources: [SourceFile] = []
  var maps: [MapSpec] = []
  /// Maps that are data sections: libbpf knows them by the addresses of their values only.
  var dataMaps: Set<String> = []

  init(_ elf: ELFFile) throws {
    guard elf.header.machine == ELFConstant.machineBPF, elf.header.type == ELFConstant.typeRelocatable else {
      throw ObjectError("\(elf.path) is no BPF object")
    }
    self.elf = elf
    guard let btf = try elf.contents(ofSectionNamed: ".BTF"),
      let extensions = try elf.contents(ofSectionNamed: ".BTF.ext")
    else { throw ObjectError("\(elf.path) has no BTF") }
    types = try BTFImage(btf)
    infos = try TypeExtension(extensions.span)
    let table = elf.symbols
    symbols = (0..<table.count).compactMap { table.symbol(at: $0) }
  }

  mutating func decode() throws -> ModuleBlueprint {
    relocations = try readRelocations()
    sources = try readSources()
    maps = try readMaps()
    for map in maps where map.dataSection.flatMap({ elf.section(named: $0) }) != nil {
      dataMaps.insert(map.name)
    }
    let programs = try readPrograms()
    let user = try elf.contents(ofSectionNamed: ObjectSection.user)
    return ModuleBlueprint(
      maps: maps,
      programs: programs,
      sources: sources,
      userSection: user?.copied() ?? []
    )
  }

  func readRelocations() throws -> [Int: [UInt64: ELFSymbol]] {
    var found: [Int: [UInt64: ELFSymbol]] = [:]
    for section in elf.sections where section.type == ELFConstant.sectionRelocations {
      let content = try elf.contents(of: section)
      var reader = ByteReader(content.span)
      while !reader.isAtEnd {
        let offset = try reader.read(UInt64.self)
        let index = try Int(reader.read(UInt64.self) >> 32)
        guard symbols.indices.contains(index) else { throw ObjectError("a relocation names no symbol") }
        found[Int(section.info), default: [:]][offset] = symbols[index]
      }
    }
    return found
  }

  func readSources() throws -> [SourceFile] {
    guard let content = try elf.contents(ofSectionNamed: ObjectSection.sources) else { return [] }
    var reader = ByteReader(content.span)
    var texts: [String] = []
    while !reader.isAtEnd {
      let count = try Int(reader.read(UInt32.self))
      guard count <= reader.remaining else { throw ObjectError("\(ObjectSection.sources) is cut") }
      var text: [UInt8] = []
      for _ in 0..<count { text.append(try reader.read(UInt8.self)) }
      texts.append(String(decoding: text, as: UTF8.self))
    }
    guard texts.count % 2 == 0 else { throw ObjectError("\(ObjectSection.sources) is cut") }
    return stride(from: 0, to: texts.count, by: 2).map { SourceFile(name: texts[$0], text: texts[$0 + 1]) }
  }
}
