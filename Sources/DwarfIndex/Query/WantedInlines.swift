import Platform

/// The inlined functions that a pattern names, told from others of the same name.
struct WantedInlines: Sendable {
  /// One of them, as the index knows it.
  struct Function: Sendable {
    var name: String
    /// Empty at the top.
    var scope: String
    /// Empty when unknown.
    var file: String
    /// 0 when unknown.
    var line: UInt32
  }

  private struct Key: Hashable {
    let name: String
    let scope: String
    let line: UInt32
  }

  let functions: [Function]
  private var numbers: [Key: [Int]] = [:]
  private var lastOfName: [String: Int] = [:]
  private let isByNameAlone: Bool
  private let hasFile: Bool

  /// - Parameters:
  ///   - isByNameAlone: every function of these names is wanted.
  ///   - hasFile: not those of the same name, scope and line in other files.
  init(_ functions: [Function], isByNameAlone: Bool, hasFile: Bool) {
    self.functions = functions
    self.isByNameAlone = isByNameAlone
    self.hasFile = hasFile
    for (number, function) in functions.enumerated() {
      numbers[Key(name: function.name, scope: function.scope, line: function.line), default: []].append(
        number
      )
      lastOfName[function.name] = number
    }
  }

  init(_ records: [InlineRecord], of index: IndexFile, for pattern: FunctionPattern) {
    let functions = records.map { record in
      Function(
        name: index.string(record.name),
        scope: index.string(record.scope),
        file: index.string(record.file),
        line: record.line
      )
    }
    let hasFile = pattern.file != nil
    let isByNameAlone = !hasFile && !NamePattern(pattern.name).hasScopes && pattern.line == nil
    self.init(functions, isByNameAlone: isByNameAlone, hasFile: hasFile)
  }

  /// The number of the wanted function that debug information describes so; nil when it is none of them.
  func number(_ name: String, scope: () -> String, line: UInt32, file: () -> String) -> Int? {
    guard let last = lastOfName[name] else { return nil }
    let same = numbers[Key(name: name, scope: scope(), line: line)] ?? []
    if hasFile || same.count > 1 {
      let file = file()
      if let exact = same.first(where: { functions[$0].file == file }) { return exact }
      if hasFile { return nil }
    }
    // What an index says of a function that link-time optimisation took apart may differ.
    return same.first ?? (isByNameAlone ? last : nil)
  }
}
