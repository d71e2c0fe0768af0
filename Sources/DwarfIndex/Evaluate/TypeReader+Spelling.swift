import Platform
import TargetModel

extension TypeReader {
  /// The type as C writes it; C++ types without their keyword, with their scopes.
  func spelling(of type: TypeReference?) -> String {
    guard let type else { return "void" }
    guard let (die, dimension) = die(type) else { return "?" }
    return spell(die, around: "", dimension: dimension, depth: 0)
  }

  /// The type of a DIE.
  func spelling(of die: DIE) -> String { spell(die, around: "", dimension: 0, depth: 0) }

  /// Writes `die` around `declarator`: a declaration in C is read from its middle outwards.
  private func spell(_ die: DIE?, around declarator: String, dimension: Int = 0, depth: Int) -> String {
    guard let die else { return join("void", declarator) }
    guard depth < Self.deepest else { return join("…", declarator) }
    let target = { die.reference(DwarfAttribute.type) }
    switch die.tag {
    case DwarfTag.pointerType: return spellPointer("*", to: target(), declarator, depth)
    case DwarfTag.referenceType: return spellPointer("&", to: target(), declarator, depth)
    case DwarfTag.rvalueReferenceType: return spellPointer("&&", to: target(), declarator, depth)
    case DwarfTag.constType: return spellQualifier("const", of: target(), declarator, depth)
    case DwarfTag.volatileType: return spellQualifier("volatile", of: target(), declarator, depth)
    case DwarfTag.restrictType: return spellQualifier("restrict", of: target(), declarator, depth)
    case DwarfTag.atomicType: return spellQualifier("_Atomic", of: target(), declarator, depth)
    case DwarfTag.immutableType: return spell(target(), around: declarator, depth: depth + 1)
    case DwarfTag.arrayType:
      // A vector type that a header calls so: __m512i.
      if dimension == 0, let name = die.string(DwarfAttribute.name) { return join(name, declarator) }
      let counts = dimensions(of: die).dropFirst(dimension).map { $0.map { "[\($0)]" } ?? "[]" }
      let suffix = counts.isEmpty ? "[]" : counts.joined()
      return spell(target(), around: declarator + suffix, depth: depth + 1)
    case DwarfTag.subroutineType:
      return spell(target(), around: declarator + parameters(of: die, depth), depth: depth + 1)
    case DwarfTag.structureType: return join(named(die, "struct"), declarator)
    case DwarfTag.unionType: return join(named(die, "union"), declarator)
    case DwarfTag.enumerationType: return join(named(die, "enum"), declarator)
    case DwarfTag.classType, DwarfTag.interfaceType:
      return join(named(die, "class"), declarator)
    case DwarfTag.typedef: return join(fullName(of: die) ?? "?", declarator)
    default: return join(die.name ?? "?", declarator)
    }
  }

  private func join(_ type: String, _ declarator: String) -> String {
    if declarator.isEmpty { return type }
    return declarator.hasPrefix("[") ? type + declarator : type + " " + declarator
  }

  private func spellPointer(_ symbol: String, to target: DIE?, _ declarator: String, _ depth: Int) -> String {
    let needsParentheses = target?.tag == DwarfTag.arrayType || target?.tag == DwarfTag.subroutineType
    let inner = symbol + declarator
    return spell(target, around: needsParentheses ? "(\(inner))" : inner, depth: depth + 1)
  }

  private func spellQualifier(
    _ qualifier: String,
    of target: DIE?,
    _ declarator: String,
    _ depth: Int
  ) -> String {
    guard target?.tag == DwarfTag.pointerType else {
      let text = spell(target, around: declarator, depth: depth + 1)
      // An array of constants is itself constant: gcc says both.
      return text.hasPrefix(qualifier + " ") ? text : qualifier + " " + text
    }
    let inner = declarator.isEmpty ? qualifier : qualifier + " " + declarator
    return spell(target, around: inner, depth: depth + 1)
  }

  private func parameters(of die: DIE, _ depth: Int) -> String {
    var parameters: [String] = []
    for child in die.children.prefix(64) {
      switch child.tag {
      case DwarfTag.formalParameter:
        parameters.append(spell(child.reference(DwarfAttribute.type), around: "", depth: depth + 1))
      case DwarfTag.unspecifiedParameters: parameters.append("...")
      default: continue
      }
    }
    let isPrototype = die.flag(DwarfAttribute.prototyped)
    if parameters.isEmpty && isPrototype { return "(void)" }
    // C without a prototype: what may be passed is not said.
    if parameters == ["..."] && !isPrototype && die.usesKeywords { return "()" }
    return "(" + parameters.joined(separator: ", ") + ")"
  }

  /// Its name, or that of the type unit it stands for, in languages that have scopes with these.
  ///
  /// C++ calls `typedef struct { … } key` so for linkage; gcc refers to the structure without the name.
  private func fullName(of die: DIE) -> String? {
    let named = die.name == nil ? die.reference(DwarfAttribute.signature) : die
    guard let named, let name = named.name else {
      let symbol = die.string(DwarfAttribute.linkageName) ?? die.string(DwarfAttribute.mipsLinkageName)
      return symbol.flatMap(Demangling.itanium)
    }
    guard !die.usesKeywords, let scope = named.enclosingScope else { return name }
    return scope + "::" + name
  }

  private func named(_ die: DIE, _ keyword: String) -> String {
    guard let name = fullName(of: die) else { return keyword + " {...}" }
    return die.usesKeywords ? keyword + " " + name : name
  }
}

extension DIE {
  /// Whether its language writes `struct` in front of a structure's name.
  fileprivate var usesKeywords: Bool {
    switch unit?.unsigned(DwarfAttribute.language) {
    case 0x01, 0x02, 0x0c, 0x1d, 0x2c, 0x3e, nil: true  // the versions of C
    default: false
    }
  }
}
