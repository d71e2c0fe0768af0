import Platform

/// What one thread of the scan found.
///
/// Strings are references; indexes count this thread's own tables.
struct ScanOutput: Sendable {
  /// A function with code of its own.
  struct Function: Sendable {
    var name: StringReference
    var linkageName: StringReference
    var entry: UInt64
    var low: UInt64
    var high: UInt64
    var die: UInt64
    var scope: Int32
    var file: Int32
    var line: UInt32
    var isExternal: Bool
    /// Its variables have no place before the prologue is over.
    var needsPrologue: Bool
    /// Another name of a function that is there, too.
    var isAlias = false
  }

  /// A function that was inlined somewhere.
  struct Inline: Sendable {
    var name: StringReference
    var scope: Int32
    var file: Int32
    var line: UInt32
  }

  /// A unit that knows an inlined function.
  struct InlineSighting: Sendable {
    /// Index in ``inlines``.
    var inline: UInt32
    /// The offset of the unit's header, as a ``DIEReference``.
    var unit: UInt64
  }

  /// A global variable that is defined here.
  struct Variable: Sendable {
    var name: StringReference
    var linkageName: StringReference
    var die: UInt64
    var scope: Int32
    /// ``StringReference/none`` for a constant that several units have.
    var unitName: StringReference
  }

  /// A complete type with a name.
  struct NamedType: Sendable {
    var name: StringReference
    var die: UInt64
    var scope: Int32
    var tag: UInt16
  }

  /// A constant of an enumeration.
  struct Enumerator: Sendable {
    var name: StringReference
    var value: Int64
    var enumeration: UInt64
  }

  /// A namespace, class or module; `parent` is -1 at the top.
  struct Scope: Hashable, Sendable {
    var parent: Int32
    var name: StringReference
  }

  var functions: ContiguousArray<Function> = []
  private(set) var inlines: ContiguousArray<Inline> = []
  private(set) var inlineSightings: ContiguousArray<InlineSighting> = []
  var variables: ContiguousArray<Variable> = []
  var types: ContiguousArray<NamedType> = []
  var enumerators: ContiguousArray<Enumerator> = []
  var scopes: ContiguousArray<Scope> = []
  var files: ContiguousArray<LineFiles.File> = []
  /// Something could not be read; the text says what.
  var problems: [String] = []

  /// Some function's origin is in another unit: dwz or link-time optimisation was here.
  private(set) var hasForeignOrigins = false

  /// Some DIE may refer to one in another unit, whatever for.
  var hasForeignReferences = false

  /// Copies of strings that lie between DIEs: those bytes may be gone when the scan is over.
  private(set) var ownStrings = StringPool()

  private var scopeNumbers = KeyTable()
  private var fileNumbers: [LineFiles.File: Int32] = [:]
  private var knownTypes = KeyTable()
  private var knownEnumerators = KeyTable()
  private var knownConstants = KeyTable()
  /// Where in ``variables`` those of `knownConstants` are.
  private var constantPlaces: ContiguousArray<Int> = []
  private var inlineNumbers = KeyTable()

  /// A reference to the same string that stays good.
  mutating func kept(_ string: StringReference, _ files: DwarfSections) -> StringReference {
    guard string.isBetweenDIEs else { return string }
    return .own(ownStrings.insert(files.stringBytes(string)))
  }

  /// A reference to a string that is in no section.
  mutating func own(_ text: String) -> StringReference { .own(ownStrings.insert(text)) }

  /// The bytes of a string of this output.
  @_lifetime(borrow self, borrow files)
  func stringBytes(_ string: StringReference, _ files: borrowing DwarfSections) -> RawSpan {
    guard string.isOwn else { return files.stringBytes(string) }
    return ownStrings.bytes(at: UInt32(truncatingIfNeeded: string.raw))
  }

  /// A string of this output.
  func string(_ string: StringReference, _ files: DwarfSections) -> String {
    string.isOwn ? ownStrings.string(at: UInt32(truncatingIfNeeded: string.raw)) : files.string(string)
  }

  /// The number of a scope, the same for the same names.
  mutating func number(of scope: Scope) -> Int32 {
    let parent = UInt64(UInt32(bitPattern: scope.parent))
    let (number, isNew) = scopeNumbers.number(of: KeyTable.Key(first: scope.name.raw, second: parent))
    if isNew { scopes.append(scope) }
    return Int32(clamping: number)
  }

  /// A scope as it is written: `parent::name`.
  func text(of scope: Scope, below parent: String, _ files: DwarfSections) -> String {
    let name = scope.name.isNone ? "(anonymous namespace)" : string(scope.name, files)
    return parent.isEmpty ? name : parent + "::" + name
  }

  /// Whether `scope` is in an unnamed namespace: every unit has its own.
  func isUnitsOwn(_ scope: Int32) -> Bool {
    var scope = scope
    while scopes.indices.contains(Int(scope)) {
      if scopes[Int(scope)].name.isNone { return true }
      scope = scopes[Int(scope)].parent
    }
    return false
  }

  /// The number of a file, the same for the same names.
  mutating func number(of file: LineFiles.File) -> Int32 {
    if let known = fileNumbers[file] { return known }
    let number = Int32(clamping: files.count)
    files.append(file)
    fileNumbers[file] = number
    return number
  }

  /// Keeps the first type of each name; every C unit repeats what its headers declare.
  mutating func insert(_ type: NamedType) {
    let place = UInt64(UInt32(bitPattern: type.scope)) << 32 | UInt64(type.tag)
    guard knownTypes.number(of: KeyTable.Key(first: type.name.raw, second: place)).isNew else { return }
    types.append(type)
  }

  /// Keeps one of each name and value: every unit repeats the constants of its headers.
  mutating func insert(constant variable: Variable, value: UInt64, line: UInt32) {
    let place = UInt64(UInt32(bitPattern: variable.scope)) << 32 | UInt64(line)
    let key = KeyTable.Key(first: variable.name.raw, second: place, third: value)
    let (number, isNew) = knownConstants.number(of: key)
    if isNew {
      constantPlaces.append(variables.count)
      variables.append(variable)
    } else {
      variables[constantPlaces[number]].unitName = .none
    }
  }

  /// Remembers that an origin was looked for in another unit; always true.
  mutating func noteForeignOrigin() -> Bool {
    hasForeignOrigins = true
    return true
  }

  /// Notes that the unit whose header is at `unit` knows an inlined function.
  mutating func insert(_ inline: Inline, in unit: UInt64) {
    let place = UInt64(UInt32(bitPattern: inline.scope)) << 32 | UInt64(UInt32(bitPattern: inline.file))
    let key = KeyTable.Key(first: inline.name.raw, second: place, third: UInt64(inline.line))
    let (number, isNew) = inlineNumbers.number(of: key)
    if isNew { inlines.append(inline) }
    inlineSightings.append(InlineSighting(inline: UInt32(truncatingIfNeeded: number), unit: unit))
  }

  /// Keeps the first enumerator of each name.
  mutating func insert(_ enumerator: Enumerator) {
    guard knownEnumerators.number(of: KeyTable.Key(first: enumerator.name.raw)).isNew else { return }
    enumerators.append(enumerator)
  }
}
