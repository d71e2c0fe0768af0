import Platform

/// Writes the bytes of a ``LibraryCatalog``.
struct CatalogMaker {
  private struct Row {
    let kind: LibraryCatalog.Kind
    let name: String
    let file: Int
    let spans: [Range<Int>]
  }

  private let surroundings: [FileFact]
  private var files: [LibraryCatalog.File] = []
  private var rows: [Row] = []

  /// Starts with the program and the surroundings.
  init(_ surroundings: [FileFact]) { self.surroundings = surroundings }

  /// Adds a script file.
  mutating func add(_ fact: FileFact, _ found: DeclarationScanner.Declarations) {
    let file = files.count
    files.append(LibraryCatalog.File(fact: fact, isOpaque: found.isOpaque))
    rows += found.functions.map { Row(kind: .function, name: $0, file: file, spans: []) }
    rows += found.globals.map { Row(kind: .global, name: $0, file: file, spans: []) }
    rows += found.aliases.map { Row(kind: .family, name: $0.head, file: file, spans: $0.names) }
  }

  /// Adds a file of macros of these names.
  mutating func add(_ fact: FileFact, macros: [String]) {
    rows += macros.map { Row(kind: .macro, name: $0, file: files.count, spans: []) }
    files.append(LibraryCatalog.File(fact: fact, isOpaque: false))
  }

  /// All of it.
  func encoded() -> [UInt8] {
    let ordered = rows.sorted { left, right in
      if left.kind != right.kind { return left.kind.rawValue < right.kind.rawValue }
      if left.name != right.name { return left.name.utf8.lexicographicallyPrecedes(right.name.utf8) }
      return left.file < right.file
    }
    var body = ByteWriter()
    body.write(UInt32(surroundings.count))
    body.write(UInt32(files.count))
    body.write(UInt32(rows.reduce(0) { $0 + $1.spans.count }))
    for kind in LibraryCatalog.Kind.allCases {
      body.write(UInt32(ordered.count { $0.kind.rawValue <= kind.rawValue }))
    }
    var (nameOffset, spanIndex) = (0, 0)
    for row in ordered {
      let length = row.name.utf8.count
      body.write([nameOffset, length, row.file, spanIndex, row.spans.count].map { UInt32(clamping: $0) })
      nameOffset += length
      spanIndex += row.spans.count
    }
    for span in ordered.flatMap(\.spans) {
      body.write([UInt32(clamping: span.lowerBound), UInt32(clamping: span.upperBound)])
    }
    for fact in surroundings { body.write(fact) }
    for file in files {
      body.write(UInt8(file.isOpaque ? 1 : 0))
      body.write(file.fact)
    }
    for row in ordered { body.write(Array(row.name.utf8)) }
    return framed(body)
  }

  private func framed(_ body: ByteWriter) -> [UInt8] {
    var whole = ByteWriter(reserving: LibraryCatalog.checkedStart + body.count)
    whole.write(LibraryCatalog.magic)
    whole.write(LibraryCatalog.version)
    whole.write(body.bytes.rawSpan.crc64(from: 0))
    whole.write(body.bytes)
    return whole.bytes
  }
}

extension ByteWriter {
  fileprivate mutating func write(_ fact: FileFact) {
    writeString(fact.path)
    write(UInt8(fact.identity == nil ? 0 : 1))
    guard let identity = fact.identity else { return }
    write(UInt64(identity.byteCount))
    write(identity.modified)
    write(identity.changed)
    write(identity.inode)
    write(identity.device)
  }
}
