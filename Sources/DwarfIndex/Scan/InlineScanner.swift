import Platform
import TargetModel

/// Finds the inlined instances of functions.
///
/// Done on demand: a large C++ library has millions of them.
struct InlineScanner {
  private let catalog: UnitCatalog
  private var abbreviations: AbbreviationCache
  private var foreign: ForeignDeclarations
  /// Only for the numbers of scopes and files.
  private var output = ScanOutput()
  private var implementations = ImplementationScopes()
  private var scopeTexts: [Int32: String] = [:]
  /// Which wanted function each is that instances refer to; nil: none.
  private var origins: [UInt64: Int?] = [:]

  /// One place where a function was inlined.
  struct Instance {
    var die: UInt64
    var code: UnitContext.CodeRange
    /// In ``WantedInlines/functions``.
    var function: Int
  }

  init(_ catalog: UnitCatalog) {
    self.catalog = catalog
    abbreviations = AbbreviationCache(catalog.files, .instances)
    foreign = ForeignDeclarations(catalog)
  }

  /// The instances of `wanted` functions in one unit.
  mutating func instances(in header: UnitHeader, of wanted: WantedInlines) -> [Instance] {
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
        let function = number(of: origin, in: wanted),
        let code = unit.codeRange(walker.fields, catalog.files)
      else { continue }
      let die = header.reference(walker.offset).raw
      instances.append(Instance(die: die, code: code, function: function))
    }
    return instances
  }

  /// Which of the wanted functions an instance is of.
  private mutating func number(of origin: DIEReference, in wanted: WantedInlines) -> Int? {
    if let known = origins[origin.raw] { return known }
    var number: Int?
    if let (row, unit) = described(by: origin) { number = self.number(of: row, unit, in: wanted) }
    origins[origin.raw] = .some(number)
    return number
  }

  private mutating func number(
    of row: DeclarationTable.Row,
    _ unit: UnitContext,
    in wanted: WantedInlines
  ) -> Int? {
    var scopes = [row.scope]
    // A method of Rust is known by its type before it is by the scope that DWARF has it in.
    if unit.isRust,
      let type = implementations.named(row.scope, of: row.linkageName, catalog.files, &output)
    {
      scopes.insert(type, at: 0)
    }
    for scope in scopes {
      let number = wanted.number(
        catalog.files.string(row.name),
        scope: { scopeText(scope) },
        line: row.line,
        file: { fileText(row.file, unit) }
      )
      if let number { return number }
    }
    return nil
  }

  /// What a function and its declarations say together, and the unit in whose table its file is; the same as
  /// a scan for names makes of it.
  private mutating func described(by origin: DIEReference) -> (DeclarationTable.Row, UnitContext)? {
    guard var (row, unit) = foreign.row(of: origin, &abbreviations, &output) else { return nil }
    var next = row.origin
    for _ in 0..<8 where next != 0 {
      guard let found = foreign.row(of: DIEReference(raw: next), &abbreviations, &output) else { break }
      if row.name.isNone { row.name = found.row.name }
      if row.linkageName.isNone { row.linkageName = found.row.linkageName }
      row.scope = found.row.scope
      if row.line == 0 { (row.line, row.file, unit) = (found.row.line, found.row.file, found.unit) }
      next = found.row.origin
    }
    return (row, unit)
  }

  private mutating func scopeText(_ number: Int32) -> String {
    guard output.scopes.indices.contains(Int(number)) else { return "" }
    if let known = scopeTexts[number] { return known }
    let scope = output.scopes[Int(number)]
    // A scope's number is above its parent's.
    let parent = scope.parent < number ? scopeText(scope.parent) : ""
    let text = output.text(of: scope, below: parent, catalog.files)
    scopeTexts[number] = text
    return text
  }

  private mutating func fileText(_ index: UInt32, _ unit: UnitContext) -> String {
    var files = UnitFiles(unit)
    let number = files.number(index, catalog.files, &output)
    guard output.files.indices.contains(Int(number)) else { return "" }
    return output.files[Int(number)].path { output.string($0, catalog.files) }
  }
}
