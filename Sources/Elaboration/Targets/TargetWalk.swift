import TargetModel

/// Follows `->member` and `[index]` through a program's data.
struct TargetWalk {
  /// Where the object is that the walk has reached.
  private enum Place {
    case object(ValueLocation)
    /// A bit field: bits of the object at a location.
    case bits(ValueLocation, offset: Int, count: Int)
  }

  private let source: any TypeSource
  private let memory: PlanMemory
  private var place: Place
  private(set) var type: TypeReference?
  /// What has been walked so far, as the script writes it.
  private var name: String
  /// The walk stands at an address that the script gave: `[1]` is the object behind the first.
  private var isAtPointer: Bool

  /// Starts at `object`, which messages call `name`; `isPointed` when the script gave its address.
  init(_ object: TargetObject, name: String, isPointed: Bool = false) {
    source = object.source
    memory = object.memory
    place = .object(object.location)
    type = object.type
    self.name = name
    isAtPointer = isPointed
  }

  /// Takes one step.
  mutating func take(_ step: TargetQuery.Step) throws(TargetProblem) {
    switch step {
    case .member(let name): try enter(name)
    case .index(let index): try subscripted(by: .constant(index))
    case .inputIndex(let input): try subscripted(by: .input(input))
    }
    name += step.text
    isAtPointer = false
  }

  /// The address of the object.
  func address() throws(TargetProblem) -> LocationPlan {
    guard case .object(.memory(_, let address)) = place else {
      throw problem("no-address", "'\(name)' is not in memory here, so it has no address")
    }
    return address
  }

  /// The object's value as 64 bits; arrays give their address, as in C.
  func value() throws(TargetProblem) -> LocationPlan {
    guard let type else { return try raw(byteCount: 8, isSigned: true) }
    switch source.layout(of: type) {
    case .integer(let layout) where layout.byteCount <= 8:
      return try raw(byteCount: layout.byteCount, isSigned: layout.isSigned)
    case .enumeration(let layout): return try raw(byteCount: layout.byteCount, isSigned: layout.isSigned)
    case .pointer(let byteCount, _, _): return try raw(byteCount: byteCount, isSigned: false)
    case .float(_, let byteCount) where byteCount <= 8: return try raw(byteCount: byteCount, isSigned: false)
    case .array, .function: return try address()
    case .structure(let layout):
      throw problem(
        "structure-as-value",
        "'\(name)' is a \(layout.keyword.rawValue); name a member of it, or write '\(name)$'"
      )
    case .void, .opaque, .integer, .float:
      throw problem(
        "no-such-value",
        "'\(name)' is of type '\(source.spelling(of: type))', which has no value"
      )
    }
  }

  /// The object that the walk has reached, for printing it.
  func object() throws(TargetProblem) -> TargetObject {
    switch place {
    case .object(let location):
      return TargetObject(location: location, type: type, source: source, memory: memory)
    case .bits:
      return TargetObject(location: .value(try value()), type: type, source: source, memory: memory)
    }
  }

  private mutating func enter(_ member: String) throws(TargetProblem) {
    try followPointers()
    guard let type, case .structure(let layout) = source.layout(of: type) else {
      throw problem("no-members", "'\(name)' is of type '\(source.spelling(of: type))', which has no members")
    }
    guard let found = layout.find(member, in: source) else {
      throw TargetProblem(
        id: "no-such-member",
        message: "no member '\(member)' in '\(source.spelling(of: type))'",
        asked: member,
        candidates: layout.allNames(in: source)
      )
    }
    let whole = place
    place = try part(at: found.bitOffset, bitCount: found.bitCount, type: found.type)
    if let variant = found.variant, let variants = layout.variants, variants.discriminant != nil {
      try guardVariant(variant, variants, whole, type)
    }
    self.type = found.type
  }

  /// A field of an alternative is there only where the object is that alternative.
  private mutating func guardVariant(
    _ variant: Int,
    _ variants: StructureLayout.Variants,
    _ whole: Place,
    _ type: TypeReference
  ) throws(TargetProblem) {
    guard case .object(let location) = whole, case .object(let part) = place else { return }
    let object = TargetObject(location: location, type: type, source: source, memory: memory)
    guard let discriminant = variants.discriminant(of: object) else {
      throw problem("optimized-out", "which alternative '\(name)' is is not known here")
    }
    place = .object(variants.guarded(part, variant, by: discriminant))
  }

