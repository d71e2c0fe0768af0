import BTF
import ELF
import Platform
import TargetModel

extension ObjectDecoder {
  func readMaps() throws -> [MapSpec] {
    var found: [MapSpec] = []
    for symbol in symbols where symbol.kind == .object {
      guard elf.sections.indices.contains(Int(symbol.sectionIndex)) else {
        throw ObjectError("map \(symbol.name) is in no section")
      }
      let section = elf.sections[Int(symbol.sectionIndex)]
      if section.name == ObjectSection.maps {
        found.append(try map(symbol, in: section))
      } else if section.name == ObjectSection.dataPrefix + symbol.name {
        found.append(try dataMap(symbol, section, flags: [.mappable]))
      } else if section.name == ObjectSection.readOnlyPrefix + symbol.name {
        found.append(try dataMap(symbol, section, flags: [.mappable, .readOnlyProgram]))
      } else {
        throw ObjectError("map \(symbol.name) is in section \(section.name)")
      }
    }
    return found
  }

  private func dataMap(
    _ symbol: ELFSymbol,
    _ section: ELFSection,
    flags: MapSpec.Flags
  ) throws -> MapSpec {
    let contents = try elf.contents(of: section).copied()
    return .array(symbol.name, valueByteCount: contents.count, count: 1, flags: flags, contents: contents)
  }

  private func map(_ symbol: ELFSymbol, in section: ELFSection) throws -> MapSpec {
    guard let variable = types.find(symbol.name, .variable), let record = types.record(variable),
      let definition = types.resolved(record.target), definition.kind == .structure
    else { throw ObjectError("map \(symbol.name) has no definition") }
    var numbers: [String: Int] = [:]
    let source = BTFTypeSource(types)
    guard case .structure(let layout) = source.layout(of: source.reference(definition.id)) else {
      throw ObjectError("map \(symbol.name) has no definition")
    }
    for member in layout.members {
      guard let name = member.name, case .pointer(_, let target?, _) = source.layout(of: member.type) else {
        continue
      }
      switch (name, source.layout(of: target)) {
      case ("key", .integer(let integer)): numbers["key_size"] = integer.byteCount
      case ("value", .array(_, let count)): numbers["value_size"] = count ?? 0
      case (_, .array(_, let count)): numbers[name] = count ?? 0
      default: throw ObjectError("map \(symbol.name) has a strange \(name)")
      }
    }
    guard let kind = MapSpec.Kind(rawValue: UInt32(clamping: numbers["type"] ?? 0)) else {
      throw ObjectError("map \(symbol.name) is of unknown kind \(numbers["type"] ?? 0)")
    }
    let initial = try elf.contents(ofSectionNamed: ObjectSection.initialPrefix + symbol.name)
    return MapSpec(
      name: symbol.name,
      kind: kind,
      keyByteCount: numbers["key_size"] ?? 0,
      valueByteCount: numbers["value_size"] ?? (kind == .programArray ? 4 : 0),
      maxEntries: numbers["max_entries"] ?? 0,
      flags: MapSpec.Flags(rawValue: UInt32(clamping: numbers["map_flags"] ?? 0)),
      initialContents: initial?.copied() ?? [],
      programs: programs(of: symbol, in: section, count: numbers["max_entries"] ?? 0)
    )
  }

  private func programs(of map: ELFSymbol, in section: ELFSection, count: Int) -> [UInt32: String] {
    let end = map.address.raw &+ map.byteCount
    let start = end &- UInt64(clamping: count) &* 8
    var found: [UInt32: String] = [:]
    for (offset, symbol) in relocations[section.index] ?? [:] where offset >= start && offset < end {
      found[UInt32(clamping: (offset - start) / 8)] = symbol.name
    }
    return found
  }
}
