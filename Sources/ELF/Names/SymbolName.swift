import Platform

/// A symbol as its language spells it.
///
///     _ZN4shop4Item5totalEi     ⇒   scope shop::Item   name total   full shop::Item::total(int)
package struct SymbolName: Hashable, Sendable {
  /// The languages whose symbols are mangled, told by how a symbol begins.
  package enum Language: Hashable, Sendable { case cPlusPlus, rust, swift, d }

  package var language: Language
  /// `namespace`, `class`; none at the top.
  package var scopes: [String]
  /// Without scope, parameters and result.
  package var name: String
  /// Everything that the symbol says.
  package var full: String

  /// Nil for a symbol that is not mangled, or not as its beginning promises.
  package init?(_ symbol: String) {
    let end = Self.startOfSuffix(symbol)
    let stem = String(symbol[..<end])
    let suffix = String(symbol[end...])
    guard let found = Self.demangled(stem) else { return nil }
    language = found.language
    full = found.full + suffix
    let parts = QualifiedName(
      found.full,
      separator: found.language == .swift || found.language == .d ? "." : "::"
    )
    guard !parts.name.isEmpty else { return nil }
    name = parts.name + suffix
    scopes = parts.scopes
  }

  /// `namespace::class`; nil at the top.
  package var scope: String? { scopes.isEmpty ? nil : scopes.joined(separator: "::") }

  /// The type whose method a Rust function is, or is within; nil when the name tells none.
  ///
  ///     <shop::Item as shop::Priced>::price      ⇒   shop::Item
  ///     <shop::till::Till<_>>::add::{closure#0}  ⇒   shop::till::Till<_>    (1 level within)
  ///     shop::till::Till<T>::add                 ⇒   shop::till::Till<T>
  ///
  /// - Parameter levels: how many scopes there are between the type and the function.
  package func implementingType(levels: Int) -> String? {
    // Arguments, `f::<T>`, are no scope.
    let known = scopes.prefix(1) + scopes.dropFirst().filter { !$0.hasPrefix("<") }
    guard language == .rust, known.count > levels else { return nil }
    let around = known.dropLast(levels)
    guard around.count == 1, let only = around.first, only.hasPrefix("<"), only.hasSuffix(">") else {
      return around.joined(separator: "::")
    }
    return Self.withoutTrait(only.dropFirst().dropLast())
  }

  /// The scope of a Rust function with its type alone in the place of a type and its trait; nil for all others.
  ///
  ///     <shop::Item as shop::Priced>::price      ⇒   shop::Item
  package var scopeByType: String? {
    guard language == .rust, let first = scopes.first, first.hasPrefix("<"), first.hasSuffix(">") else {
      return nil
    }
    return ([Self.withoutTrait(first.dropFirst().dropLast())] + scopes.dropFirst()).joined(separator: "::")
  }

  /// `Item as Priced` ⇒ `Item`.
  private static func withoutTrait(_ text: Substring) -> String {
    let word = " as "
    var depth = 0
    var last: Character = " "
    for index in text.indices {
      let character = text[index]
      if "<([".contains(character) { depth += 1 }
      // `->` of a function's type is no bracket.
      if ")]".contains(character) || character == ">" && last != "-" { depth -= 1 }
      if depth == 0, text[index...].hasPrefix(word) { return String(text[..<index]) }
      last = character
    }
    return String(text)
  }

  /// Words that compilers and linkers hang on the symbols of copies.
  private static let suffixes: Set<Substring> = [
    "cold", "constprop", "isra", "llvm", "localalias", "lto_priv", "part", "warm",
  ]

  /// Where `.isra.0`, `.llvm.123`, `.cold` begin; other dots belong to Rust's older names.
  package static func startOfSuffix(_ symbol: String) -> String.Index {
    var end = symbol.endIndex
    while let dot = symbol[..<end].lastIndex(of: "."), dot > symbol.startIndex {
      let word = symbol[symbol.index(after: dot)..<end]
      guard !word.isEmpty, suffixes.contains(word) || word.allSatisfy(\.isNumber) else { break }
      end = dot
    }
    return end
  }

  private static func demangled(_ symbol: String) -> (language: Language, full: String)? {
    if symbol.hasPrefix("_R") { return RustMangling.demangled(symbol).map { (.rust, $0) } }
    if symbol.hasPrefix("_Z") || symbol.hasPrefix("__Z") {
      guard let text = Demangling.itanium(symbol) else { return nil }
      return RustMangling.legacy(text).map { (.rust, $0) } ?? (.cPlusPlus, text)
    }
    if symbol.hasPrefix("$s") || symbol.hasPrefix("$S") || symbol.hasPrefix("_$s") || symbol.hasPrefix("_T0")
    {
      return Demangling.swift(symbol).map { (.swift, $0) }
    }
    if symbol.hasPrefix("_D") { return DMangling.demangled(symbol).map { (.d, $0) } }
    return nil
  }
}
