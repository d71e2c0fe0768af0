import Platform

/// Versions of dynamic symbols: `.gnu.version`, `.gnu.version_d`, `.gnu.version_r` (LSB core, chapter 10.7).
struct SymbolVersions: Sendable {
  private let indices: SharedBytes
  private var names: [UInt16: String] = [:]
  /// Versions that this file defines; those it only needs have no default.
  private var defined: Set<UInt16> = []

  init?(_ file: ELFFile) {
    guard let section = file.sections.first(where: { $0.type == 0x6fff_ffff }),
      let indices = try? file.contents(of: section)
    else { return nil }
    self.indices = indices
    if let (bytes, strings) = SymbolVersions.table(0x6fff_fffd, of: file) {
      try? readDefinitions(bytes.span, strings.span)
    }
    if let (bytes, strings) = SymbolVersions.table(0x6fff_fffe, of: file) {
      try? readNeeds(bytes.span, strings.span)
    }
  }

  /// The version of the n-th dynamic symbol; nil for unversioned ones.
  func version(ofEntry index: Int) -> (name: String, isDefault: Bool)? {
    guard let raw = indices.span.load(at: index * 2, as: UInt16.self) else { return nil }
    // The high bit hides a version from plain references; 0 is local, 1 global.
    guard raw & 0x7fff > 1, let name = names[raw & 0x7fff] else { return nil }
    return (name, raw & 0x8000 == 0 && defined.contains(raw & 0x7fff))
  }

  private static func table(_ type: UInt32, of file: ELFFile) -> (SharedBytes, SharedBytes)? {
    guard let section = file.sections.first(where: { $0.type == type }),
      file.sections.indices.contains(Int(section.link)),
      let bytes = try? file.contents(of: section),
      let strings = try? file.contents(of: file.sections[Int(section.link)])
    else { return nil }
    return (bytes, strings)
  }

  /// Elf_Verdef, each followed by its names; the first is the version, the others its parents.
  private mutating func readDefinitions(_ bytes: RawSpan, _ strings: RawSpan) throws(ByteError) {
    var reader = ByteReader(bytes)
    while true {
      let start = reader.offset
      try reader.skip(4)  // vd_version, vd_flags
      let index = try reader.read(UInt16.self)
      try reader.skip(6)  // vd_cnt, vd_hash
      let names = Int(try reader.read(UInt32.self))
      let next = Int(try reader.read(UInt32.self))
      try reader.seek(to: start)
      try reader.skip(names)
      self.names[index & 0x7fff] = strings.string(at: Int(try reader.read(UInt32.self)))
      defined.insert(index & 0x7fff)
      guard next > 0 else { return }
      try reader.seek(to: start)
      try reader.skip(next)
    }
  }

  /// Elf_Verneed, one for each library, each with a chain of Elf_Vernaux.
  private mutating func readNeeds(_ bytes: RawSpan, _ strings: RawSpan) throws(ByteError) {
    var reader = ByteReader(bytes)
    // Chains may overlap in a hostile file; more links than bytes cannot be honest.
    var budget = bytes.byteCount
    while true {
      let start = reader.offset
      try reader.skip(8)  // vn_version, vn_cnt, vn_file
      let versions = Int(try reader.read(UInt32.self))
      let next = Int(try reader.read(UInt32.self))
      try reader.seek(to: start)
      try reader.skip(versions)
      while true {
        budget -= 16
        guard budget >= 0 else { return }
        let link = try readNeed(&reader, strings)
        guard link > 0 else { break }
        try reader.skip(link)
      }
      guard next > 0 else { return }
      try reader.seek(to: start)
      try reader.skip(next)
    }
  }

  /// Reads one Elf_Vernaux and goes back to its start; gives the distance to the next, 0 for the last.
  private mutating func readNeed(_ reader: inout ByteReader, _ strings: RawSpan) throws(ByteError) -> Int {
    let start = reader.offset
    try reader.skip(6)  // vna_hash, vna_flags
    let index = try reader.read(UInt16.self)
    names[index & 0x7fff] = strings.string(at: Int(try reader.read(UInt32.self)))
    let next = Int(try reader.read(UInt32.self))
    try reader.seek(to: start)
    return next
  }
}
