import ELF
import Platform

/// What rustc calls `{impl#0}`: a scope without the name of the type that is implemented, which linkage names have.
///
///     shop::{impl#0}::price, _ZN43_$LT$shop..Item$u20$as$u20$shop..Priced$GT$5price17h…E      ⇒      shop::Item::price
struct ImplementationScopes {
  /// How many scopes are in an `{impl#0}`, by the innermost one; nil: there is none.
  private var levels: [Int32: Int?] = [:]

  private static let prefix = "{impl#"

  /// The scope with a type in the place of its `{impl#0}`; nil when nothing is to be replaced.
  mutating func named(
    _ scope: Int32,
    of linkageName: StringReference,
    _ files: DwarfSections,
    _ output: inout ScanOutput
  ) -> Int32? {
    guard !linkageName.isNone, let levels = levels(in: scope, files, output),
      let type = SymbolName(output.string(linkageName, files))?.implementingType(levels: levels)
    else { return nil }
    var inner: [StringReference] = []
    var next = scope
    for _ in 0..<levels {
      inner.append(output.scopes[Int(next)].name)
      next = output.scopes[Int(next)].parent
    }
    var result = output.number(of: ScanOutput.Scope(parent: -1, name: output.own(type)))
    for name in inner.reversed() { result = output.number(of: ScanOutput.Scope(parent: result, name: name)) }
    return result
  }

  private mutating func levels(in scope: Int32, _ files: DwarfSections, _ output: ScanOutput) -> Int? {
    if let known = levels[scope] { return known }
    var (count, next, found) = (0, scope, false)
    // A scope's number is above its parent's.
    while !found, output.scopes.indices.contains(Int(next)) {
      let (parent, name) = (output.scopes[Int(next)].parent, output.scopes[Int(next)].name)
      found = !name.isNone && output.string(name, files).hasPrefix(Self.prefix)
      if !found { count += 1 }
      next = parent < next ? parent : -1
    }
    let answer = found ? count : nil
    levels[scope] = .some(answer)
    return answer
  }
}
