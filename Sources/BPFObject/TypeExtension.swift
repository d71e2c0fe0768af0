import Platform

/// `.BTF.ext`: which code has which types and lines (Linux, Documentation/bpf/btf.rst, section 4.2).
struct TypeExtension {
  /// Records grouped by section.
  struct Table {
    let wordCount: Int
    private(set) var sections: [(name: UInt32, records: [[UInt32]])] = []

    init(wordCount: Int) { self.wordCount = wordCount }

    /// Adds a record, whose first word is the byte in the section of that name.
    mutating func add(_ record: [UInt32], to name: UInt32) {
      if let index = sections.firstIndex(where: { $0.name == name }) {
        sections[index].records.append(record)
      } else {
        sections.append((name, [record]))
      }
    }

    var encoded: [UInt8] {
      guard !sections.isEmpty else { return [] }
      var writer = ByteWriter()
      writer.write(UInt32(wordCount * 4))
      for (name, records) in sections {
        writer.write(name)
        writer.write(UInt32(records.count))
        // The kernel wants records of a section in ascending order.
        for word in records.sorted(by: { $0[0] < $1[0] }).joined() { writer.write(word) }
      }
      return writer.bytes
    }
  }

  var functions = Table(wordCount: 2)
  var lines = Table(wordCount: 4)

  init() {}

  func encoded() -> [UInt8] {
    let functionBytes = functions.encoded
    let lineBytes = lines.encoded
    var writer = ByteWriter()
    writer.write(UInt32(0x0001_eb9f))
    for word in [24, 0, functionBytes.count, functionBytes.count, lineBytes.count] {
      writer.write(UInt32(word))
    }
    writer.write(functionBytes)
    writer.write(lineBytes)
    return writer.bytes
  }

  /// Reads a section.
  /// - Throws: ``ByteError`` when records are cut.
  init(_ bytes: RawSpan) throws(ByteError) {
    var reader = ByteReader(bytes)
    try reader.skip(4)
    let header = try Int(reader.read(UInt32.self))
    let functionOffset = try Int(reader.read(UInt32.self))
    let functionByteCount = try Int(reader.read(UInt32.self))
    let lineOffset = try Int(reader.read(UInt32.self))
    let lineByteCount = try Int(reader.read(UInt32.self))
    functions = try Self.table(bytes, header + functionOffset, functionByteCount, wordCount: 2)
    lines = try Self.table(bytes, header + lineOffset, lineByteCount, wordCount: 4)
  }

  private static func table(
    _ bytes: RawSpan,
    _ start: Int,
    _ byteCount: Int,
    wordCount: Int
  ) throws(ByteError) -> Table {
    var table = Table(wordCount: wordCount)
    guard byteCount > 0 else { return table }
    var reader = ByteReader(bytes)
    try reader.seek(to: start)
    let recordByteCount = try Int(reader.read(UInt32.self))
    guard recordByteCount >= wordCount * 4 else { throw .endOfData(offset: start) }
    while reader.offset < start + byteCount {
      let name = try reader.read(UInt32.self)
      for _ in 0..<(try reader.read(UInt32.self)) {
        var record: [UInt32] = []
        for _ in 0..<wordCount { record.append(try reader.read(UInt32.self)) }
        try reader.skip(recordByteCount - wordCount * 4)
        table.add(record, to: name)
      }
    }
    return table
  }
}
