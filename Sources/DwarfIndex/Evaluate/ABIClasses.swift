import TargetModel

/// Sorts types into the classes by which they are passed and returned (System V psABI for x86-64, section 3.2.3).
struct ABIClasses {
  /// The class of an eightbyte, as far as probes tell them apart.
  enum Eightbyte { case none, integer, floating, memory }

  /// How an object of one type travels.
  enum Passing: Equatable {
    /// In registers: a class for each eightbyte.
    case registers([Eightbyte])
    /// On the stack, aligned to 8 or 16 bytes.
    case memory(alignment: Int)
    /// A pointer to it does: a C++ class with a copy constructor or destructor of its own.
    case reference
    /// An empty C++ class.
    case nothing
    /// Nobody knows: incomplete types, wide vectors.
    case unknown
  }

  private let types: TypeReader

  init(_ types: TypeReader) { self.types = types }

  private struct Classification {
    var classes: [Eightbyte] = [.none, .none]
    /// How many parts may still be looked at: real types of 16 bytes have few.
    var budget = 1000
  }

  /// How an object of `type` is passed, and its size in bytes.
  func passing(of type: TypeReference) -> (passing: Passing, byteCount: Int) {
    let (layout, byteCount) = resolve(type, depth: 0)
    switch layout {
    case .integer(let integer):
      return (.registers(integer.byteCount == 16 ? [.integer, .integer] : [.integer]), integer.byteCount)
    case .pointer(let byteCount, _, _): return (.registers([.integer]), byteCount)
    case .enumeration(let enumeration): return (.registers([.integer]), enumeration.byteCount)
    case .float(let name, let byteCount):
      // long double is an x87 number, __float128 a vector.
      let isExtended = byteCount > 8 && !name.contains("128")
      return (isExtended ? .memory(alignment: 16) : .registers([.floating]), byteCount)
    case .structure(let structure): return (aggregate(type, structure), structure.byteCount)
    case .opaque: return special(type)
    case .array:
      guard isVector(type), let byteCount, byteCount <= 16 else { return (.unknown, 0) }
      return (.registers([.floating]), byteCount)
    case .void, .function: return (.unknown, 0)
    }
  }

  /// Whether `type` is a structure, union or class.
  func isStructure(_ type: TypeReference) -> Bool {
    if case .structure = types.layout(of: type) { return true }
    return false
  }

  private func aggregate(_ type: TypeReference, _ structure: StructureLayout) -> Passing {
    if isPassedByReference(type) { return .reference }
    guard structure.byteCount > 0 else { return .nothing }
    if structure.members.isEmpty, structure.byteCount == 1 { return .nothing }
    let alignment = alignment(of: type, depth: 0)
    guard structure.byteCount <= 16 else { return .memory(alignment: alignment) }
    var result = Classification()
    classify(type, bitOffset: 0, into: &result, depth: 0)
    if result.classes.contains(.memory) { return .memory(alignment: alignment) }
    return .registers(structure.byteCount > 8 ? result.classes : [result.classes[0]])
  }

  /// What has no layout of ours: complex numbers, pointers to members, `nullptr_t`.
  private func special(_ type: TypeReference) -> (passing: Passing, byteCount: Int) {
    guard let die = types.die(type).flatMap({ types.stripped($0.die) }) else { return (.unknown, 0) }
    switch die.tag {
    case DwarfTag.baseType where die.unsigned(DwarfAttribute.encoding) == 0x03:  // DW_ATE_complex_float
      switch types.byteCount(die) {
      case 8: return (.registers([.floating]), 8)
      case 16: return (.registers([.floating, .floating]), 16)
      default: return (.memory(alignment: 16), 32)
      }
    case DwarfTag.pointerToMember:
      let isFunction = die.reference(DwarfAttribute.type)?.tag == DwarfTag.subroutineType
      return (.registers(isFunction ? [.integer, .integer] : [.integer]), isFunction ? 16 : 8)
    case DwarfTag.unspecifiedType: return (.registers([.integer]), 8)
    default: return (.unknown, 0)
    }
  }

  private func isVector(_ type: TypeReference) -> Bool {
    types.die(type).flatMap { types.stripped($0.die) }?.flag(DwarfAttribute.gnuVector) ?? false
  }

  /// DW_CC_pass_by_reference; before DWARF 5 a destructor that someone wrote tells.
  private func isPassedByReference(_ type: TypeReference) -> Bool {
    guard let die = types.die(type).flatMap({ types.stripped($0.die) }).flatMap(types.completed) else {
      return false
    }
    if let convention = die.unsigned(DwarfAttribute.callingConvention) { return convention == 0x04 }
    return die.children.contains { child in
      child.tag == DwarfTag.subprogram && child.name?.hasPrefix("~") ?? false
        && !child.flag(DwarfAttribute.artificial) && !child.has(DwarfAttribute.defaulted)
    }
  }