  private mutating func subscripted(by index: LocationPlan) throws(TargetProblem) {
    guard let type else { throw untyped() }
    let base: LocationPlan
    let element: TypeReference
    switch source.layout(of: type) {
    case .array(let elementType, let count) where !isInMemory:
      return try take(index, of: count, elementType)
    case .array(let elementType, _): (base, element) = (try address(), elementType)
    case .pointer(_, .some(let target), _) where !isPointer: (base, element) = (try value(), target)
    case .pointer(_, .some(let target), _): return try takeBehindPointer(index, target)
    default:
      if isAtPointer, case .object(.memory(_, let address)) = place {
        (base, element) = (address, type)
        break
      }
      throw problem(
        "no-elements",
        "'\(name)' is of type '\(source.spelling(of: type))', which has no elements"
      )
    }
    guard let byteCount = source.byteCount(of: element), byteCount > 0 else {
      throw problem("no-elements", "the size of '\(source.spelling(of: element))' is not known")
    }
    place = .object(.memory(memory, address: base.advanced(by: index, times: Int64(byteCount))))
    self.type = element
  }

  private var isPointer: Bool { if case .object(.pointer) = place { true } else { false } }

  /// An element of what a pointer without a value points to.
  private mutating func takeBehindPointer(
    _ index: LocationPlan,
    _ element: TypeReference
  ) throws(TargetProblem) {
    guard case .object(.pointer(to: let object, byteOffset: let offset)) = place else { return }
    guard let byteCount = source.byteCount(of: element), byteCount > 0 else {
      throw problem("no-elements", "the size of '\(source.spelling(of: element))' is not known")
    }
    if case .memory(let memory, let address) = object {
      let start = address.offset(by: Int64(offset))
      place = .object(.memory(memory, address: start.advanced(by: index, times: Int64(byteCount))))
    } else {
      guard case .constant(let number) = index,
        let distance = Int(exactly: number).flatMap({
          Int(exactly: Int64($0) * Int64(byteCount) + Int64(offset))
        })
      else { throw problem("no-address", "'\(name)' has no address here: only a constant can be its index") }
      place = .object(object)
      place = try part(at: distance * 8, bitCount: nil, type: element)
    }
    type = element
  }

  private var isInMemory: Bool { if case .object(.memory) = place { true } else { false } }

  /// An element of an array that has no address.
  private mutating func take(
    _ index: LocationPlan,
    of count: Int?,
    _ element: TypeReference
  ) throws(TargetProblem) {
    guard case .constant(let number) = index else {
      throw problem("no-address", "'\(name)' has no address here: only a constant can be its index")
    }
    guard let byteCount = source.byteCount(of: element), let count, 0..<Int64(count) ~= number else {
      throw problem("no-elements", "'\(name)' has no element \(number)")
    }
    place = try part(at: Int(number) * byteCount * 8, bitCount: nil, type: element)
    type = element
  }

  /// Pointers on the way to a member are followed without being asked to.
  private mutating func followPointers() throws(TargetProblem) {
    guard let type else { throw untyped() }
    guard case .pointer(_, let target, _) = source.layout(of: type) else { return }
    guard let target else {
      throw problem("no-members", "'\(name)' is a 'void *'; say with @cast what it points to")
    }
    if case .object(.pointer(to: let object, byteOffset: let offset)) = place {
      place = .object(object)
      place = try part(at: offset * 8, bitCount: nil, type: target)
    } else {
      place = .object(.memory(memory, address: try value()))
    }
    self.type = target
    // C++: a reference to a pointer.
    if case .pointer = source.layout(of: target) { try followPointers() }
  }

  /// A member's place inside the current object.
  private func part(at bitOffset: Int, bitCount: Int?, type: TypeReference) throws(TargetProblem) -> Place {
    guard case .object(let location) = place else {
      throw problem("no-members", "a bit field has no members")
    }
    if let bitCount { return .bits(location, offset: bitOffset, count: bitCount) }
    switch location {
    case .memory(let memory, let address):
      return .object(.memory(memory, address: address.offset(by: Int64(bitOffset / 8))))
    case .value, .pieces, .pointer:
      let bits = (source.byteCount(of: type) ?? 8) * 8
      if let inside = location.piece(at: bitOffset, bitCount: bits) { return .object(inside) }
      if source.isAggregate(type) { return .object(location.slice(at: bitOffset, bitCount: bits)) }
      return .bits(location, offset: bitOffset, count: bits)
    }
  }

  private func raw(byteCount: Int, isSigned: Bool) throws(TargetProblem) -> LocationPlan {
    let plan: LocationPlan? =
      switch place {
      case .object(let location): location.read(byteCount: byteCount, isSigned: isSigned)
      case .bits(let location, let offset, let count):
        location.readBits(offset: offset, count: count, isSigned: isSigned)
      }
    guard let plan else {
      let why = isPointer ? "has no value here; only what it points to is known" : "is optimised out here"
      throw problem("optimized-out", "'\(name)' \(why)")
    }
    return plan
  }

  private func problem(_ id: String, _ message: String) -> TargetProblem {
    TargetProblem(id: id, message: message)
  }

  private func untyped() -> TargetProblem {
    problem("no-members", "'\(name)' is a plain number; say with @cast what it points to")
  }
}
