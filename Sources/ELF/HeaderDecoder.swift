import Platform
import TargetModel

/// Decodes the three header tables of an ELF file of either class.
struct HeaderDecoder {
  let path: String
  var header = ELFHeader(is64Bit: true, type: 0, machine: 0, entry: LinkAddress(0), flags: 0)
  var segments: [ELFSegment] = []
  var sections: [ELFSection] = []
  private var nameTable = 0
  /// Where a table starts, how many entries it has, how long each is.
  private typealias Table = (offset: UInt64, count: UInt64, stride: UInt64)
  private var segmentTable: Table = (0, 0, 0)
  private var sectionTable: Table = (0, 0, 0)

  init(path: String) { self.path = path }

  /// Fills all fields from the bytes of a file.
  mutating func decode(_ image: RawSpan) throws(ELFError) {
    try decodeIdentification(image)
    do throws(ByteError) {
      try decodeHeader(image)
    } catch {
      throw malformed("the file ends within its header")
    }
    do throws(ByteError) {
      try applyExtendedCounts(image)
      try decodeSections(image)
      try decodeSegments(image)
    } catch {
      throw malformed("a header table reaches beyond the end of the file")
    }
    nameSections(image)
  }

  private func malformed(_ what: String) -> ELFError { .malformed(path: path, what: what) }

  /// `e_ident` (gABI, “ELF Identification”).
  private mutating func decodeIdentification(_ image: RawSpan) throws(ELFError) {
    guard image.load(at: 0, as: UInt32.self) == 0x464c_457f else { throw .notELF(path: path) }
    switch image.byte(at: 4) {
    case 1: header.is64Bit = false
    case 2: header.is64Bit = true
    default: throw malformed("neither a 32-bit nor a 64-bit class")
    }
    guard image.byte(at: 5) == 1 else { throw .unsupported(path: path, what: "not little endian") }
  }

  private mutating func decodeHeader(_ image: RawSpan) throws(ByteError) {
    var reader = ByteReader(image)
    let word = header.addressByteCount
    try reader.seek(to: 16)
    header.type = try reader.read(UInt16.self)
    header.machine = try reader.read(UInt16.self)
    try reader.skip(4)  // e_version
    header.entry = LinkAddress(try reader.readUnsigned(byteCount: word))
    segmentTable.offset = try reader.readUnsigned(byteCount: word)
    sectionTable.offset = try reader.readUnsigned(byteCount: word)
    header.flags = try reader.read(UInt32.self)
    try reader.skip(2)  // e_ehsize
    segmentTable.stride = UInt64(try reader.read(UInt16.self))
    segmentTable.count = UInt64(try reader.read(UInt16.self))
    sectionTable.stride = UInt64(try reader.read(UInt16.self))
    sectionTable.count = UInt64(try reader.read(UInt16.self))
    nameTable = Int(try reader.read(UInt16.self))
  }

  /// Counts that do not fit their header field are in section header 0 (gABI, “Section Header”).
  private mutating func applyExtendedCounts(_ image: RawSpan) throws(ByteError) {
    guard sectionTable.offset != 0 else {
      sectionTable.count = 0
      return
    }
    guard sectionTable.count == 0 || segmentTable.count == 0xffff || nameTable == 0xffff else { return }
    let first = try decodeSection(image, at: 0)
    if sectionTable.count == 0 { sectionTable.count = first.byteCount }
    if segmentTable.count == 0xffff { segmentTable.count = UInt64(first.info) }
    if nameTable == 0xffff { nameTable = Int(first.link) }
  }

  private func entry(
    _ index: UInt64,
    of table: (offset: UInt64, count: UInt64, stride: UInt64)
  ) throws(ByteError) -> Int {
    let (distance, overflow) = index.multipliedReportingOverflow(by: table.stride)
    let (offset, overflow2) = table.offset.addingReportingOverflow(distance)
    guard !overflow, !overflow2, let position = Int(exactly: offset) else { throw .endOfData(offset: 0) }
    return position
  }

  private mutating func decodeSections(_ image: RawSpan) throws(ByteError) {
    // Each entry must be in the file, which bounds the count by the file's size.
    guard sectionTable.count <= UInt64(image.byteCount) / 40 else { throw .endOfData(offset: 0) }
    sections.reserveCapacity(Int(sectionTable.count))
    for index in 0..<sectionTable.count { sections.append(try decodeSection(image, at: index)) }
  }

  private func decodeSection(_ image: RawSpan, at index: UInt64) throws(ByteError) -> ELFSection {
    var reader = ByteReader(image)
    let word = header.addressByteCount
    try reader.seek(to: entry(index, of: sectionTable))
    let name = try reader.read(UInt32.self)
    return ELFSection(
      index: Int(index),
      name: String(name),  // Replaced by `nameSections` when the name table is known.
      type: try reader.read(UInt32.self),
      flags: try reader.readUnsigned(byteCount: word),
      address: LinkAddress(try reader.readUnsigned(byteCount: word)),
      fileOffset: try reader.readUnsigned(byteCount: word),
      byteCount: try reader.readUnsigned(byteCount: word),
      link: try reader.read(UInt32.self),
      info: try reader.read(UInt32.self),
      alignment: try reader.readUnsigned(byteCount: word),
      entryByteCount: try reader.readUnsigned(byteCount: word)
    )
  }

  private mutating func decodeSegments(_ image: RawSpan) throws(ByteError) {
    guard segmentTable.count <= UInt64(image.byteCount) / 32 else { throw .endOfData(offset: 0) }
    for index in 0..<segmentTable.count {
      var reader = ByteReader(image)
      try reader.seek(to: entry(index, of: segmentTable))
      segments.append(try decodeSegment(&reader))
    }
  }

  private func decodeSegment(_ reader: inout ByteReader) throws(ByteError) -> ELFSegment {
    let word = header.addressByteCount
    let type = try reader.read(UInt32.self)
    // The classes differ in where p_flags is.
    var flags = header.is64Bit ? try reader.read(UInt32.self) : 0
    let offset = try reader.readUnsigned(byteCount: word)
    let address = try reader.readUnsigned(byteCount: word)
    try reader.skip(word)  // p_paddr
    let inFile = try reader.readUnsigned(byteCount: word)
    let inMemory = try reader.readUnsigned(byteCount: word)
    if !header.is64Bit { flags = try reader.read(UInt32.self) }
    return ELFSegment(
      type: type,
      flags: flags,
      fileOffset: offset,
      address: LinkAddress(address),
      fileByteCount: inFile,
      memoryByteCount: inMemory,
      alignment: try reader.readUnsigned(byteCount: word)
    )
  }

  /// Looks the names up; a section whose name is out of bounds has none.
  private mutating func nameSections(_ image: RawSpan) {
    var names: RawSpan?
    if sections.indices.contains(nameTable), nameTable != 0, !sections[nameTable].hasNoBits,
      let offset = Int(exactly: sections[nameTable].fileOffset),
      let count = Int(exactly: sections[nameTable].byteCount)
    {
      names = try? image.slice(offset: offset, count: count)
    }
    for index in sections.indices {
      let offset = Int(sections[index].name) ?? 0
      sections[index].name = ""
      // A name longer than this is an attack on our memory: thousands of sections may share it.
      guard let bytes = names?.stringBytes(at: offset), bytes.byteCount <= 1024 else { continue }
      sections[index].name = String(copying: bytes)
    }
  }
}