  /// 16 for what holds something of 16 bytes, else 8: what matters on the stack.
  private func alignment(of type: TypeReference, depth: Int) -> Int {
    if let die = types.die(type)?.die, let alignment = die.unsigned(DwarfAttribute.alignment), alignment > 8 {
      return Int(clamping: min(alignment, 64))
    }
    guard depth < 8 else { return 8 }
    switch types.layout(of: type) {
    case .integer(let integer): return integer.byteCount == 16 ? 16 : 8
    case .float(_, let byteCount): return byteCount == 16 ? 16 : 8
    case .array(let element, _): return alignment(of: element, depth: depth + 1)
    case .structure(let structure):
      return structure.members.prefix(64).map { alignment(of: $0.type, depth: depth + 1) }.max() ?? 8
    case .void, .pointer, .enumeration, .function, .opaque: return 8
    }
  }

  /// Merges the classes of what lies in `type` into its eightbytes.
  private func classify(
    _ type: TypeReference,
    bitOffset: Int,
    into result: inout Classification,
    depth: Int
  ) {
    result.budget -= 1
    guard bitOffset >= 0, bitOffset < 128 else { return }
    guard depth < 16, result.budget > 0 else {
      result.classes[0] = .memory
      return
    }
    let (layout, byteCount) = resolve(type, depth: depth)
    switch layout {
    case .integer, .pointer, .enumeration:
      merge(.integer, from: bitOffset, byteCount: byteCount ?? 8, into: &result)
    case .float(_, let byteCount):
      // long double is returned in st(0) alone, and in memory inside of structures.
      merge(byteCount > 8 ? .memory : .floating, from: bitOffset, byteCount: byteCount, into: &result)
    case .structure(let structure):
      for member in structure.members {
        if let bitCount = member.bitCount {
          // Bit fields may begin anywhere.
          let first = bitOffset &+ member.bitOffset
          mark(.integer, first / 64...max(first, first &+ bitCount - 1) / 64, in: &result)
        } else {
          classify(member.type, bitOffset: bitOffset &+ member.bitOffset, into: &result, depth: depth + 1)
        }
      }
    case .array(let element, let count):
      let size = resolve(element, depth: depth + 1).byteCount ?? 0
      guard size > 0 else { return }
      for index in 0..<min(count ?? 0, 16) {
        classify(element, bitOffset: bitOffset &+ index &* size &* 8, into: &result, depth: depth + 1)
      }
    case .void, .function: return
    case .opaque: result.classes[0] = .memory
    }
  }

  /// An object with a part at an address that is not a multiple of the part's size travels in memory.
  private func merge(
    _ kind: Eightbyte,
    from bitOffset: Int,
    byteCount: Int,
    into result: inout Classification
  ) {
    let bitCount = max(min(byteCount, 16) * 8, 1)
    let isPacked = bitOffset % bitCount != 0
    mark(isPacked ? .memory : kind, bitOffset / 64...(bitOffset + bitCount - 1) / 64, in: &result)
  }

  private func mark(_ kind: Eightbyte, _ indexes: ClosedRange<Int>, in result: inout Classification) {
    for index in indexes where result.classes.indices.contains(index) {
      switch (result.classes[index], kind) {
      case (.memory, _), (_, .memory): result.classes[index] = .memory
      case (.integer, _), (_, .integer): result.classes[index] = .integer
      default: result.classes[index] = kind
      }
    }
  }

  /// The layout and the size of a type.
  private func resolve(_ type: TypeReference, depth: Int) -> (layout: TypeLayout, byteCount: Int?) {
    let layout = types.layout(of: type)
    switch layout {
    case .integer(let integer): return (layout, integer.byteCount)
    case .float(_, let byteCount), .pointer(let byteCount, _, _): return (layout, byteCount)
    case .structure(let structure): return (layout, structure.byteCount)
    case .enumeration(let enumeration): return (layout, enumeration.byteCount)
    case .array(let element, let count):
      guard depth < 16, let count, let size = resolve(element, depth: depth + 1).byteCount else {
        return (layout, nil)
      }
      let (product, overflow) = size.multipliedReportingOverflow(by: count)
      return (layout, overflow ? nil : product)
    case .void, .function, .opaque: return (layout, nil)
    }
  }
}

extension ValueLocation {
  /// One piece for each eightbyte: integer ones in `registers`, in order; the others cannot be read.
  static func eightbytes(
    _ classes: [ABIClasses.Eightbyte],
    _ byteCount: Int,
    in registers: [Int]
  ) -> ValueLocation? {
    guard classes.contains(.integer) else { return nil }
    var registers = registers[...]
    if classes.count == 1, let only = registers.first { return .value(.register(only)) }
    return .pieces(
      classes.enumerated().map { index, kind in
        let bitCount = min(64, byteCount * 8 - index * 64)
        guard kind == .integer, let register = registers.popFirst() else {
          return ValueLocation.Piece(bitCount: bitCount, location: nil)
        }
        return ValueLocation.Piece(bitCount: bitCount, location: .value(.register(register)))
      }
    )
  }
}
