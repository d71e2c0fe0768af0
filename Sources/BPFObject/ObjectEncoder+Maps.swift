import BTF
import ELF

extension ObjectEncoder {
  mutating func addMaps() {
    let inMaps = blueprint.maps.filter { dataSections[$0.name] == nil }
    let section = inMaps.isEmpty ? nil : elf.addSection(ObjectSection.maps, flags: writable, alignment: 8)
    var contents: [(type: BTFTypeID, offset: Int, byteCount: Int)] = []
    for map in blueprint.maps {
      if let data = dataSections[map.name] {
        addDataMap(map, data)
      } else if let section {
        contents.append(addMap(map, to: section))
      }
    }
    if let section {
      let byteCount = elf.byteCount(of: section)
      _ = types.builder.dataSection(ObjectSection.maps, byteCount: byteCount, contents: contents)
    }
  }

  private mutating func addMap(
    _ map: MapSpec,
    to section: ELFWriter.SectionID
  ) -> (type: BTFTypeID, offset: Int, byteCount: Int) {
    let (type, byteCount) = definition(of: map)
    let offset = Int(elf.append([UInt8](repeating: 0, count: byteCount), to: section))
    mapSymbols[map.name] = elf.addSymbol(
      map.name,
      kind: .object,
      at: .section(section),
      value: UInt64(offset),
      byteCount: UInt64(byteCount)
    )
    if !map.programs.isEmpty { addEntries(of: map, in: section, end: offset + byteCount) }
    if !map.initialContents.isEmpty {
      _ = elf.addSection(ObjectSection.initialPrefix + map.name, content: map.initialContents)
    }
    return (types.builder.variable(map.name, type: type, linkage: .global), offset, byteCount)
  }

  private mutating func addDataMap(_ map: MapSpec, _ name: String) {
    let isReadOnly = map.flags.contains(.readOnlyProgram)
    let padding = [UInt8](repeating: 0, count: max(0, map.valueByteCount - map.initialContents.count))
    let section = elf.addSection(
      name,
      flags: isReadOnly ? ELFConstant.flagAllocate : writable,
      alignment: 8,
      content: map.initialContents + padding
    )
    mapSymbols[map.name] = elf.addSymbol(
      map.name,
      kind: .object,
      at: .section(section),
      byteCount: UInt64(map.valueByteCount)
    )
    let bytes = types.builder.bytes(map.valueByteCount)
    let variable = types.builder.variable(map.name, type: bytes, linkage: .global)
    let contents = [(type: variable, offset: 0, byteCount: map.valueByteCount)]
    _ = types.builder.dataSection(name, byteCount: map.valueByteCount, contents: contents)
  }

  /// libbpf reads numbers out of types: `int (*max_entries)[1024]`.
  private mutating func definition(of map: MapSpec) -> (type: BTFTypeID, byteCount: Int) {
    let int = types.builder.integer("int", byteCount: 4, isSigned: true)
    var members: [(name: String, type: BTFTypeID, offset: Int)] = []
    func add(_ name: String, _ type: BTFTypeID) { members.append((name, type, members.count * 8)) }
    func number(_ name: String, _ value: Int) {
      if value > 0 { add(name, types.builder.pointer(to: types.builder.array(of: int, count: value))) }
    }
    number("type", Int(map.kind.rawValue))
    number("max_entries", map.maxEntries)
    number("map_flags", Int(map.flags.rawValue))
    if let known = types.mapTypes[map.name] {
      add("key", types.builder.pointer(to: known.key))
      add("value", types.builder.pointer(to: known.value))
    } else {
      number("key_size", map.keyByteCount)
      if map.programs.isEmpty { number("value_size", map.valueByteCount) }
    }
    let byteCount = members.count * 8
    guard !map.programs.isEmpty else {
      return (types.builder.structure("", byteCount: byteCount, members: members), byteCount)
    }
    let prototype = types.builder.prototype(result: int, parameters: [])
    let pointer = types.builder.pointer(to: prototype)
    add("values", types.builder.array(of: pointer, count: 0))
    let definition = types.builder.structure("", byteCount: byteCount, members: members)
    return (definition, byteCount + map.maxEntries * 8)
  }

  /// `values = { [3] = (void *)&program }`: a relocation for each entry, behind the other members.
  private mutating func addEntries(of map: MapSpec, in section: ELFWriter.SectionID, end: Int) {
    let start = end - map.maxEntries * 8
    for (index, name) in map.programs.sorted(by: { $0.key < $1.key }) {
      guard let symbol = programSymbols[name] else { continue }
      elf.addRelocation(
        in: section,
        at: UInt64(start + Int(index) * 8),
        symbol: symbol,
        type: BPFRelocationType.absolute64
      )
    }
  }

  /// Describes kfuncs, which are extern functions of the data section `.ksyms`.
  mutating func addExternTypes() {
    guard !externSymbols.isEmpty else { return }
    let contents = externSymbols.keys.sorted().map { name in
      let type = types.builder.function(name, prototype: prototype(of: name), linkage: .extern)
      return (type: type, offset: 0, byteCount: 0)
    }
    _ = types.builder.dataSection(".ksyms", byteCount: 0, contents: contents)
  }

  private mutating func prototype(of name: String) -> BTFTypeID {
    guard let known = KernelFunction.named(name) else {
      return types.builder.prototype(result: .void, parameters: [])
    }
    let parameters = known.parameters.map { (name: "", type: type(of: $0)) }
    return types.builder.prototype(result: type(of: known.result), parameters: parameters)
  }

  private mutating func type(of shape: KernelFunction.Shape) -> BTFTypeID {
    switch shape {
    case .void: return .void
    case .integer(let byteCount):
      return types.builder.integer("int\(byteCount * 8)", byteCount: byteCount, isSigned: true)
    case .pointerToVoid: return types.builder.pointer(to: .void)
    case .pointerToChar:
      return types.builder.pointer(to: types.builder.integer("char", byteCount: 1, isSigned: true))
    case .pointerToLong:
      return types.builder.pointer(to: types.builder.integer("long", byteCount: 8, isSigned: true))
    }
  }
}
