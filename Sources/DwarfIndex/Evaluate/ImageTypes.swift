import Synchronization
import TargetModel

/// The types of one image, for those who know no DWARF.
struct ImageTypes: TypeSource {
  private let core: ImageCore

  init(_ core: ImageCore) { self.core = core }

  private func read<Answer: Sendable>(_ body: (TypeReader) -> Answer) -> Answer {
    let definition = core.typeDefinitions
    return core.session.read { body(TypeReader(reader: $0, definition: definition)) }
  }

  func layout(of type: TypeReference) -> TypeLayout {
    if let known = core.layouts.withLock({ $0[type] }) { return known }
    let layout = read { $0.layout(of: type) }
    core.layouts.withLock { $0[type] = layout }
    return layout
  }

  func spelling(of type: TypeReference?) -> String { read { $0.spelling(of: type) } }

  func type(named name: String) -> TypeReference? {
    guard let index = core.index else { return nil }
    let words = name.split(separator: " ").map(String.init)
    guard let first = words.first else { return nil }
    let query = SiteQuery(index)
    if words.count == 2, let tags = Self.keywords[first] {
      return query.types(named: words[1], tags: tags).first.map { TypeReference($0.die) }
    }
    let all = Self.allTags
    let plain = query.types(named: words.joined(separator: " "), tags: all).first
    // gcc says “long unsigned int” where people write “unsigned long”.
    let found = plain ?? Self.gccName(of: words).flatMap { query.types(named: $0, tags: all).first }
    return found.map { TypeReference($0.die) }
  }

  func enumerator(named name: String) -> Int64? {
    core.index.flatMap { SiteQuery($0).enumerator(named: name) }
  }

  private static let keywords: [String: [UInt16]] = [
    "class": [DwarfTag.classType, DwarfTag.structureType],
    "enum": [DwarfTag.enumerationType],
    "struct": [DwarfTag.structureType, DwarfTag.classType],
    "union": [DwarfTag.unionType],
  ]

  private static let allTags: [UInt16] = [
    DwarfTag.typedef, DwarfTag.baseType, DwarfTag.structureType, DwarfTag.classType, DwarfTag.unionType,
    DwarfTag.enumerationType, DwarfTag.interfaceType,
  ]

  /// How gcc names the integer type that `words` spell, in whatever order; nil for other types.
  private static func gccName(of words: [String]) -> String? {
    let known: Set<String> = ["signed", "unsigned", "short", "long", "int", "char"]
    guard words.allSatisfy(known.contains) else { return nil }
    let sign = words.contains("unsigned") ? " unsigned" : ""
    let longs = words.filter { $0 == "long" }.count
    if words.contains("char") {
      return words.contains("unsigned") ? "unsigned char" : words.contains("signed") ? "signed char" : "char"
    }
    if words.contains("short") { return "short" + (sign.isEmpty ? "" : sign) + " int" }
    switch longs {
    case 0: return words.contains("unsigned") ? "unsigned int" : "int"
    case 1: return "long" + sign + " int"
    default: return "long long" + sign + " int"
    }
  }
}
