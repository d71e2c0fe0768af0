import BTF
import ELF
import Platform
import TargetModel

extension ObjectDecoder {
  func readPrograms() throws -> [ProgramSpec] {
    let license = try elf.contents(ofSectionNamed: ObjectSection.license)?.copied() ?? []
    let text = elf.section(named: ObjectSection.text)
    return try symbols.filter { $0.kind == .function && Int($0.sectionIndex) != text?.index }.map { symbol in
      guard elf.sections.indices.contains(Int(symbol.sectionIndex)) else {
        throw ObjectError("program \(symbol.name) is in no section")
      }
      let section = elf.sections[Int(symbol.sectionIndex)]
      guard let (kind, isSleepable) = ProgramKind.parse(section: section.name) else {
        throw ObjectError("program \(symbol.name) is in section \(section.name), which tells no kind")
      }
      return ProgramSpec(
        name: symbol.name,
        kind: kind,
        isSleepable: isSleepable,
        code: try code(of: symbol, in: section, text),
        license: String(decoding: license.prefix { $0 != 0 }, as: UTF8.self)
      )
    }
  }

  private func code(of main: ELFSymbol, in section: ELFSection, _ text: ELFSection?) throws -> ProgramCode {
    let prefix = main.name + functionSeparator
    let subprograms = symbols.filter { $0.kind == .function && $0.name.hasPrefix(prefix) }
      .filter { Int($0.sectionIndex) == text?.index }
      .sorted { $0.address.raw < $1.address.raw }
    var code = ProgramCode(instructions: [], functions: [])
    var starts: [String: Int] = [:]
    for symbol in [main] + subprograms {
      let start = code.instructions.count
      let home = symbol.name == main.name ? section : text ?? section
      guard starts.updateValue(start, forKey: symbol.name) == nil else {
        throw ObjectError("two functions are named \(symbol.name)")
      }
      let isMain = symbol.name == main.name
      code.functions.append(
        .init(
          name: isMain ? symbol.name : String(symbol.name.dropFirst(prefix.count)),
          start: start,
          linkage: isMain ? .global([]) : try linkage(of: symbol)
        )
      )
      try append(symbol, in: home, to: &code)
    }
    try resolve([main] + subprograms, starts, &code)
    return code
  }

  private func linkage(of symbol: ELFSymbol) throws -> FunctionLinkage {
    guard symbol.binding != .local else { return .static }
    guard let prototype = types.function(symbol.name) else {
      throw ObjectError("function \(symbol.name) has no type")
    }
    let source = BTFTypeSource(types)
    return .global(
      try prototype.parameters.map { parameter in
        switch source.layout(of: source.reference(parameter.type)) {
        case .integer: return .scalar
        case .pointer(_, let target?, _):
          if case .structure(let block) = source.layout(of: target) {
            return .memory(byteCount: block.byteCount)
          }
        default: break
        }
        throw ObjectError("function \(symbol.name) has a parameter of a strange type")
      }
    )
  }

  /// Appends the instructions of one function, and its lines.
  private func append(_ symbol: ELFSymbol, in section: ELFSection, to code: inout ProgramCode) throws {
    let start = code.instructions.count
    guard symbol.byteCount % 8 == 0, symbol.byteCount > 0 else {
      throw ObjectError("function \(symbol.name) has \(symbol.byteCount) bytes")
    }
    let content = try elf.contents(of: section).slice(offset: symbol.address.raw, count: symbol.byteCount)
    var reader = ByteReader(content.span)
    while !reader.isAtEnd {
      guard let instruction = BPFInstruction(encoded: try reader.read(UInt64.self)) else {
        throw ObjectError("function \(symbol.name) has no instruction at \(reader.offset - 8)")
      }
      code.instructions.append(instruction)
    }
    for (name, records) in infos.lines.sections where types.string(name) == section.name {
      for record in records {
        let offset = UInt64(record[0])
        guard offset >= symbol.address.raw, offset < symbol.address.raw + symbol.byteCount else { continue }
        let file = types.string(record[1])
        let position = SourcePosition(
          file: sources.firstIndex { $0.name == file } ?? 0,
          line: Int(record[3] >> 10),
          column: Int(record[3] & 1023)
        )
        let slot = start + Int(offset - symbol.address.raw) / 8
        code.lines.append(.init(instruction: slot, position: position))
      }
    }
  }

