/// Writes BTF: types, and the strings that they and `.BTF.ext` share.
package struct BTFBuilder: Sendable {
  private var words: [UInt32] = []
  private var strings: [UInt8] = [0]
  private var offsets: [String: UInt32] = ["": 0]
  private var shared: [[UInt32]: BTFTypeID] = [:]
  private var count: UInt32 = 0

  package init() {}

  /// The offset of `text` in the string section.
  package mutating func string(_ text: String) -> UInt32 {
    if let known = offsets[text] { return known }
    let offset = UInt32(strings.count)
    strings += text.utf8.filter { $0 != 0 }
    strings.append(0)
    offsets[text] = offset
    return offset
  }

  /// An integer of `byteCount` bytes.
  package mutating func integer(_ name: String, byteCount: Int, isSigned: Bool = false) -> BTFTypeID {
    let detail = (isSigned ? 1 << 24 : 0) | UInt32(byteCount * 8)
    return add(.integer, name, sizeOrType: UInt32(byteCount), trailing: [detail])
  }

  /// `byteCount` bytes, as an array of `unsigned char`.
  package mutating func bytes(_ byteCount: Int) -> BTFTypeID {
    array(of: integer("unsigned char", byteCount: 1), count: byteCount)
  }

  /// `element[count]`.
  package mutating func array(of element: BTFTypeID, count: Int) -> BTFTypeID {
    let index = integer("int", byteCount: 4, isSigned: true)
    return add(.array, "", sizeOrType: 0, trailing: [element.raw, index.raw, UInt32(count)])
  }

  /// `target *`.
  package mutating func pointer(to target: BTFTypeID) -> BTFTypeID {
    add(.pointer, "", sizeOrType: target.raw)
  }

  /// `const target`.
  package mutating func const(_ target: BTFTypeID) -> BTFTypeID { add(.const, "", sizeOrType: target.raw) }

  /// A structure; offsets of the members in bytes.
  package mutating func structure(
    _ name: String,
    byteCount: Int,
    members: [(name: String, type: BTFTypeID, offset: Int)]
  ) -> BTFTypeID {
    let trailing = members.flatMap { [string($0.name), $0.type.raw, UInt32($0.offset * 8)] }
    return add(
      .structure,
      name,
      count: members.count,
      sizeOrType: UInt32(byteCount),
      trailing: trailing
    )
  }

  /// `result (parameters)`.
  package mutating func prototype(
    result: BTFTypeID,
    parameters: [(name: String, type: BTFTypeID)]
  ) -> BTFTypeID {
    let trailing = parameters.flatMap { [string($0.name), $0.type.raw] }
    return add(.functionPrototype, "", count: parameters.count, sizeOrType: result.raw, trailing: trailing)
  }

  /// Who else may see a function or variable.
  package enum Linkage: UInt16, Sendable { case `static`, global, extern }

  /// A function; always a new type, since func_info tells functions apart by it.
  package mutating func function(_ name: String, prototype: BTFTypeID, linkage: Linkage) -> BTFTypeID {
    add(.function, name, count: Int(linkage.rawValue), sizeOrType: prototype.raw, isShared: false)
  }

  /// A variable.
  package mutating func variable(_ name: String, type: BTFTypeID, linkage: Linkage) -> BTFTypeID {
    add(.variable, name, sizeOrType: type.raw, trailing: [UInt32(linkage.rawValue)], isShared: false)
  }

  /// An ELF section and what lies in it.
  package mutating func dataSection(
    _ name: String,
    byteCount: Int,
    contents: [(type: BTFTypeID, offset: Int, byteCount: Int)]
  ) -> BTFTypeID {
    let trailing = contents.flatMap { [$0.type.raw, UInt32($0.offset), UInt32($0.byteCount)] }
    return add(
      .dataSection,
      name,
      count: contents.count,
      sizeOrType: UInt32(byteCount),
      trailing: trailing,
      isShared: false
    )
  }

  /// Whether any type was added.
  package var isEmpty: Bool { count == 0 }

  /// The section's bytes.
  package func encoded() -> [UInt8] {
    let typeByteCount = UInt32(words.count * 4)
    let header: [UInt32] = [0x0001_eb9f, 24, 0, typeByteCount, typeByteCount, UInt32(strings.count)]
    var bytes: [UInt8] = []
    bytes.reserveCapacity(24 + words.count * 4 + strings.count)
    for word in header + words {
      for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    return bytes + strings
  }

  /// Appends a record, or answers with the equal one that is there already.
  private mutating func add(
    _ kind: BTFKind,
    _ name: String,
    count elements: Int = 0,
    sizeOrType: UInt32,
    trailing: [UInt32] = [],
    isShared: Bool = true
  ) -> BTFTypeID {
    let record = [string(name), UInt32(kind.rawValue) << 24 | UInt32(elements), sizeOrType] + trailing
    if isShared, let known = shared[record] { return known }
    words += record
    count += 1
    shared[record] = BTFTypeID(count)
    return BTFTypeID(count)
  }
}
