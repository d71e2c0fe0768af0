import ELF
import Platform

/// Puts split units back: a file in memory that reads like one whose DWARF was never split (DWARF 5, section 7.3.2;
/// DWARF 4 with GNU's extension).
///
/// The program's own units stay where they are; split ones follow.
struct MergedDwarf {
  private let skeletons: [Skeleton]
  private var sections: [String: [UInt8]] = [:]
  private var stringBases: [Int: UInt64] = [:]
  private var offsetBases: [Int: UInt64] = [:]
  private var listBases: [String: UInt64] = [:]
  private var signatures: Set<UInt64> = []
  private var remaining: [UInt64: Skeleton] = [:]

  /// More than any program has, and as much as offsets of 32 bits reach.
  private static let mostBytes = 1 << 31

  private static let names = [
    ".debug_abbrev", ".debug_addr", ".debug_frame", ".debug_info", ".debug_line", ".debug_line_str",
    ".debug_loc",
    ".debug_loclists", ".debug_ranges", ".debug_rnglists", ".debug_str", ".debug_str_offsets", ".debug_types",
  ]

  /// Starts with the sections of `main`.
  init(_ main: ELFFile, _ skeletons: [Skeleton]) {
    self.skeletons = skeletons
    for name in Self.names {
      guard let bytes = try? main.contents(ofSectionNamed: name) else { continue }
      sections[name] = bytes.copied()
    }
    for skeleton in skeletons { remaining[skeleton.number] = skeleton }
  }

  /// The skeletons whose units have not been added.
  var missing: [Skeleton] { skeletons.filter { remaining[$0.number] != nil } }

  /// Adds a unit that belongs to one of the skeletons, or a type that is not there yet.
  mutating func add(_ unit: SplitUnit) {
    guard let rewriter = UnitRewriter(unit), let number = rewriter.number,
      sections.values.reduce(0, { $0 + $1.count }) < Self.mostBytes
    else { return }
    if rewriter.isType {
      guard signatures.insert(number).inserted else { return }
      append(rewriter, unit, nil)
    } else if let skeleton = remaining.removeValue(forKey: number) {
      append(rewriter, unit, skeleton)
    }
  }

  /// The merged file.
  func file(path: String, machine: UInt16) -> ELFFile? {
    var writer = ELFWriter(machine: machine)
    for name in Self.names {
      guard let content = sections[name] else { continue }
      _ = writer.addSection(name, content: content)
    }
    return try? ELFFile(SharedBytes(writer.encoded()), path: path)
  }

  private mutating func append(_ rewriter: UnitRewriter, _ unit: SplitUnit, _ skeleton: Skeleton?) {
    let isNew = rewriter.isNew
    let headerSize: UInt64 = rewriter.offsetSize == 8 ? 20 : 12
    let bases = UnitRewriter.Bases(
      stringOffsets: stringOffsets(unit.sections, rewriter),
      addresses: skeleton?.addressBase,
      rangeLists: isNew
        ? list(unit.sections.rangeLists, ".debug_rnglists", unit.sections.key) + headerSize : 0,
      locationLists: isNew
        ? list(unit.sections.locations, ".debug_loclists", unit.sections.key) + headerSize : 0,
      lineProgram: skeleton?.lineProgram,
      lowPC: skeleton.flatMap { lowPC($0) }
    )
    let place = UInt64(sections[".debug_abbrev"]?.count ?? 0)
    guard let rewritten = rewriter.rewritten(bases, abbreviationsOffset: place) else { return }
    let abbreviations = rewritten.abbreviations
    var bytes = rewritten.unit
    if !isNew, let skeleton {
      var locations = OldLocations(
        unit,
        skeleton,
        addresses: sections[".debug_addr"] ?? [],
        appendingTo: sections.removeValue(forKey: ".debug_loc") ?? []
      )
      let shared = SharedBytes(abbreviations)
      locations.adapt(
        &bytes,
        rewriter.unit,
        RawAbbreviations(shared.span, at: 0),
        from: rewriter.unit.firstDIE
      )
      sections[".debug_loc"] = locations.section
    }
    sections[".debug_abbrev", default: []] += abbreviations
    sections[unit.isTypeSection ? ".debug_types" : ".debug_info", default: []] += bytes
  }

  /// Adds an address that the unit's own table does not have; its index.
  private mutating func lowPC(_ skeleton: Skeleton) -> UInt64? {
    guard skeleton.lowPC != 0 else { return nil }
    var table = sections.removeValue(forKey: ".debug_addr") ?? []
    defer { sections[".debug_addr"] = table }
    while UInt64(table.count) % 8 != skeleton.addressBase % 8 { table.append(0) }
    let offset = UInt64(table.count)
    guard offset >= skeleton.addressBase else { return nil }
    var writer = ByteWriter()
    writer.write(skeleton.lowPC)
    table += writer.bytes
    return (offset - skeleton.addressBase) / 8
  }

  /// Appends a share of a section once; where it begins.
  private mutating func list(_ bytes: SharedBytes, _ name: String, _ key: Int) -> UInt64 {
    guard !bytes.isEmpty else { return 0 }
    let place = "\(name) \(key)"
    if let known = listBases[place] { return known }
    let base = UInt64(sections[name]?.count ?? 0)
    sections[name, default: []] += bytes.copied()
    listBases[place] = base
    return base
  }

  /// Appends a table of string offsets and the strings; what the unit's indexes count from.
  private mutating func stringOffsets(_ source: SplitSections, _ unit: UnitRewriter) -> UInt64 {
    if let known = offsetBases[source.key] { return known }
    let file = source.key >> 32
    let strings: UInt64
    if let known = stringBases[file] {
      strings = known
    } else {
      strings = UInt64(sections[".debug_str"]?.count ?? 0)
      sections[".debug_str", default: []] += source.strings.copied()
      stringBases[file] = strings
    }
    let headerSize = unit.isNew ? (unit.offsetSize == 8 ? 16 : 8) : 0
    var cursor = ByteCursor(source.stringOffsets.span)
    var writer = ByteWriter()
    for _ in 0..<min(headerSize, source.stringOffsets.count) { writer.write(cursor.readUInt8()) }
    while cursor.byteCount - cursor.offset >= unit.offsetSize {
      let offset = cursor.readUnsigned(byteCount: unit.offsetSize) &+ strings
      if unit.offsetSize == 8 {
        writer.write(offset)
      } else {
        writer.write(UInt32(truncatingIfNeeded: offset))
      }
    }
    let base = UInt64(sections[".debug_str_offsets"]?.count ?? 0) + UInt64(headerSize)
    sections[".debug_str_offsets", default: []] += writer.bytes
    offsetBases[source.key] = base
    return base
  }
}
