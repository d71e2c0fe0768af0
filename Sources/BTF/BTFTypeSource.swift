import Synchronization
package import TargetModel

/// Answers about the types of a BTF image in the words that all type sources share.
package struct BTFTypeSource: TypeSource {
  package let image: BTFImage
  private let known = KnownLayouts()

  package init(_ image: BTFImage) { self.image = image }

  /// Layouts that were asked for; `struct task_struct` has 250 members, and a script follows several of them.
  private final class KnownLayouts: Sendable { let layouts = Mutex<[TypeReference: TypeLayout]>([:]) }

  /// The reference to a type of the image.
  package func reference(_ id: BTFTypeID) -> TypeReference { TypeReference(UInt64(id.raw)) }

  /// The layout of `type`; `.opaque` when it cannot be read.
  package func layout(of type: TypeReference) -> TypeLayout {
    if let layout = known.layouts.withLock({ $0[type] }) { return layout }
    let layout = decodedLayout(of: type)
    known.layouts.withLock { $0[type] = layout }
    return layout
  }

  private func decodedLayout(of type: TypeReference) -> TypeLayout {
    guard type.id != 0 else { return .void }
    guard let record = image.resolved(id(type)) else {
      return lastTarget(id(type)) == .void ? .void : .opaque("no BTF type \(type.id)")
    }
    switch record.kind {
    case .integer: return integer(record)
    case .float: return .float(name: image.name(of: record) ?? "float", byteCount: Int(record.sizeOrType))
    case .pointer:
      let target = record.target == .void ? nil : reference(record.target)
      return .pointer(byteCount: 8, target: target, isReference: false)
    case .array:
      let words = image.element(0, of: record, width: 3)
      return .array(element: reference(BTFTypeID(words[0])), count: words[2] == 0 ? nil : Int(words[2]))
    case .structure, .union: return .structure(structure(record))
    case .enumeration, .enumeration64: return .enumeration(enumeration(record))
    case .function, .functionPrototype: return .function
    case .forward: return .opaque("\(spelling(of: type)) is only declared")
    case .variable, .dataSection, .declarationTag, .typedef, .volatile, .const, .restrict, .typeTag:
      return .opaque("BTF kind \(record.kind)")
    }
  }

  /// The complete type with that name, with or without `struct`, `union`, `enum` in front.
  package func type(named name: String) -> TypeReference? {
    let words = name.split(separator: " ")
    let found =
      switch words.count == 2 ? words[0] : "" {
      case "struct", "class": image.find(String(words[1]), .structure)
      case "union": image.find(String(words[1]), .union)
      case "enum": image.find(String(words[1]), .enumeration, .enumeration64)
      default:
        image.find(name, .typedef, .integer, .float, .structure, .union, .enumeration, .enumeration64)
      }
    return found.map(reference)
  }

  /// The value of an enumerator anywhere in this source.
  package func enumerator(named name: String) -> Int64? {
    for number in 1..<UInt32(max(1, image.typeCount)) {
      guard let record = image.record(BTFTypeID(number)),
        record.kind == .enumeration || record.kind == .enumeration64
      else { continue }
      for index in 0..<record.count {
        let words = image.element(index, of: record, width: record.kind == .enumeration ? 2 : 3)
        if image.matches(words[0], name) { return value(words, of: record) }
      }
    }
    return nil
  }

  private func id(_ type: TypeReference) -> BTFTypeID { BTFTypeID(UInt32(truncatingIfNeeded: type.id)) }

  /// What a chain of typedefs and qualifiers ends in when that is no record.
  private func lastTarget(_ id: BTFTypeID) -> BTFTypeID {
    var id = id
    for _ in 0..<64 {
      guard let record = image.record(id), record.kind.isTransparent else { return id }
      id = record.target
    }
    return id
  }
}

// MARK: Layouts

extension BTFTypeSource {
  private func integer(_ record: BTFRecord) -> TypeLayout {
    let encoding = image.detail(of: record) >> 24 & 0xf
    let isSigned = encoding & 1 != 0
    let name = image.name(of: record) ?? "int"
    let isCharacter = encoding & 2 != 0 || name == "char" || name.hasSuffix(" char")
    return .integer(
      IntegerLayout(
        name: name,
        byteCount: Int(record.sizeOrType),
        isSigned: isSigned,
        encoding: encoding & 4 != 0 ? .boolean : isCharacter ? .character : isSigned ? .signed : .unsigned
      )
    )
  }

