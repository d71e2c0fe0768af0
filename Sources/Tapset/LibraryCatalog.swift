import Platform

/// What the files of a library declare: names, and which file has them.
///
/// One block of bytes, as ``CatalogMaker`` writes it: a table of names in the order of their kinds and bytes, searched in
/// place, so that one kept by an earlier run costs a start no more than the names that are asked for. Every read is
/// checked: a damaged block lacks names, and no more.
struct LibraryCatalog: Sendable {
  /// What a name is the name of.
  enum Kind: Int, CaseIterable, Sendable {
    case function, global, macro
    /// The first part of names of aliases.
    case family
  }

  /// A file that was found.
  struct File: Sendable {
    let fact: FileFact
    /// Only parsing it tells what it declares.
    let isOpaque: Bool
  }

  /// Where a name is declared.
  struct Place: Sendable {
    /// Position in ``LibraryCatalog/files``.
    let file: Int
    /// Where the whole names of a family stand in the text of the file.
    let spans: [Range<Int>]
  }

  /// The program that made it, and the surroundings that it looked for, found or not.
  let surroundings: [FileFact]
  /// In the order of search.
  let files: [File]
  private let bytes: SharedBytes
  /// Where rows of each kind begin, and behind the last one.
  private let boundaries: [Int]
  private let rowsStart: Int
  private let spansStart: Int
  private let namesStart: Int

  static let magic: UInt32 = 0x5473_7475  // "utsT"
  static let version: UInt32 = 1
  /// Behind magic, version and checksum.
  static let checkedStart = 16
  /// A row: where the name begins, its length, its file, where its spans begin, how many there are.
  static let rowByteCount = 20

  /// Nil when the bytes are not a whole catalog of this version.
  init?(_ bytes: SharedBytes) {
    do throws(ByteError) { try self.init(checking: bytes) } catch { return nil }
  }

  private init(checking bytes: SharedBytes) throws(ByteError) {
    let span = bytes.span
    var reader = ByteReader(span)
    let head = (try reader.read(UInt32.self), try reader.read(UInt32.self), try reader.read(UInt64.self))
    guard head == (Self.magic, Self.version, span.crc64(from: Self.checkedStart)) else {
      throw .endOfData(offset: 0)
    }
    let factCount = try reader.read(UInt32.self)
    let fileCount = try reader.read(UInt32.self)
    let spanCount = Int(try reader.read(UInt32.self))
    var boundaries = [0]
    for _ in Kind.allCases { boundaries.append(Int(try reader.read(UInt32.self))) }
    guard boundaries == boundaries.sorted() else { throw .endOfData(offset: reader.offset) }
    rowsStart = reader.offset
    try reader.skip(boundaries[Kind.allCases.count] * Self.rowByteCount)
    spansStart = reader.offset
    try reader.skip(spanCount * 8)
    var surroundings: [FileFact] = []
    for _ in 0..<factCount { surroundings.append(try reader.readFact()) }
    var files: [File] = []
    for _ in 0..<fileCount {
      let isOpaque = try reader.read(UInt8.self) != 0
      files.append(File(fact: try reader.readFact(), isOpaque: isOpaque))
    }
    self.surroundings = surroundings
    self.files = files
    self.boundaries = boundaries
    self.bytes = bytes
    namesStart = reader.offset
  }

  /// Nothing is declared.
  static let empty = LibraryCatalog()

  private init() {
    (surroundings, files) = ([], [])
    bytes = SharedBytes([])
    boundaries = Array(repeating: 0, count: Kind.allCases.count + 1)
    (rowsStart, spansStart, namesStart) = (0, 0, 0)
  }

  /// Whether the program, every directory and every file are as they were.
  var isCurrent: Bool { surroundings.allSatisfy(\.isUnchanged) && files.allSatisfy(\.fact.isUnchanged) }

  /// When anything of it changed last, in nanoseconds since 1970.
  var latestChange: Int64 {
    let identities = (surroundings + files.map(\.fact)).compactMap(\.identity)
    return identities.map { max($0.modified, $0.changed) }.max() ?? 0
  }

  /// Where `name` is declared, in the order of search.
  func places(of name: String, _ kind: Kind) -> [Place] {
    name.withRawSpan { wanted in
      let rows = rows(of: kind)
      var (low, high) = (rows.lowerBound, rows.upperBound)
      while low < high {
        let middle = low + (high - low) / 2
        let isBefore = bytes.span.extracting(nameRange(ofRow: middle)).order(against: wanted) < 0
        (low, high) = isBefore ? (middle + 1, high) : (low, middle)
      }
      var found: [Place] = []
      while low < rows.upperBound {
        guard bytes.span.extracting(nameRange(ofRow: low)).equals(wanted) else { break }
        if let place = place(ofRow: low) { found.append(place) }
        low += 1
      }
      return found
    }
  }

  /// Every name of that kind, once.
  func names(_ kind: Kind) -> [String] {
    var found: [String] = []
    for row in rows(of: kind) {
      let name = String(copying: bytes.span.extracting(nameRange(ofRow: row)))
      if found.last != name { found.append(name) }
    }
    return found
  }

  private func rows(of kind: Kind) -> Range<Int> {
    let (start, end) = (boundaries[kind.rawValue], boundaries[kind.rawValue + 1])
    return start..<end
  }

  private func word(_ column: Int, ofRow row: Int) -> Int {
    Int(bytes.span.load(at: rowsStart + row * Self.rowByteCount + column * 4, as: UInt32.self) ?? 0)
  }

  /// Empty when it is not there.
  private func nameRange(ofRow row: Int) -> Range<Int> {
    let (start, count) = (namesStart + word(0, ofRow: row), word(1, ofRow: row))
    return start <= bytes.count && count <= bytes.count - start ? start..<start + count : 0..<0
  }

  /// Nil when the row is damaged.
  private func place(ofRow row: Int) -> Place? {
    let (file, start, count) = (word(2, ofRow: row), word(3, ofRow: row), word(4, ofRow: row))
    guard files.indices.contains(file), count <= bytes.count else { return nil }
    var spans: [Range<Int>] = []
    for index in start..<start + count {
      guard let lower = bytes.span.load(at: spansStart + index * 8, as: UInt32.self),
        let upper = bytes.span.load(at: spansStart + index * 8 + 4, as: UInt32.self), lower <= upper
      else { return nil }
      spans.append(Int(lower)..<Int(upper))
    }
    return Place(file: file, spans: spans)
  }
}

extension ByteReader {
  fileprivate mutating func readFact() throws(ByteError) -> FileFact {
    let path = try readString()
    guard try read(UInt8.self) != 0 else { return FileFact(path: path, identity: nil) }
    let identity = FileFact.Identity(
      byteCount: Int(truncatingIfNeeded: try read(UInt64.self)),
      modified: try read(Int64.self),
      changed: try read(Int64.self),
      inode: try read(UInt64.self),
      device: try read(UInt64.self)
    )
    return FileFact(path: path, identity: identity)
  }
}
