import Diagnostics
import Platform
import StapSyntax

/// Every declaration that names can mean, of the script and of the tapset files pulled in so far.
///
/// A name is looked up first among the private names of its own file, then among everybody's.
struct SymbolTable: Sendable {
  private(set) var globals: [GlobalSymbol] = []
  private(set) var functions: [FunctionSymbol] = []
  private(set) var aliases: [AliasSymbol] = []
  private(set) var tapsetSources: Set<SourceID> = []
  private var globalsByName: [String: [Int]] = [:]
  /// Overloads by name, in the order in which they are tried.
  private var functionsByName: [String: [Overload]] = [:]
  /// Aliases by the first component of each of their names.
  private var aliasesByHead: [String: [Int]] = [:]

  /// Adds what `script` declares and returns the names that were taken already.
  mutating func declare(_ script: Script, isTapset: Bool) -> [(name: Name, previous: Name)] {
    var duplicates: [(name: Name, previous: Name)] = []
    for declaration in script.declarations {
      switch declaration {
      case .global(let global):
        if let previous = declare(global, isTapset: isTapset) { duplicates.append((global.name, previous)) }
      case .function(let function):
        declare(function, isTapset: isTapset)
      case .alias(let alias):
        for head in Set(alias.names.compactMap { $0.components.first?.name.text }) {
          aliasesByHead[head, default: []].append(aliases.count)
        }
        aliases.append(AliasSymbol(declaration: alias, isTapset: isTapset))
        if isTapset { tapsetSources.insert(alias.range.source) }
      case .probe(let probe):
        if isTapset { tapsetSources.insert(probe.range.source) }
      case .embeddedC: break
      }
    }
    return duplicates
  }

  /// The global that `name` means in the file `source`.
  ///
  /// A tapset's variables are its own: the script's global `n` is not the `n` of `syscall.select`.
  func global(named name: String, in source: SourceID) -> Int? {
    let isTapset = tapsetSources.contains(source)
    let candidates = (globalsByName[name] ?? []).filter { globals[$0].isTapset || !isTapset }
    let own = candidates.first { globals[$0].isPrivate(to: source) }
    return own ?? candidates.first { !globals[$0].declaration.isPrivate }
  }

  /// All overloads of a function visible in `source`, in the order in which they are tried.
  func functions(named name: String, in source: SourceID) -> [Int] {
    let candidates = functionsByName[name] ?? []
    let own = candidates.filter { $0.owner == source }
    return (own.isEmpty ? candidates.filter { $0.owner == nil } : own).map(\.index)
  }

  /// The aliases that a point may name, by its first component, which may be a pattern; in the order of the text.
  func aliases(forHead head: String) -> [Int] {
    GlobPattern.isGlob(head) ? Array(aliases.indices) : aliasesByHead[head] ?? []
  }

  /// Names of globals, for suggestions.
  var globalNames: [String] { globalsByName.keys.filter { !$0.hasPrefix("__") } }

  /// Names of functions, for suggestions.
  var functionNames: [String] { functionsByName.keys.filter { !$0.hasPrefix("_") } }

  /// Changes what is known about one global.
  mutating func updateGlobal(_ index: Int, _ change: (inout GlobalSymbol) -> Void) { change(&globals[index]) }

  private mutating func declare(_ global: GlobalDeclaration, isTapset: Bool) -> Name? {
    let name = global.name.text
    let clash = (globalsByName[name] ?? []).first { index in
      let other = globals[index].declaration
      let isSameFile = other.range.source == global.range.source
      return isSameFile || (!other.isPrivate && !global.isPrivate)
    }
    if let clash { return globals[clash].declaration.name }
    if isTapset { tapsetSources.insert(global.range.source) }
    globalsByName[name, default: []].append(globals.count)
    globals.append(GlobalSymbol(declaration: global, isTapset: isTapset))
    return nil
  }

  private mutating func declare(_ function: FunctionDeclaration, isTapset: Bool) {
    if isTapset { tapsetSources.insert(function.range.source) }
    let symbol = FunctionSymbol(declaration: function, isTapset: isTapset)
    let overload = Overload(
      index: functions.count,
      priority: symbol.priority,
      owner: function.isPrivate ? function.range.source : nil
    )
    functions.append(symbol)
    var others = functionsByName[function.name.text] ?? []
    others.insert(overload, at: others.firstIndex { $0.priority > overload.priority } ?? others.count)
    functionsByName[function.name.text] = others
  }

  /// What finding a function by its name needs to know of it.
  private struct Overload {
    let index: Int
    let priority: Int64
    /// The only file that sees it; nil when all do.
    let owner: SourceID?
  }
}

/// A global and what its uses have told so far.
struct GlobalSymbol: Sendable {
  /// Scalar or array, and the place that said so.
  enum Shape: Sendable {
    case unknown
    case scalar(SourceRange)
    case array(keys: [TypeTerm], SourceRange)
  }

  let declaration: GlobalDeclaration
  let isTapset: Bool
  var shape = Shape.unknown
  /// The type of the scalar or of the elements; nil until first touched.
  var value: TypeTerm?
  var isRead = false
  var isWritten = false
  /// Position in the elaborated program; nil until first touched.
  var output: Int?

  init(declaration: GlobalDeclaration, isTapset: Bool) {
    self.declaration = declaration
    self.isTapset = isTapset
  }

  /// Whether it is a private name of the file `source`.
  func isPrivate(to source: SourceID) -> Bool {
    declaration.isPrivate && declaration.range.source == source
  }
}

/// A function of the script or of a tapset.
struct FunctionSymbol: Sendable {
  let declaration: FunctionDeclaration
  let isTapset: Bool

  /// Lower runs first (langref, "Function overloading").
  var priority: Int64 { declaration.priority ?? (isTapset ? 1 : 0) }
}

/// A probe alias of the script or of a tapset.
struct AliasSymbol: Sendable {
  let declaration: AliasDeclaration
  let isTapset: Bool
}
