import ELF
import Platform
import TargetModel

/// Finds functions with code of their own by symbols alone.
///
/// A symbol tells where such a function is, and mostly what the source calls it. Wherever debug information might say
/// anything else there is no answer, and the index has to be asked.
struct SymbolQuery {
  /// A symbol as the source has it.
  private struct Name: Hashable {
    /// `namespace::class`; empty at the top.
    var scope: String
    var name: String
    var isMangled = false
  }

  private enum Reading {
    case another
    case wanted(Name)
    /// Debug information may spell it otherwise than the symbol: `f<unsigned long>`, `f<long unsigned int>`.
    case unsure
  }

  private let pattern: FunctionPattern
  private let name: NamePattern
  /// What every symbol holds that matches: mangled ones tell lengths of names before these.
  private let fragment: [UInt8]
  private let plainName: [UInt8]

  /// Nil for patterns that symbols do not answer.
  init?(_ pattern: FunctionPattern) {
    guard pattern.includeOutOfLine, !pattern.includeInlines || pattern.exportedOnly, pattern.file == nil,
      pattern.line == nil
    else { return nil }
    let name = NamePattern(pattern.name)
    let stem = name.prefix.drop { $0 == "~" }
    let isWhole = name.literal == name.prefix
    // Mangled names have letters of their own for operators, and dots are the compiler's.
    guard !name.isMangled, !stem.isEmpty, Self.isIdentifier(stem),
      !name.name.description.utf8.contains(where: { Self.otherMarks.contains($0) }),
      !stem.hasPrefix("operator"), isWhole || !"operator".hasPrefix(stem),
      !Self.abbreviated.contains(where: { isWhole ? $0 == stem : $0.hasPrefix(stem) })
    else { return nil }
    self.pattern = pattern
    self.name = name
    fragment = Array(((isWhole ? "\(stem.utf8.count)" : "") + stem).utf8)
    plainName = Array(stem.utf8)
  }

  private static let otherMarks = Set(".<>() ".utf8)

  /// Classes of the standard library that mangled names have abbreviations for (Itanium C++ ABI, section 5.1.8).
  private static let abbreviated = [
    "allocator", "basic_iostream", "basic_istream", "basic_ostream", "basic_string", "string",
  ]

  /// The functions of these symbols that match, by address; nil when it takes an index to tell.
  ///
  /// - Parameters:
  ///   - tables: of the binary, and of the debug file when the binary was stripped.
  ///   - isCode: whether an address is in an executable segment.
  func functions(in tables: [SymbolSource], isCode: (UInt64) -> Bool) -> [FunctionMatch]? {
    var found: [UInt64: (name: Name, symbols: [ELFSymbol])] = [:]
    for symbol in tables.flatMap({ $0.functions(named: mayMatch) }) where isCode(symbol.address.raw) {
      switch reading(of: symbol.name) {
      case .another: continue
      case .unsure: return nil
      case .wanted(let name):
        let address = symbol.address.raw
        // Several functions with the same code: which of them debug information tells of, it alone knows.
        if let known = found[address], known.name != name { return nil }
        found[address, default: (name, [])].symbols.append(symbol)
      }
    }
    var otherNames: [String] = []
    for (address, function) in found {
      let names = Self.names(at: address, tables).filter { $0 != function.name }
      if names.contains(where: \.isMangled) { return nil }
      otherNames += names.map(\.name)
    }
    guard !Self.hasCopies(of: otherNames, tables) else { return nil }
    let matches = found.values.map { FunctionMatch($0.name.name, scope: $0.name.scope, $0.symbols) }
    return matches.filter { !pattern.exportedOnly || $0.isExported }.sorted { $0.entry < $1.entry }
  }

  /// Whether a symbol may match at all: most of a hundred thousand do not.
  private func mayMatch(_ symbol: RawSpan) -> Bool {
    switch (symbol.byte(at: 0), symbol.byte(at: 1)) {
    case (UInt8(ascii: "_"), UInt8(ascii: "Z")), (UInt8(ascii: "_"), UInt8(ascii: "R")):
      return symbol.firstOccurrence(of: fragment.rawSpan, from: 2) != nil
    // Swift and D say a word once and refer to it from then on.
    case (UInt8(ascii: "$"), _), (UInt8(ascii: "_"), UInt8(ascii: "$")),
      (UInt8(ascii: "_"), UInt8(ascii: "D")), (UInt8(ascii: "_"), UInt8(ascii: "T")):
      return true
    default:
      return symbol.byteCount >= plainName.count
        && symbol.extracting(first: plainName.count).equals(plainName.rawSpan)
    }
  }

