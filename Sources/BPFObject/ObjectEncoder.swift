import BTF
import ELF
import Platform

/// Writes one object; used once.
struct ObjectEncoder {
  let blueprint: ModuleBlueprint
  var types: BlueprintTypes
  var elf = ELFWriter(machine: ELFConstant.machineBPF)
  var text: ELFWriter.SectionID?
  /// libbpf takes addresses of static functions only as section + offset, unlike calls.
  var textSymbol: ELFWriter.SymbolID?
  var sections: [String: ELFWriter.SectionID] = [:]
  var mapSymbols: [String: ELFWriter.SymbolID] = [:]
  var programSymbols: [String: ELFWriter.SymbolID] = [:]
  var externSymbols: [String: ELFWriter.SymbolID] = [:]
  var infos = TypeExtension()

  /// Sections of the maps that are not in `.maps`.
  let dataSections: [String: String]

  init(_ blueprint: ModuleBlueprint) {
    self.blueprint = blueprint
    types = BlueprintTypes(blueprint)
    var asWhole: Set<String> = []
    for relocation in blueprint.programs.flatMap(\.code.relocations) {
      if case .map(let map) = relocation.target { asWhole.insert(map.name) }
    }
    let data = blueprint.maps.filter { !asWhole.contains($0.name) }
    let named = data.compactMap { map in map.dataSection.map { (map.name, $0) } }
    dataSections = Dictionary(named) { first, _ in first }
  }

  mutating func encode() -> [UInt8] {
    let textSection = elf.addSection(ObjectSection.text, flags: executable, alignment: 8)
    text = textSection
    textSymbol = elf.addSymbol("", kind: .section, binding: .local, at: .section(textSection))
    for program in blueprint.programs where sections[program.section] == nil {
      sections[program.section] = elf.addSection(program.section, flags: executable, alignment: 8)
    }
    let license = blueprint.programs.first?.license ?? "GPL"
    let content = Array(license.utf8) + [0]
    _ = elf.addSection(ObjectSection.license, flags: writable, content: content)
    let places = blueprint.programs.map { place($0) }
    addMaps()
    for (program, place) in zip(blueprint.programs, places) { addRelocations(program, place) }
    addExternTypes()
    for (index, place) in places.enumerated() { addInfo(index, place) }
    addOwnSections()
    _ = elf.addSection(".BTF", alignment: 4, content: types.builder.encoded())
    _ = elf.addSection(".BTF.ext", alignment: 4, content: infos.encoded())
    return elf.encoded()
  }

  let executable = ELFConstant.flagAllocate | ELFConstant.flagExecute
  let writable = ELFConstant.flagAllocate | ELFConstant.flagWrite

  mutating func addOwnSections() {
    if !blueprint.sources.isEmpty {
      var writer = ByteWriter()
      for source in blueprint.sources {
        for text in [source.name, source.text] {
          writer.write(UInt32(text.utf8.count))
          writer.write(Array(text.utf8))
        }
      }
      _ = elf.addSection(ObjectSection.sources, content: writer.bytes)
    }
    _ = elf.addSection(ObjectSection.user, alignment: 8, content: blueprint.userSection)
  }
}
