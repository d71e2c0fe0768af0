import Platform
import TargetModel

/// One symbol section and its string table, decoded entry by entry.
struct SymbolPart: Sendable {
  let source: ELFSymbol.Source
  let firstIndex: Int
  let count: Int
  private let entries: SharedBytes
  private let strings: SharedBytes
  private let is64Bit: Bool
  private let versions: SymbolVersions?
  /// SHT_SYMTAB_SHNDX: section indices that do not fit 16 bits.
  private let extendedIndices: SharedBytes?

  /// The fields of one entry (gABI, “Symbol Table”).
  struct Entry {
    var nameOffset: Int
    var info: UInt8
    var other: UInt8
    var section: UInt16
    var value: UInt64
    var byteCount: UInt64

    var kind: UInt8 { info & 0xf }
  }

  init?(_ section: ELFSection, of file: ELFFile, firstIndex: Int) {
    guard let entries = try? file.contents(of: section), !section.hasNoBits,
      file.sections.indices.contains(Int(section.link)),
      let strings = try? file.contents(of: file.sections[Int(section.link)])
    else { return nil }
    source = section.type == ELFConstant.sectionSymbols ? .symtab : .dynsym
    self.firstIndex = firstIndex
    is64Bit = file.header.is64Bit
    // Indices are kept in 32 bits.
    count = min(entries.count / (is64Bit ? 24 : 16), Int(Int32.max) - firstIndex)
    self.entries = entries
    self.strings = strings
    versions = source == .dynsym ? SymbolVersions(file) : nil
    extendedIndices = file.sections.first { $0.type == 18 && $0.link == UInt32(section.index) }
      .flatMap { try? file.contents(of: $0) }
  }

  var indices: Range<Int> { firstIndex..<firstIndex + count }

  /// The raw fields of the entry at `index`, which is in ``indices``.
  func entry(at index: Int) -> Entry? {
    let bytes = entries.span
    let start = (index - firstIndex) * (is64Bit ? 24 : 16)
    guard let name = bytes.load(at: start, as: UInt32.self) else { return nil }
    if is64Bit {
      return Entry(
        nameOffset: Int(name),
        info: bytes.byte(at: start + 4) ?? 0,
        other: bytes.byte(at: start + 5) ?? 0,
        section: bytes.load(at: start + 6, as: UInt16.self) ?? 0,
        value: bytes.load(at: start + 8, as: UInt64.self) ?? 0,
        byteCount: bytes.load(at: start + 16, as: UInt64.self) ?? 0
      )
    }
    return Entry(
      nameOffset: Int(name),
      info: bytes.byte(at: start + 12) ?? 0,
      other: bytes.byte(at: start + 13) ?? 0,
      section: bytes.load(at: start + 14, as: UInt16.self) ?? 0,
      value: UInt64(bytes.load(at: start + 4, as: UInt32.self) ?? 0),
      byteCount: UInt64(bytes.load(at: start + 8, as: UInt32.self) ?? 0)
    )
  }

  /// Hash and length of an entry's name without version.
  func hashedName(_ entry: Entry) -> (hash: UInt32, byteCount: Int) {
    strings.span.hashedString(at: entry.nameOffset, terminator: UInt8(ascii: "@"))
  }

  /// The complete symbol; a name out of bounds is empty.
  func symbol(at index: Int) -> ELFSymbol? { entry(at: index).map { symbol(at: index, $0) } }

  /// Appends the symbols whose name without version is wanted.
  func appendMatches(
    where accept: (_ kind: UInt8, _ section: UInt16) -> Bool,
    named isWanted: (RawSpan) -> Bool,
    to found: inout [ELFSymbol]
  ) {
    let names = strings.span
    for index in indices {
      guard let entry = entry(at: index), entry.nameOffset != 0, accept(entry.kind, entry.section) else {
        continue
      }
      let length = names.stringByteCount(at: entry.nameOffset, terminator: UInt8(ascii: "@"))
      guard length > 0, let name = try? names.slice(offset: entry.nameOffset, count: length),
        isWanted(name)
      else { continue }
      found.append(symbol(at: index, entry))
    }
  }

  private func symbol(at index: Int, _ entry: Entry) -> ELFSymbol {
    let names = strings.span
    let length = names.stringByteCount(at: entry.nameOffset, terminator: UInt8(ascii: "@"))
    let name = names.string(at: entry.nameOffset, byteCount: length) ?? ""
    let version = version(of: index, entry, nameLength: length)
    return ELFSymbol(
      name: name,
      version: version?.name,
      isDefaultVersion: version?.isDefault ?? true,
      address: LinkAddress(entry.value),
      byteCount: entry.byteCount,
      kind: ELFSymbol.Kind(raw: entry.kind),
      binding: ELFSymbol.Binding(raw: entry.info >> 4),
      visibility: entry.other & 3,
      sectionIndex: sectionIndex(of: index, entry),
      source: source,
      index: index
    )
  }

  /// `.symtab` spells versions in the name, `.dynsym` keeps them in a table beside it.
  private func version(of index: Int, _ entry: Entry, nameLength: Int) -> (name: String, isDefault: Bool)? {
    if let versions { return versions.version(ofEntry: index - firstIndex) }
    let names = strings.span
    guard names.byte(at: entry.nameOffset + nameLength) == UInt8(ascii: "@") else { return nil }
    let isDefault = names.byte(at: entry.nameOffset + nameLength + 1) == UInt8(ascii: "@")
    return names.string(at: entry.nameOffset + nameLength + (isDefault ? 2 : 1)).map { ($0, isDefault) }
  }

  private func sectionIndex(of index: Int, _ entry: Entry) -> UInt32 {
    guard UInt32(entry.section) == ELFConstant.indexExtended, let extendedIndices else {
      return UInt32(entry.section)
    }
    return extendedIndices.span.load(at: (index - firstIndex) * 4, as: UInt32.self) ?? 0
  }
}