  private func reading(of symbol: String) -> Reading {
    let suffix = SymbolName.startOfSuffix(symbol)
    let stem = String(symbol[..<suffix])
    // Debug information tells of copies by the function's name, and of rarely run parts with the rest of it.
    if Self.isRarePart(symbol[suffix...]) { return .another }
    guard let readable = SymbolName(stem) else {
      if stem.hasPrefix("_Z") || stem.hasPrefix("_R") { return .unsure }
      guard !stem.contains("."), name.name.matches(stem) else { return .another }
      // `extern "C"` in a namespace.
      return name.hasScopes ? .unsure : .wanted(Name(scope: "", name: stem))
    }
    // Thunks (_ZTh, _ZTv, _ZTc) are called as what they lead to; compilers differ in what they tell of them.
    guard readable.language == .cPlusPlus, !stem.hasPrefix("_ZT"), !Self.isLocal(stem, readable) else {
      return .unsure
    }
    guard Self.isIdentifier(readable.name.drop { $0 == "~" }) else {
      let plain = readable.name.prefix { $0 != "<" && $0 != "[" }
      return name.name.matches(String(plain)) || name.name.matches(readable.name) ? .unsure : .another
    }
    guard name.name.matches(readable.name) else { return .another }
    guard readable.scopes.allSatisfy(Self.isPlainScope) else { return .unsure }
    let scope = readable.scope ?? ""
    guard name.matches(scope: scope) else { return .another }
    return .wanted(Name(scope: scope, name: readable.name, isMangled: true))
  }

  /// What the functions at an address are called.
  private static func names(at address: UInt64, _ tables: [SymbolSource]) -> Set<Name> {
    let symbols = tables.flatMap { $0.table.symbols(at: LinkAddress(address)) }.filter(\.isFunction)
    return Set(
      symbols.map { symbol in
        let stem = String(symbol.name[..<SymbolName.startOfSuffix(symbol.name)])
        guard let readable = SymbolName(stem) else { return Name(scope: "", name: stem) }
        return Name(scope: readable.scope ?? "", name: readable.name, isMangled: true)
      }
    )
  }

  /// Whether the compiler made copies of a function under another name that it has: glibc's `__GI__IO_un_link.part.0`
  /// is one of `_IO_un_link`.
  private static func hasCopies(of names: [String], _ tables: [SymbolSource]) -> Bool {
    guard !names.isEmpty else { return false }
    let fronts = names.map { Array("\($0).".utf8) }
    return tables.contains { source in
      source.functions { symbol in
        fronts.contains { front in
          symbol.byteCount > front.count && symbol.extracting(first: front.count).equals(front.rawSpan)
        }
      }.contains { !isRarePart($0.name[SymbolName.startOfSuffix($0.name)...]) }
    }
  }

  private static func isRarePart(_ suffix: Substring) -> Bool {
    suffix.split(separator: ".").contains { $0 == "cold" || $0 == "warm" }
  }

  /// Whether it belongs to a class within a function, whose name debug information leaves out.
  private static func isLocal(_ symbol: String, _ readable: SymbolName) -> Bool {
    // _Z [N [qualifiers]] Z <function> E <name> (Itanium C++ ABI, section 5.1.2).
    let encoding = symbol.dropFirst(2).drop { "NrVKRO".contains($0) }
    return encoding.hasPrefix("Z") || readable.full.contains(")::")
  }

  private static func isPlainScope(_ text: String) -> Bool {
    isIdentifier(text[...]) || text == "(anonymous namespace)"
  }

  private static func isIdentifier(_ text: Substring) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$")
          || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
          || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
      }
  }
}

/// A table of symbols, or the part of one that counts.
struct SymbolSource: Sendable {
  let table: ELFSymbolTable
  /// Nil: all of it.
  let part: ELFSymbol.Source?

  func functions(named isWanted: (RawSpan) -> Bool) -> [ELFSymbol] {
    table.functions(from: part, named: isWanted)
  }
}

extension FunctionMatch {
  /// What symbols, all at one place, tell of a function.
  fileprivate init(_ name: String, scope: String, _ symbols: [ELFSymbol]) {
    let first = symbols[0]
    let end = first.address.raw.addingReportingOverflow(first.byteCount)
    self.init(
      name: name,
      scope: scope.isEmpty ? nil : scope,
      linkageName: first.name == name ? nil : first.name,
      entry: first.address,
      end: end.overflow || first.byteCount == 0 ? nil : LinkAddress(end.partialValue),
      isExported: symbols.contains(where: \.isExported)
    )
  }
}
