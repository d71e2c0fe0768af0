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

/// The debug info of one image: its own file and the one that dwz moved common parts to.
struct DwarfFiles: Sendable {
  let main: DebugFile
  /// The same as `main` when there is none: a span cannot be borrowed through an optional.
  let alternate: DebugFile
  let hasAlternate: Bool

  init(main: DebugFile, alternate: DebugFile?) {
    self.main = main
    self.alternate = alternate ?? main
    hasAlternate = alternate != nil
  }

  /// The bytes of `section`, in the file that `unit` lies in.
  @_lifetime(borrow self)
  func bytes(_ section: DebugSection, isAlternate: Bool) -> RawSpan {
    guard isAlternate else { return main.bytes(of: section) }
    guard hasAlternate else { return RawSpan() }
    return alternate.bytes(of: section)
  }

  /// The section that holds the DIEs of such units.
  @_lifetime(borrow self)
  func bytes(of section: UnitSection) -> RawSpan {
    bytes(section.isTypeSection ? .types : .info, isAlternate: section.isAlternate)
  }
}

/// A NUL-terminated string of some section, not read yet. Equal references are equal strings; linkers merge
/// most equal strings, so the reverse holds often enough to save work.
struct StringReference: Hashable, Sendable {
  let raw: UInt64

  static let none = StringReference(raw: 0)

  private init(raw: UInt64) { self.raw = raw }

  init(_ section: DebugSection, isAlternate: Bool, offset: UInt64) {
    raw = UInt64(section.rawValue + 1) << 57 | (isAlternate ? 1 << 62 : 0) | offset & ((1 << 57) - 1)
  }

  var isNone: Bool { raw == 0 }
  var isAlternate: Bool { raw & 1 << 62 != 0 }
  var section: DebugSection? { DebugSection(rawValue: UInt8((raw >> 57) & 0x1f) &- 1) }
  var offset: Int { Int(raw & ((1 << 57) - 1)) }
}

extension DwarfFiles {
  /// A cursor at the string; nil for ``StringReference/none``.
  @_lifetime(borrow self)
  func cursor(at string: StringReference) -> ByteCursor? {
    guard let section = string.section else { return nil }
    return ByteCursor(bytes(section, isAlternate: string.isAlternate), at: string.offset)
  }

  /// The string itself; empty for none.
  func string(_ reference: StringReference) -> String {
    guard var cursor = cursor(at: reference) else { return "" }
    return cursor.readCString()
  }
}
