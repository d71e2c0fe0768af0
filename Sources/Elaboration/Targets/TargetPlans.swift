import TargetModel

extension LocationPlan {
  /// `self + index * byteCount`, folded when the index is a constant.
  func advanced(by index: LocationPlan, times byteCount: Int64) -> LocationPlan {
    if case .constant(let value) = index { return offset(by: value &* byteCount) }
    let scaled = byteCount == 1 ? index : .binary(.multiply, index, .constant(byteCount))
    return .binary(.add, self, scaled)
  }
}

extension LocationPlan {
  /// Whether `part` is a part of the plan.
  func contains(_ part: LocationPlan) -> Bool { self != replacing(part, by: .constant(0)) }

  /// The plan with `replacement` wherever `part` is.
  func replacing(_ part: LocationPlan, by replacement: LocationPlan) -> LocationPlan {
    if self == part { return replacement }
    let inner = { (plan: LocationPlan) in plan.replacing(part, by: replacement) }
    switch self {
    case .constant, .register, .entryRegister, .threadPointer, .currentTask, .tracepointArgument, .input,
      .siteLoad:
      return self
    case .unary(let operation, let operand): return .unary(operation, inner(operand))
    case .binary(let operation, let left, let right): return .binary(operation, inner(left), inner(right))
    case .load(let memory, let byteCount, let isSigned, let address):
      return .load(memory, byteCount: byteCount, isSigned: isSigned, address: inner(address))
    case .bits(let value, let offset, let count, let isSigned):
      return .bits(inner(value), offset: offset, count: count, isSigned: isSigned)
    case .extend(let value, let byteCount, let isSigned):
      return .extend(inner(value), byteCount: byteCount, isSigned: isSigned)
    case .selected(let key, let choices, let other):
      return .selected(by: inner(key), from: choices.map { $0.map(inner) }, else: inner(other))
    }
  }
}

extension LocationPlan {
  /// The address of an argument on the stack: `rsp + 8 n`, n > 0 (System V psABI, section 3.2.3).
  var isStackSlot: Bool {
    stackOffset > 0 && stackOffset % 8 == 0
  }

  /// How far above the stack pointer it is; 0 when it is elsewhere.
  private var stackOffset: Int64 {
    guard case .binary(.add, .register(RegisterFile.x86_64.stackPointer), .constant(let offset)) = self else {
      return 0
    }
    return offset
  }

  /// Whether reading it at any function's entry is cheap and harmless.
  var isCheapEverywhere: Bool {
    switch self {
    case .register, .siteLoad: true
    // Far up there need not be a stack: the frames of a thread's first functions are small.
    case .load(.user, byteCount: 8, _, let address):
      address.isStackSlot && address.stackOffset <= 128
    default: false
    }
  }
}

extension ValueLocation {
  /// The plan for the first `byteCount` bytes as a number; nil when a part is optimised out.
  func read(byteCount: Int, isSigned: Bool) -> LocationPlan? {
    switch self {
    case .memory(let memory, let address):
      guard [1, 2, 4, 8].contains(byteCount) else {
        return readBits(offset: 0, count: byteCount * 8, isSigned: isSigned)
      }
      return .load(memory, byteCount: byteCount, isSigned: isSigned, address: address)
    case .value(let plan):
      return byteCount >= 8 ? plan : .extend(plan, byteCount: byteCount, isSigned: isSigned)
    case .pieces: return readBits(offset: 0, count: byteCount * 8, isSigned: isSigned)
    case .pointer: return nil
    }
  }

  /// The plan for `count` bits from `offset` on, at most 64; nil when they cannot be read.
  func readBits(offset: Int, count: Int, isSigned: Bool) -> LocationPlan? {
    guard count > 0, count <= 64, offset >= 0 else { return nil }
    switch self {
    case .memory(let memory, let address):
      return Self.readBits(memory, address, offset: offset, count: count, isSigned: isSigned)
    case .value(let plan):
      return .bits(plan, offset: offset, count: count, isSigned: isSigned)
    case .pieces:
      if let piece = piece(at: offset, bitCount: count) {
        return piece.readBits(offset: 0, count: count, isSigned: isSigned)
      }
      return gather(offset: offset, count: count, isSigned: isSigned)
    case .pointer: return nil
    }
  }

  /// The part of a split object, when the bits asked for lie in one piece that they start.
  func piece(at bitOffset: Int, bitCount: Int) -> ValueLocation? {
    guard case .pieces(let pieces) = self else { return nil }
    var start = 0
    for piece in pieces {
      defer { start += piece.bitCount }
      guard bitOffset >= start, bitOffset + bitCount <= start + piece.bitCount else { continue }
      let inside = bitOffset - start
      switch piece.location {
      case .memory(let memory, let address) where inside % 8 == 0:
        return .memory(memory, address: address.offset(by: Int64(inside / 8)))
      case .value(let plan):
        return .value(inside == 0 ? plan : .binary(.shiftRightLogical, plan, .constant(Int64(inside))))
      case .pointer where inside == 0: return piece.location
      default: return nil
      }
    }
    return nil
  }

