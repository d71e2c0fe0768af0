import TargetModel

/// Where a function leaves its result (System V psABI for x86-64, section 3.2.3).
struct ReturnValue {
  private let types: TypeReader
  private static let rax = 0
  private static let rdx = 1

  init(_ types: TypeReader) { self.types = types }

  /// The class of an eightbyte, as far as probes tell them apart.
  private enum EightbyteClass { case none, integer, floating, memory }

  private struct Classification {
    var classes: [EightbyteClass] = [.none, .none]
    /// How many parts may still be looked at: real types of 16 bytes have few.
    var budget = 1000
  }

  /// The place of a result at the return; nil when it is in a vector or x87 register.
  func location(of type: TypeReference) -> ValueLocation? {
    let (layout, byteCount) = resolve(type, depth: 0)
    switch layout {
    case .integer(let integer) where integer.byteCount == 16: return pieces([.integer, .integer], 16)
    case .integer, .pointer, .enumeration: return .value(.register(Self.rax))
    case .void, .float, .function, .opaque: return nil
    case .structure, .array: break
    }
    guard let byteCount, byteCount > 0 else { return nil }
    let inMemory = ValueLocation.memory(.user, address: .register(Self.rax))
    guard byteCount <= 16, !isPassedByReference(type) else { return inMemory }
    var result = Classification()
    classify(type, bitOffset: 0, into: &result, depth: 0)
    if result.classes.contains(.memory) { return inMemory }
    return pieces(byteCount > 8 ? result.classes : [result.classes[0]], byteCount)
  }

  /// One piece for each eightbyte: integer ones in rax, then rdx; the others cannot be read.
  private func pieces(_ classes: [EightbyteClass], _ byteCount: Int) -> ValueLocation? {
    guard classes.contains(.integer) else { return nil }
    var registers = [Self.rax, Self.rdx][...]
    if classes == [.integer] { return .value(.register(Self.rax)) }
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

  /// DW_CC_pass_by_reference: a C++ class with a copy constructor or destructor of its own.
  private func isPassedByReference(_ type: TypeReference) -> Bool {
    guard let die = types.die(type).flatMap({ types.stripped($0.die) }).flatMap(types.completed) else {
      return false
    }
    return die.unsigned(DwarfAttribute.callingConvention) == 0x04
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
          let bytes = (bitCount + 7) / 8
          merge(.integer, from: bitOffset &+ member.bitOffset, byteCount: bytes, into: &result)
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

  private func merge(
    _ kind: EightbyteClass,
    from bitOffset: Int,
    byteCount: Int,
    into result: inout Classification
  ) {
    let first = bitOffset / 64
    let last = (bitOffset + max(min(byteCount, 16) * 8 - 1, 0)) / 64
    for index in first...last where result.classes.indices.contains(index) {
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
