import Platform

// The index file, little endian throughout:
//
//     header      magic, version, checksum, byte count, stamp, flags
//     directory   for each table: offset of its first record, number of records
//     tables      fixed-size records, sorted by name; a name is an offset into the string table. The last three, in
//                 the order of `.debug_info`, are what it takes to unpack parts of that section
//
// The reader trusts nothing: a file that does not fit its own header is ignored and built again.

/// The tables of an index, in the order of the directory.
enum IndexTable: Int, CaseIterable {
  case strings, functions, addressOrder, inlines, inlineUnits, units, variables, types, enumerators
  case stretches, windows, unitFronts

  /// Bytes of one record.
  var recordByteCount: Int {
    switch self {
    case .strings: 1
    case .functions: FunctionRecord.byteCount
    case .addressOrder, .inlineUnits: 4
    case .inlines: InlineRecord.byteCount
    case .units: 8
    case .variables: VariableRecord.byteCount
    case .types: TypeRecord.byteCount
    case .enumerators: EnumeratorRecord.byteCount
    case .stretches: 32
    case .windows: PackedStretch.windowByteCount
    case .unitFronts: 8 + UnitFront.byteCount
    }
  }
}

/// Offsets of the header's fields.
enum IndexHeader {
  static let magic: UInt64 = 0x5844_4965_6361_7274  // "traceIDX"
  /// Raise it whenever a record changes, or what the scanner puts into one.
  static let version: UInt32 = 11
  static let versionOffset = 8
  static let flagsOffset = 12
  static let checksumOffset = 16
  static let byteCountOffset = 24
  static let stampOffset = 32
  static let directoryOffset = 40
  static let byteCount = directoryOffset + IndexTable.allCases.count * 16
  /// The checksum covers everything after itself.
  static let checksumStart = 24

  /// There was DWARF to index, not just symbols.
  static let hasDebugInfo: UInt32 = 1
  /// Units refer to each other's functions, so that instances of one may be in any unit.
  static let hasForeignOrigins: UInt32 = 2
}

/// A place where a function's code begins.
struct FunctionRecord {
  static let byteCount = 48

  var name: UInt32
  var linkageName: UInt32
  /// `namespace::class`, or 0.
  var scope: UInt32
  var file: UInt32
  var line: UInt32
  var flags: Flags
  var entry: UInt64
  var end: UInt64
  /// A ``DIEReference``; 0 for a symbol without DWARF.
  var die: UInt64

  struct Flags: OptionSet {
    let rawValue: UInt32
    /// DW_AT_external.
    static let external = Flags(rawValue: 1)
    /// In the dynamic symbol table.
    static let exported = Flags(rawValue: 2)
    /// Variables are in place only after the prologue.
    static let needsPrologue = Flags(rawValue: 4)
    /// The name is a symbol's; DWARF calls the function otherwise.
    static let alias = Flags(rawValue: 8)
  }
}

/// A function that was inlined somewhere.
struct InlineRecord {
  static let byteCount = 24

  var name: UInt32
  var scope: UInt32
  var file: UInt32
  var line: UInt32
  /// The units that know it: a range of the table `inlineUnits`.
  var firstUnit: UInt32
  var unitCount: UInt32
}

/// A global variable.
struct VariableRecord {
  static let byteCount = 24

  var name: UInt32
  var linkageName: UInt32
  var scope: UInt32
  /// DW_AT_name of its unit; 0 for a constant that several units have.
  var unitName: UInt32
  var die: UInt64
}

/// A complete type.
struct TypeRecord {
  static let byteCount = 24

  var name: UInt32
  var scope: UInt32
  var tag: UInt32
  var die: UInt64
}

/// A constant of an enumeration.
struct EnumeratorRecord {
  static let byteCount = 24

  var name: UInt32
  var value: Int64
  var enumeration: UInt64
}