  /// Turns the relocations of all functions into those of the program.
  private func resolve(
    _ functions: [ELFSymbol],
    _ starts: [String: Int],
    _ code: inout ProgramCode
  ) throws {
    for function in functions {
      guard let start = starts[function.name] else { continue }
      for (offset, symbol) in relocations[Int(function.sectionIndex)] ?? [:] {
        guard offset >= function.address.raw, offset < function.address.raw + function.byteCount else {
          continue
        }
        let slot = start + Int(offset - function.address.raw) / 8
        try resolve(slot, symbol, starts, &code)
      }
    }
    code.relocations.sort { $0.instruction < $1.instruction }
  }

  private func resolve(
    _ slot: Int,
    _ symbol: ELFSymbol,
    _ starts: [String: Int],
    _ code: inout ProgramCode
  ) throws {
    let instruction = code.instructions[slot]
    if symbol.kind == .section, let name = function(at: instruction.immediate, in: symbol.sectionIndex) {
      guard let target = starts[name] else { throw ObjectError("\(name) belongs to another program") }
      code.instructions[slot].source = 4
      code.instructions[slot].immediate = Int32(target - slot - 1)
    } else if symbol.kind == .function, let target = starts[symbol.name] {
      code.instructions[slot].source = instruction.isWide ? 4 : 1
      code.instructions[slot].immediate = Int32(target - slot - 1)
    } else if let map = maps.first(where: { $0.name == symbol.name }) {
      guard instruction.isWide, slot + 1 < code.instructions.count else {
        throw ObjectError("a relocation to map \(symbol.name) is not at a constant")
      }
      try resolve(slot, map, &code)
    } else if symbol.kind == .none, !symbol.isDefined, instruction.opcode == 0x85 {
      code.instructions[slot].source = 2
      code.instructions[slot].immediate = 0
      code.relocations.append(.init(instruction: slot, target: .kernelFunction(symbol.name)))
    } else {
      throw ObjectError("a relocation names \(symbol.name), which is nothing of this object")
    }
  }

  private func function(at offset: Int32, in section: UInt32) -> String? {
    symbols.first {
      $0.kind == .function && $0.sectionIndex == section && $0.address.raw == UInt64(clamping: offset)
    }?.name
  }

  private func resolve(_ slot: Int, _ map: MapSpec, _ code: inout ProgramCode) throws {
    let isData = dataMaps.contains(map.name)
    let isValue = isData || code.instructions[slot].source == 2
    var offset: Int32 = 0
    if isValue {
      offset = isData ? code.instructions[slot].immediate : code.instructions[slot + 1].immediate
      code.instructions[slot + 1].immediate = offset
    }
    code.instructions[slot].immediate = 0
    code.instructions[slot].source = isValue ? 2 : 1
    let target: ProgramCode.Relocation.Target =
      isValue ? .mapValue(map.reference, offset: offset) : .map(map.reference)
    code.relocations.append(.init(instruction: slot, target: target))
  }
}

extension ProgramKind {
  /// The kind that an ELF section tells; the inverse of ``ProgramSpec/section``.
  static func parse(section: String) -> (ProgramKind, isSleepable: Bool)? {
    let parts = section.split(separator: "/", maxSplits: 1).map(String.init)
    guard let head = parts.first else { return nil }
    let isSleepable = head.hasSuffix(".s")
    let rest = parts.count > 1 ? parts[1] : nil
    switch (isSleepable ? String(head.dropLast(2)) : head, rest) {
    case ("uprobe", nil): return (.uprobe(isReturn: false), isSleepable)
    case ("uretprobe", nil): return (.uprobe(isReturn: true), isSleepable)
    case ("uprobe.multi", nil): return (.uprobeMulti(isReturn: false), isSleepable)
    case ("uretprobe.multi", nil): return (.uprobeMulti(isReturn: true), isSleepable)
    case ("uprobe.session", nil): return (.uprobeSession, isSleepable)
    case ("perf_event", nil): return (.perfEvent, isSleepable)
    case ("syscall", nil): return (.syscall, isSleepable)
    case ("raw_tp", let name?): return (.rawTracepoint(name), isSleepable)
    case ("tp_btf", let name?): return (.btfTracepoint(name), isSleepable)
    case ("kprobe", let name?): return (.kprobe(function: name, isReturn: false), isSleepable)
    case ("kretprobe", let name?): return (.kprobe(function: name, isReturn: true), isSleepable)
    case ("fentry", let name?): return (.fentry(function: name), isSleepable)
    case ("fexit", let name?): return (.fexit(function: name), isSleepable)
    case ("tracepoint", let name?):
      let names = name.split(separator: "/").map(String.init)
      return names.count == 2 ? (.tracepoint(category: names[0], name: names[1]), isSleepable) : nil
    default: return nil
    }
  }
}
