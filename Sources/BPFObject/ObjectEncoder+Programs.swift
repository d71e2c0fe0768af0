import BTF
import ELF
import Platform

extension ObjectEncoder {
  /// Where the parts of a program lie, and the symbols of its functions.
  struct Place {
    var sectionName: String
    var section: ELFWriter.SectionID
    /// Byte of the program's first slot in its section.
    var mainOffset: Int
    var mainSlotCount: Int
    /// Byte in `.text` where its subprograms begin.
    var textOffset: Int
    /// By slot of the function's start.
    var functions: [Int: ELFWriter.SymbolID]
  }

  mutating func place(_ program: ProgramSpec) -> Place {
    let code = program.code
    let name = program.section
    let section = sections[name] ?? elf.addSection(name, flags: executable, alignment: 8)
    let textSection = text ?? section
    let mainSlotCount = code.functions.count > 1 ? code.functions[1].start : code.instructions.count
    let textOffset = elf.byteCount(of: textSection)
    let bytes = encodedCode(code, textOffset: textOffset - mainSlotCount * 8)
    let mainOffset = Int(elf.append(Array(bytes[..<(mainSlotCount * 8)]), to: section))
    elf.append(Array(bytes[(mainSlotCount * 8)...]), to: textSection)
    var place = Place(
      sectionName: name,
      section: section,
      mainOffset: mainOffset,
      mainSlotCount: mainSlotCount,
      textOffset: textOffset,
      functions: [:]
    )
    for (index, function) in code.functions.enumerated() {
      let isLast = index + 1 == code.functions.count
      let end = isLast ? code.instructions.count : code.functions[index + 1].start
      let isMain = index == 0
      let offset = isMain ? mainOffset : textOffset + (function.start - mainSlotCount) * 8
      let symbol = elf.addSymbol(
        isMain ? program.name : program.name + functionSeparator + function.name,
        kind: .function,
        binding: isMain || function.linkage != .static ? .global : .local,
        at: .section(isMain ? section : textSection),
        value: UInt64(offset),
        byteCount: UInt64((end - function.start) * 8)
      )
      place.functions[function.start] = symbol
      if isMain { programSymbols[program.name] = symbol }
    }
    return place
  }

  /// The code with the constants that relocations expect in place of what they fill in.
  private func encodedCode(_ code: ProgramCode, textOffset: Int) -> [UInt8] {
    var instructions = code.instructions
    for relocation in code.relocations {
      let slot = relocation.instruction
      switch relocation.target {
      case .map: instructions[slot].immediate = 0
      case .mapValue(let map, let offset):
        // libbpf takes the offset of a data section from the first half; the kernel wants it in the second.
        let isData = dataSections[map.name] != nil
        instructions[slot].immediate = isData ? offset : 0
        instructions[slot].source = isData ? 0 : 2
      case .kernelFunction:
        instructions[slot].source = 1
        instructions[slot].immediate = -1
      }
    }
    for (slot, target) in code.functionReferences {
      instructions[slot].immediate = instructions[slot].isWide ? Int32(textOffset + target * 8) : -1
    }
    var writer = ByteWriter(reserving: instructions.count * 8)
    for instruction in instructions { writer.write(instruction.encoded) }
    return writer.bytes
  }

  mutating func addRelocations(_ program: ProgramSpec, _ place: Place) {
    var wanted: [(slot: Int, symbol: ELFWriter.SymbolID, type: UInt32)] = []
    for relocation in program.code.relocations {
      let slot = relocation.instruction
      switch relocation.target {
      case .map(let map), .mapValue(let map, _):
        if let symbol = mapSymbols[map.name] { wanted.append((slot, symbol, BPFRelocationType.wide)) }
      case .kernelFunction(let name): wanted.append((slot, externSymbol(name), BPFRelocationType.call))
      }
    }
    for (slot, target) in program.code.functionReferences {
      let isWide = program.code.instructions[slot].isWide
      guard let symbol = isWide ? textSymbol : place.functions[target] else { continue }
      wanted.append((slot, symbol, isWide ? BPFRelocationType.wide : BPFRelocationType.call))
    }
    for (slot, symbol, type) in wanted.sorted(by: { $0.slot < $1.slot }) {
      let isMain = slot < place.mainSlotCount
      let offset = isMain ? place.mainOffset + slot * 8 : place.textOffset + (slot - place.mainSlotCount) * 8
      elf.addRelocation(
        in: isMain ? place.section : text ?? place.section,
        at: UInt64(offset),
        symbol: symbol,
        type: type
      )
    }
  }

  private mutating func externSymbol(_ name: String) -> ELFWriter.SymbolID {
    if let known = externSymbols[name] { return known }
    let symbol = elf.addSymbol(name, at: .undefined)
    externSymbols[name] = symbol
    return symbol
  }

  mutating func addInfo(_ index: Int, _ place: Place) {
    func offset(_ slot: Int) -> (section: String, byte: Int) {
      slot < place.mainSlotCount
        ? (place.sectionName, place.mainOffset + slot * 8)
        : (ObjectSection.text, place.textOffset + (slot - place.mainSlotCount) * 8)
    }
    for info in types.functions[index] {
      let (section, byte) = offset(info.instruction)
      let name = types.builder.string(section)
      infos.functions.add([UInt32(byte), info.type.raw], to: name)
    }
    for line in types.lines[index] {
      let (section, byte) = offset(line.instruction)
      let name = types.builder.string(section)
      let record = [UInt32(byte), line.fileNameOffset, line.textOffset, line.lineAndColumn]
      infos.lines.add(record, to: name)
    }
  }
}

extension ProgramCode {
  /// Slots of calls and function addresses, with the slot that they refer to.
  var functionReferences: [(slot: Int, target: Int)] {
    let relocated = Set(relocations.map(\.instruction))
    return instructions.indices.compactMap { slot in
      let instruction = instructions[slot]
      let isCall = instruction.opcode == 0x85 && instruction.source == 1
      let isAddress = instruction.isWide && instruction.source == 4
      guard isCall || isAddress, !relocated.contains(slot) else { return nil }
      return (slot, slot + 1 + Int(instruction.immediate))
    }
  }
}