  private func structure(_ record: BTFRecord) -> StructureLayout {
    let members = (0..<record.count).map { index in
      let words = image.element(index, of: record, width: 3)
      let type = BTFTypeID(words[1])
      let name = words[0] == 0 ? nil : image.string(words[0])
      let bitCount = record.flag ? Int(words[2] >> 24) : oldBitCount(type)
      return StructureLayout.Member(
        name: name,
        type: reference(type),
        bitOffset: Int(record.flag ? words[2] & 0xff_ffff : words[2]),
        bitCount: bitCount == 0 ? nil : bitCount
      )
    }
    return StructureLayout(
      keyword: record.kind == .union ? .union : .struct,
      name: image.name(of: record),
      byteCount: Int(record.sizeOrType),
      members: members
    )
  }

  /// Without the flag, a bit field is a member whose integer type has fewer bits than its bytes.
  private func oldBitCount(_ type: BTFTypeID) -> Int {
    guard let record = image.resolved(type), record.kind == .integer else { return 0 }
    let bits = Int(image.detail(of: record) & 0xff)
    return bits == Int(record.sizeOrType) * 8 ? 0 : bits
  }

  private func enumeration(_ record: BTFRecord) -> EnumerationLayout {
    let width = record.kind == .enumeration ? 2 : 3
    let enumerators = (0..<record.count).map { index in
      let words = image.element(index, of: record, width: width)
      return EnumerationLayout.Enumerator(
        name: image.string(words[0]),
        value: value(words, of: record)
      )
    }
    return EnumerationLayout(
      name: image.name(of: record),
      byteCount: Int(record.sizeOrType),
      isSigned: record.flag,
      enumerators: enumerators
    )
  }

  private func value(_ words: [UInt32], of record: BTFRecord) -> Int64 {
    let low = words[1]
    if record.kind == .enumeration64 {
      return Int64(bitPattern: UInt64(words[2]) << 32 | UInt64(low))
    }
    return record.flag ? Int64(Int32(bitPattern: low)) : Int64(low)
  }
}

// MARK: Spelling

extension BTFTypeSource {
  /// The type as C writes it: `const char *`, `struct point[4]`.
  package func spelling(of type: TypeReference?) -> String {
    guard let type else { return "void" }
    return declaration(id(type), around: "", depth: 0)
  }

  /// C declarators grow around the name: `int (*NAME)(long)`.
  private func declaration(_ id: BTFTypeID, around inner: String, depth: Int) -> String {
    guard depth < 32, let record = image.record(id) else { return join("void", inner) }
    let target = record.target
    switch record.kind {
    case .pointer:
      let bracketed = isSuffixed(target) ? "(*\(inner))" : "*\(inner)"
      return declaration(target, around: bracketed, depth: depth + 1)
    case .const, .volatile, .restrict:
      let word = "\(record.kind)"
      if image.record(target)?.kind == .pointer {
        return declaration(target, around: join(word, inner), depth: depth + 1)
      }
      return join(word, declaration(target, around: inner, depth: depth + 1))
    case .typeTag: return declaration(target, around: inner, depth: depth + 1)
    case .array:
      let words = image.element(0, of: record, width: 3)
      let bound = "[\(words[2] == 0 ? "" : String(words[2]))]"
      return declaration(BTFTypeID(words[0]), around: inner + bound, depth: depth + 1)
    case .functionPrototype: return function(record, around: inner, depth: depth)
    case .function, .variable: return declaration(target, around: inner, depth: depth + 1)
    default: return join(tag(record) + (image.name(of: record) ?? "{…}"), inner)
    }
  }

  private func function(_ record: BTFRecord, around inner: String, depth: Int) -> String {
    let parameters = (0..<record.count).map { index in
      let words = image.element(index, of: record, width: 2)
      return words[1] == 0 ? "..." : declaration(BTFTypeID(words[1]), around: "", depth: depth + 1)
    }
    let list = parameters.isEmpty ? "void" : parameters.joined(separator: ", ")
    return declaration(record.target, around: "\(inner)(\(list))", depth: depth + 1)
  }

  private func isSuffixed(_ id: BTFTypeID) -> Bool {
    let kind = image.record(id)?.kind
    return kind == .array || kind == .functionPrototype
  }

  private func tag(_ record: BTFRecord) -> String {
    switch record.kind {
    case .structure: "struct "
    case .union: "union "
    case .enumeration, .enumeration64: "enum "
    case .forward: record.flag ? "union " : "struct "
    default: ""
    }
  }

  private func join(_ left: String, _ right: String) -> String {
    guard let first = right.first else { return left }
    return first == "[" || left.hasSuffix("*") ? left + right : "\(left) \(right)"
  }
}
