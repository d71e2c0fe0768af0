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
  }

  /// A function that was inlined somewhere, once for each unit that knows it.
  struct Inline: Sendable {
    var name: StringReference
    var scope: Int32
    var file: Int32
    var line: UInt32
    /// The offset of the unit's header, as a ``DIEReference``.
    var unit: UInt64
  }

  /// A global variable that is defined here.
  struct Variable: Sendable {
    var name: StringReference
    var linkageName: StringReference
    var die: UInt64
    var scope: Int32
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
  var inlines: ContiguousArray<Inline> = []
  var variables: ContiguousArray<Variable> = []
  var types: ContiguousArray<NamedType> = []
  var enumerators: ContiguousArray<Enumerator> = []
  var scopes: ContiguousArray<Scope> = []
  var files: ContiguousArray<LineFiles.File> = []
  /// Something could not be read; the text says what.
  var problems: [String] = []

  /// Some function's origin is in another unit: dwz or link-time optimisation was here.
  private(set) var hasForeignOrigins = false

  private var scopeNumbers: [Scope: Int32] = [:]
  private var fileNumbers: [LineFiles.File: Int32] = [:]
  private var knownTypes: Set<TypeKey> = []
  private var knownEnumerators: Set<StringReference> = []

  private struct TypeKey: Hashable {
    var name: StringReference
    var scope: Int32
    var tag: UInt16
  }

  /// The number of a scope, the same for the same names.
  mutating func number(of scope: Scope) -> Int32 {
    if let known = scopeNumbers[scope] { return known }
    let number = Int32(clamping: scopes.count)
    scopes.append(scope)
    scopeNumbers[scope] = number
    return number
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
    let key = TypeKey(name: type.name, scope: type.scope, tag: type.tag)
    guard knownTypes.insert(key).inserted else { return }
    types.append(type)
  }

  /// Remembers that an origin was looked for in another unit; always true.
  mutating func noteForeignOrigin() -> Bool {
    hasForeignOrigins = true
    return true
  }

  /// Keeps the first enumerator of each name.
  mutating func insert(_ enumerator: Enumerator) {
    guard knownEnumerators.insert(enumerator.name).inserted else { return }
    enumerators.append(enumerator)
  }
}