  /// The bits `start..<start + bitCount` as an object of their own; parts that cannot be had stay unknown.
  func slice(at start: Int, bitCount: Int) -> ValueLocation {
    switch self {
    case .memory(let memory, let address):
      return .memory(memory, address: address.offset(by: Int64(start / 8)))
    case .value(let plan):
      return .value(start == 0 ? plan : .binary(.shiftRightLogical, plan, .constant(Int64(start))))
    case .pointer: return start == 0 ? self : .pieces([Piece(bitCount: bitCount, location: nil)])
    case .pieces(let pieces):
      var found: [Piece] = []
      var offset = 0
      for piece in pieces {
        let (low, high) = (max(offset, start), min(offset + piece.bitCount, start + bitCount))
        if low < high {
          let part = piece.location?.slice(at: low - offset, bitCount: high - low)
          found.append(Piece(bitCount: high - low, location: part))
        }
        offset += piece.bitCount
      }
      return .pieces(found)
    }
  }

  /// Reads the smallest aligned word that holds the bits, so as not to touch what lies behind the object.
  private static func readBits(
    _ memory: PlanMemory,
    _ address: LocationPlan,
    offset: Int,
    count: Int,
    isSigned: Bool
  ) -> LocationPlan? {
    for byteCount in [1, 2, 4, 8] {
      let start = offset / (8 * byteCount) * byteCount
      let shift = offset - start * 8
      guard shift + count <= byteCount * 8 else { continue }
      let word = LocationPlan.load(
        memory,
        byteCount: byteCount,
        isSigned: false,
        address: address.offset(by: Int64(start))
      )
      return .bits(word, offset: shift, count: count, isSigned: isSigned)
    }
    // A packed field across two words: two halves, put together.
    let firstCount = 64 - offset % 64
    guard firstCount < count,
      let low = readBits(memory, address, offset: offset, count: firstCount, isSigned: false),
      let high = readBits(
        memory,
        address,
        offset: offset + firstCount,
        count: count - firstCount,
        isSigned: isSigned
      )
    else { return nil }
    return .binary(.or, low, .binary(.shiftLeft, high, .constant(Int64(firstCount))))
  }

  private func gather(offset: Int, count: Int, isSigned: Bool) -> LocationPlan? {
    guard case .pieces(let pieces) = self else { return nil }
    var result: LocationPlan?
    var start = 0
    for piece in pieces {
      let low = max(start, offset)
      let high = min(start + piece.bitCount, offset + count)
      defer { start += piece.bitCount }
      guard low < high else { continue }
      guard let part = piece.location?.readBits(offset: low - start, count: high - low, isSigned: false)
      else {
        return nil
      }
      let shifted = low == offset ? part : .binary(.shiftLeft, part, .constant(Int64(low - offset)))
      result = result.map { .binary(.or, $0, shifted) } ?? shifted
    }
    return result.map { .bits($0, offset: 0, count: count, isSigned: isSigned) }
  }
}

extension TypeSource {
  /// Whether an object has members or elements.
  func isAggregate(_ type: TypeReference) -> Bool {
    switch layout(of: type) {
    case .structure, .array: true
    default: false
    }
  }

  /// The size of an object; nil for what has none.
  func byteCount(of type: TypeReference, depth: Int = 0) -> Int? {
    switch layout(of: type) {
    case .integer(let layout): return layout.byteCount
    case .float(_, let byteCount), .pointer(let byteCount, _, _): return byteCount
    case .structure(let layout): return layout.byteCount
    case .enumeration(let layout): return layout.byteCount
    case .array(let element, let count):
      guard depth < 16, let count, let size = byteCount(of: element, depth: depth + 1) else { return nil }
      return size.multipliedReportingOverflow(by: count).partialValue
    case .void: return 1
    case .function, .opaque: return nil
    }
  }
}

extension StructureLayout {
  /// A member, also of an anonymous structure or a base class; its offset is from the start of this one.
  func find(_ name: String, in source: any TypeSource, depth: Int = 0) -> Member? {
    if let member = members.first(where: { $0.name == name }) { return member }
    guard depth < 16 else { return nil }
    for member in members where member.name == nil || member.isBase {
      guard case .structure(let inner) = source.layout(of: member.type),
        var found = inner.find(name, in: source, depth: depth + 1)
      else { continue }
      found.bitOffset += member.bitOffset
      return found
    }
    return nil
  }

  /// Every name that ``find(_:in:depth:)`` knows.
  func allNames(in source: any TypeSource, depth: Int = 0) -> [String] {
    members.flatMap { member -> [String] in
      if let name = member.name, !member.isBase { return [name] }
      guard depth < 16, case .structure(let inner) = source.layout(of: member.type) else { return [] }
      return inner.allNames(in: source, depth: depth + 1)
    }
  }
}
