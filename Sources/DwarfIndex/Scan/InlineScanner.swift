import Platform
import TargetModel

/// Finds the inlined instances of functions.
///
/// Done on demand: a large C++ library has millions of them.
struct InlineScanner {
  private let catalog: UnitCatalog
  private var abbreviations: AbbreviationCache
  private var foreign: ForeignDeclarations
  /// Only for the numbers of scopes.
  private var output = ScanOutput()
  /// What is known about functions that instances refer to; nil: not wanted.
  private var origins: [UInt64: DeclarationTable.Row?] = [:]

  /// One place where a function was inlined.
  struct Instance {
    var die: UInt64
    var code: UnitContext.CodeRange
    var name: StringReference
    var line: UInt32
  }

  init(_ catalog: UnitCatalog) {
    self.catalog = catalog
    abbreviations = AbbreviationCache(catalog.files, .instances)
    foreign = ForeignDeclarations(catalog)
  }

  /// The instances in one unit of functions whose name `isWanted`.
  mutating func instances(in header: UnitHeader, _ isWanted: (RawSpan) -> Bool) -> [Instance] {
    guard let table = abbreviations.table(for: header) else { return [] }
    let catalog = self.catalog
    var walker = DIEWalker(
      catalog.files.bytes(of: header.section),
      from: catalog.files.origin(of: header.section),
      header,
      table
    )
    guard walker.next(), walker.abbreviation.action == .unit else { return [] }
    let unit = UnitContext(header, walker.fields, tag: walker.abbreviation.tag, catalog.files)
    var instances: [Instance] = []
    while walker.next() {
      guard walker.abbreviation.action == .inlined,
        let origin = unit.reference(walker.fields, DIESlot.abstractOrigin),
        let row = wanted(origin, isWanted), let code = unit.codeRange(walker.fields, catalog.files)
      else { continue }
      let die = header.reference(walker.offset).raw
      instances.append(Instance(die: die, code: code, name: row.name, line: row.line))
    }
    return instances
  }

  /// The function that an instance is of, when it is wanted.
  private mutating func wanted(
    _ origin: DIEReference,
    _ isWanted: (RawSpan) -> Bool
  ) -> DeclarationTable.Row? {
    if let known = origins[origin.raw] { return known }
    var answer = foreign.row(of: origin, &abbreviations, &output)?.row
    for _ in 0..<8 {
      guard let row = answer, row.name.isNone, row.origin != 0 else { break }
      let next = foreign.row(of: DIEReference(raw: row.origin), &abbreviations, &output)?.row
      answer?.name = next?.name ?? .none
      answer?.origin = next?.origin ?? 0
      if row.line == 0 { answer?.line = next?.line ?? 0 }
    }
    if let row = answer, !isWanted(catalog.files.stringBytes(row.name)) { answer = nil }
    origins[origin.raw] = .some(answer)
    return answer
  }
}
