import TargetModel

/// What people mean by a container of libstdc++ or of Rust, whose members say little to them.
enum StandardContainer {
  /// A `std::string`, a `&str`, a `String`: its text, up to a zero byte.
  case string(TargetCapture)
  /// A `std::vector`, a `&[T]`, a `Vec<T>`: how many elements it has, and where they are.
  case vector(count: TargetCapture, start: TargetCapture)

  /// Nil for all other structures.
  init?(_ object: TargetObject, _ layout: StructureLayout) {
    if let container = StandardContainer(rust: object, layout) {
      self = container
      return
    }
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

extension StandardContainer {
  /// References to parts of memory, which no other language calls so, and the two containers that are everywhere.
  private init?(rust object: TargetObject, _ layout: StructureLayout) {
    guard let name = layout.name else { return nil }
    let isReference = name.hasPrefix("&")
    let isText = ["&str", "&mut str", "String"].contains(name)
    guard isReference || name == "String" || name.hasPrefix("Vec<"),
      let length = layout.leaf(isReference ? "length" : "len", in: object.source),
      let pointer = layout.pointer(below: isReference ? "data_ptr" : "buf", in: object.source),
      let count = object.part(at: length.bitOffset, type: length.type)?.location
        .read(byteCount: 8, isSigned: false),
      let start = object.part(at: pointer.bitOffset, type: pointer.type)?.location
        .read(byteCount: 8, isSigned: false)
    else { return nil }
    if isText {
      self = .string(
        TargetCapture(plan: start, kind: .text(object.memory, byteCount: count), isEntry: object.isEntry)
      )
    } else {
      self = .vector(
        count: TargetCapture(plan: count, kind: .number, isEntry: object.isEntry),
        start: TargetCapture(plan: start, kind: .number, isEntry: object.isEntry)
      )
    }
  }
}

extension StructureLayout {
  /// The member of that name, at whatever depth: the first one in the order of declaration.
  fileprivate func leaf(_ name: String, in source: any TypeSource, depth: Int = 0) -> Member? {
    if let own = members.first(where: { $0.name == name }) { return own }
    return inner(in: source, depth) { $0.leaf(name, in: source, depth: depth + 1) }
  }

  /// The first pointer in the member of that name, or that member.
  fileprivate func pointer(below name: String, in source: any TypeSource) -> Member? {
    guard let holder = leaf(name, in: source) else { return nil }
    if case .pointer = source.layout(of: holder.type) { return holder }
    guard case .structure(let layout) = source.layout(of: holder.type),
      var found = layout.firstPointer(in: source, depth: 0)
    else { return nil }
    found.bitOffset += holder.bitOffset
    return found
  }

  private func firstPointer(in source: any TypeSource, depth: Int) -> Member? {
    for member in members {
      if case .pointer = source.layout(of: member.type) { return member }
    }
    return inner(in: source, depth) { $0.firstPointer(in: source, depth: depth + 1) }
  }

  /// What `find` finds in one of the structures inside, from the start of this one.
  private func inner(
    in source: any TypeSource,
    _ depth: Int,
    _ find: (StructureLayout) -> Member?
  ) -> Member? {
    guard depth < 8 else { return nil }
    for member in members {
      guard case .structure(let layout) = source.layout(of: member.type), var found = find(layout) else {
        continue
      }
      found.bitOffset += member.bitOffset
      return found
    }
    return nil
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
