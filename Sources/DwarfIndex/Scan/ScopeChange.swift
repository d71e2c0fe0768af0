/// From an offset on, the DIEs of a unit are in that scope; -1 is the top.
struct ScopeChange {
  var offset: Int
  var scope: Int32
  /// A class whose DIE is right before was stepped over, and there are classes in it, which are scopes of their own.
  var hidesScopes = false

  /// The change that the DIE at `offset` is behind, by changes in the order of their offsets.
  static func last(before offset: Int, in changes: ContiguousArray<ScopeChange>) -> ScopeChange {
    var low = 0
    var high = changes.count
    while low < high {
      let middle = low + (high - low) / 2
      if changes[middle].offset <= offset { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? changes[low - 1] : ScopeChange(offset: 0, scope: -1)
  }
}

/// Scopes in classes that the scan of a unit stepped over, for the few DIEs in them that something else refers to.
struct HiddenScopes {
  /// By where the class begins.
  private var changes: [Int: ContiguousArray<ScopeChange>] = [:]

  /// A new unit begins.
  mutating func removeAll() { if !changes.isEmpty { changes.removeAll(keepingCapacity: true) } }

  /// The scope of the DIE at `offset`.
  mutating func scope(
    at offset: Int,
    behind change: ScopeChange,
    in unit: UnitContext,
    _ table: AbbreviationTable,
    _ files: DwarfSections,
    _ output: inout ScanOutput
  ) -> Int32 {
    guard change.hidesScopes else { return change.scope }
    let known = changes[change.offset] ?? Self.changes(behind: change, unit, table, files, &output)
    changes[change.offset] = known
    let inner = ScopeChange.last(before: offset, in: known)
    return inner.offset == 0 ? change.scope : inner.scope
  }

  /// Walks the class.
  private static func changes(
    behind change: ScopeChange,
    _ unit: UnitContext,
    _ table: AbbreviationTable,
    _ files: DwarfSections,
    _ output: inout ScanOutput
  ) -> ContiguousArray<ScopeChange> {
    let section = unit.header.section
    let (bytes, origin) = (files.bytes(of: section), files.origin(of: section))
    var walker = DIEWalker(bytes, from: origin, unit.header, table, at: change.offset - 1)
    guard walker.next() else { return [] }
    var scopes: ContiguousArray<Int32> = [-1, change.scope]
    while walker.next() {
      let depth = walker.depth
      while scopes.count <= depth + 1 { scopes.append(change.scope) }
      scopes[depth + 1] = scopes[depth]
      guard walker.abbreviation.action == .type, walker.abbreviation.hasChildren else { continue }
      let name = output.kept(unit.string(walker.fields, DIESlot.name, files), files)
      guard !name.isNone else { continue }
      scopes[depth + 1] = output.number(of: ScanOutput.Scope(parent: scopes[depth], name: name))
      walker.openScope(scopes[depth + 1], in: scopes[depth])
    }
    return walker.scopeChanges
  }
}
