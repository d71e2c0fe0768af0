import TargetModel

/// What people mean by a container of libstdc++, whose members say little to them.
enum StandardContainer {
  /// A `std::string`: its text, up to a zero byte.
  case string(TargetCapture)
  /// A `std::vector`: how many elements it has, and where they are.
  case vector(count: TargetCapture, start: TargetCapture)

  /// Nil for all other structures.
  init?(_ object: TargetObject, _ layout: StructureLayout) {
    guard case .memory(let memory, let address) = object.location, let name = layout.name else { return nil }
    let member = { (name: String) in layout.find(name, in: object.source) }
    let word = { (found: StructureLayout.Member) in
      LocationPlan.load(
        memory,
        byteCount: 8,
        isSigned: false,
        address: address.offset(by: Int64(found.bitOffset / 8))
      )
    }
    if name.hasPrefix("basic_string<char,"), let holder = member("_M_dataplus"),
      let pointer = holder.member("_M_p", in: object.source)
    {
      self = .string(
        TargetCapture(plan: word(pointer), kind: .string(object.memory), isEntry: object.isEntry)
      )
      return
    }
    guard name.hasPrefix("vector<"), let holder = member("_M_impl"),
      let first = holder.member("_M_start", in: object.source),
      let last = holder.member("_M_finish", in: object.source),
      case .pointer(_, let element?, _) = object.source.layout(of: first.type),
      let byteCount = object.source.byteCount(of: element), byteCount > 0
    else { return nil }
    let distance = LocationPlan.binary(.subtract, word(last), word(first))
    let count = LocationPlan.binary(.divideSigned, distance, .constant(Int64(byteCount)))
    self = .vector(
      count: TargetCapture(plan: count, kind: .number, isEntry: object.isEntry),
      start: TargetCapture(plan: word(first), kind: .number, isEntry: object.isEntry)
    )
  }
}

extension StructureLayout.Member {
  /// A member of this member; its offset is from the start of the whole.
  fileprivate func member(_ name: String, in source: any TypeSource) -> StructureLayout.Member? {
    guard case .structure(let layout) = source.layout(of: type), var found = layout.find(name, in: source)
    else {
      return nil
    }
    found.bitOffset += bitOffset
    return found
  }
}

extension TargetObject {
  /// The object that a C++ reference means; nil when the reference cannot be read.
  var referent: TargetObject? {
    guard let type, case .pointer(let byteCount, let target?, true) = source.layout(of: type) else {
      return nil
    }
    return pointee(target, pointerByteCount: byteCount)
  }

  /// The object of type `target` that this pointer points to; nil when that cannot be told.
  func pointee(_ target: TypeReference, pointerByteCount: Int) -> TargetObject? {
    var result = self
    if case .pointer(to: let object, byteOffset: let offset) = location {
      result.location = object
      return result.part(at: offset * 8, type: target)
    }
    guard let address = location.read(byteCount: pointerByteCount, isSigned: false) else { return nil }
    result.location = .memory(memory, address: address)
    result.type = target
    return result
  }
}
