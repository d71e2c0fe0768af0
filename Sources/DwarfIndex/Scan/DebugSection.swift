import Dispatch
import ELF
import Platform

/// The sections that hold debug info, by what they are for.
enum DebugSection: UInt8, CaseIterable {
  case abbreviations, addresses, info, line, lineStrings, rangeLists, ranges, stringOffsets, strings, types

  var name: String {
    switch self {
    case .abbreviations: ".debug_abbrev"
    case .addresses: ".debug_addr"
    case .info: ".debug_info"
    case .line: ".debug_line"
    case .lineStrings: ".debug_line_str"
    case .rangeLists: ".debug_rnglists"
    case .ranges: ".debug_ranges"
    case .stringOffsets: ".debug_str_offsets"
    case .strings: ".debug_str"
    case .types: ".debug_types"
    }
  }
}

/// The DWARF sections of one file, unpacked.
///
/// Ten properties and no array: a span can be borrowed from a
/// property, but not from an element.
private struct SectionSet: Sendable {
  let abbreviations: SharedBytes
  let addresses: SharedBytes
  var info: SharedBytes
  let line: SharedBytes
  let lineStrings: SharedBytes
  let rangeLists: SharedBytes
  let ranges: SharedBytes
  let stringOffsets: SharedBytes
  let strings: SharedBytes
  let types: SharedBytes

  /// Loads every section but those `without`; one that is missing or does not unpack counts as empty.
  init(_ file: ELFFile?, without left: DebugSection? = nil) {
    Self.unpack(file, without: left)
    func load(_ section: DebugSection) -> SharedBytes {
      guard section != left, let bytes = try? file?.contents(ofSectionNamed: section.name) else {
        return SharedBytes([])
      }
      return bytes
    }
    abbreviations = load(.abbreviations)
    addresses = load(.addresses)
    info = load(.info)
    line = load(.line)
    lineStrings = load(.lineStrings)
    rangeLists = load(.rangeLists)
    ranges = load(.ranges)
    stringOffsets = load(.stringOffsets)
    strings = load(.strings)
    types = load(.types)
  }

  /// Unpacks compressed sections, the largest on one thread and the others on another.
  private static func unpack(_ file: ELFFile?, without left: DebugSection?) {
    guard let file else { return }
    let packed = DebugSection.allCases.filter { $0 != left }.compactMap { file.section(named: $0.name) }
      .filter {
        !$0.hasNoBits && $0.byteCount > 1 << 16
      }.sorted { $0.byteCount > $1.byteCount }
    guard packed.count > 1 else { return }
    DispatchQueue.concurrentPerform(iterations: packed.count) { _ = try? file.contents(of: packed[$0]) }
  }

  @_lifetime(borrow self)
  func bytes(_ section: DebugSection) -> RawSpan {
    switch section {
    case .abbreviations: return abbreviations.span
    case .addresses: return addresses.span
    case .info: return info.span
    case .line: return line.span
    case .lineStrings: return lineStrings.span
    case .rangeLists: return rangeLists.span
    case .ranges: return ranges.span
    case .stringOffsets: return stringOffsets.span
    case .strings: return strings.span
    case .types: return types.span
    }
  }
}

/// The DWARF sections of one image: those of its own file and of the one that dwz moved common parts to.
struct DwarfSections: Sendable {
  private var main: SectionSet
  private let alternate: SectionSet
  let hasAlternate: Bool
  /// Where in `.debug_info` the bytes begin that are there.
  private var infoOrigin = 0

  init(main: ELFFile, alternate: ELFFile?) {
    self.main = SectionSet(main)
    self.alternate = SectionSet(alternate)
    hasAlternate = alternate != nil
  }

  /// All sections of `main` but `.debug_info`, whose parts come by ``with(_:at:)``.
  init(withoutInfoOf main: ELFFile) {
    self.main = SectionSet(main, without: .info)
    alternate = SectionSet(nil)
    hasAlternate = false
  }

  /// The same with `part` of `.debug_info`, which begins at `origin`.
  func with(_ part: SharedBytes, at origin: Int) -> DwarfSections {
    var sections = self
    sections.main.info = part
    sections.infoOrigin = origin
    return sections
  }

  /// The offset in its section at which ``bytes(of:)`` begins.
  func origin(of section: UnitSection) -> Int {
    section.isAlternate || section.isTypeSection ? 0 : infoOrigin
  }

  /// The bytes of `section`; empty when there is none.
  @_lifetime(borrow self)
  func bytes(_ section: DebugSection, isAlternate: Bool) -> RawSpan {
    if isAlternate { return alternate.bytes(section) }
    return main.bytes(section)
  }

  /// The section that holds the DIEs of such units.
  @_lifetime(borrow self)
  func bytes(of section: UnitSection) -> RawSpan {
    bytes(section.isTypeSection ? .types : .info, isAlternate: section.isAlternate)
  }
}

/// A NUL-terminated string of some section, not read yet.
///
/// Equal references are equal strings; linkers merge
/// most equal strings, so the reverse holds often enough to save work.
struct StringReference: Hashable, Sendable {
  let raw: UInt64

  static let none = StringReference(raw: 0)

  private init(raw: UInt64) { self.raw = raw }

  init(_ section: DebugSection, isAlternate: Bool, offset: UInt64) {
    raw = UInt64(section.rawValue + 1) << 57 | (isAlternate ? 1 << 62 : 0) | offset & ((1 << 57) - 1)
  }

  /// A string of a scan's own, in ``ScanOutput/ownStrings``.
  static func own(_ offset: UInt32) -> StringReference {
    offset == 0 ? .none : StringReference(raw: 1 << 63 | UInt64(offset))
  }

  var isNone: Bool { raw == 0 }
  var isOwn: Bool { raw & 1 << 63 != 0 }
  /// Lies between DIEs, not in a section for strings.
  var isBetweenDIEs: Bool { section == .info || section == .types }
  var isAlternate: Bool { raw & 1 << 62 != 0 }
  var section: DebugSection? { DebugSection(rawValue: UInt8((raw >> 57) & 0x1f) &- 1) }
  var offset: Int { Int(raw & ((1 << 57) - 1)) }
}

extension DwarfSections {
  /// The bytes of the string; empty for ``StringReference/none`` and for one that does not end.
  @_lifetime(borrow self)
  func stringBytes(_ reference: StringReference) -> RawSpan {
    guard let section = reference.section else { return RawSpan() }
    let all = bytes(section, isAlternate: reference.isAlternate)
    let origin = section == .info && !reference.isAlternate ? infoOrigin : 0
    guard let string = all.stringBytes(at: reference.offset - origin) else { return RawSpan() }
    return string
  }

  /// The string itself; empty for none.
  func string(_ reference: StringReference) -> String { String(copying: stringBytes(reference)) }
}
