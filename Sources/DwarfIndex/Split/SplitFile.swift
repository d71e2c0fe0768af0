import ELF
import Platform

/// The sections that the numbers of a split unit count in.
struct SplitSections {
  var abbreviations = SharedBytes([])
  /// `.debug_loc.dwo` or, of DWARF 5, `.debug_loclists.dwo`.
  var locations = SharedBytes([])
  var rangeLists = SharedBytes([])
  var stringOffsets = SharedBytes([])
  var strings = SharedBytes([])
  /// Equal for units that share all of these.
  var key = 0
}

/// A unit that the compiler left out of the program.
struct SplitUnit {
  /// Its header and DIEs.
  var info: SharedBytes
  var isTypeSection: Bool
  var sections: SplitSections
}

/// A file with split units: `.dwo` beside an object, or `.dwp` beside a program (DWARF 5, sections 7.3.2, 7.3.5).
struct SplitFile {
  private let file: ELFFile
  private let key: Int

  /// - Parameter key: a number that no other file has, less than 2^20.
  init(_ file: ELFFile, key: Int) {
    self.file = file
    self.key = key
  }

  private func section(_ name: String) -> SharedBytes {
    (try? file.contents(ofSectionNamed: name)) ?? SharedBytes([])
  }

  /// Every unit of a `.dwo` file.
  func allUnits() -> [SplitUnit] {
    let new = section(".debug_loclists.dwo")
    let sections = SplitSections(
      abbreviations: section(".debug_abbrev.dwo"),
      locations: new.isEmpty ? section(".debug_loc.dwo") : new,
      rangeLists: section(".debug_rnglists.dwo"),
      stringOffsets: section(".debug_str_offsets.dwo"),
      strings: section(".debug_str.dwo"),
      key: key << 32
    )
    // gcc writes each type into a section of its own, all of the same name.
    return file.sections.flatMap { part -> [SplitUnit] in
      let isTypeSection = part.name == ".debug_types.dwo"
      guard isTypeSection || part.name == ".debug_info.dwo", let bytes = try? file.contents(of: part) else {
        return []
      }
      let place = UnitSection(isTypeSection: isTypeSection)
      return UnitHeader.all(in: bytes.span, section: place).compactMap { unit in
        let info = try? bytes.slice(offset: unit.start, count: unit.end - unit.start)
        return info.map { SplitUnit(info: $0, isTypeSection: isTypeSection, sections: sections) }
      }
    }
  }

  /// The units of a package: those with the given numbers, and every type.
  func packedUnits(numbered isWanted: (UInt64) -> Bool) -> [SplitUnit] {
    let compiled = PackageIndex(section(".debug_cu_index").span)
    let types = PackageIndex(section(".debug_tu_index").span)
    return compiled.rows.filter { isWanted($0.number) }.compactMap { unit($0, of: compiled) }
      + types.rows.compactMap { unit($0, of: types) }
  }

  private func unit(_ row: PackageIndex.Row, of index: PackageIndex) -> SplitUnit? {
    func share(_ name: String, _ column: UInt32) -> SharedBytes {
      guard let place = row.places[column] else { return SharedBytes([]) }
      let share = try? section(name).slice(offset: UInt64(place.offset), count: UInt64(place.byteCount))
      return share ?? SharedBytes([])
    }
    let isNew = index.version >= 5
    let isTypeSection = row.places[PackageIndex.info] == nil
    let info =
      isTypeSection
      ? share(".debug_types.dwo", PackageIndex.types) : share(".debug_info.dwo", PackageIndex.info)
    guard !info.isEmpty else { return nil }
    let sections = SplitSections(
      abbreviations: share(".debug_abbrev.dwo", PackageIndex.abbreviations),
      locations: share(isNew ? ".debug_loclists.dwo" : ".debug_loc.dwo", PackageIndex.locations),
      rangeLists: isNew ? share(".debug_rnglists.dwo", PackageIndex.rangeLists) : SharedBytes([]),
      stringOffsets: share(".debug_str_offsets.dwo", PackageIndex.stringOffsets),
      strings: section(".debug_str.dwo"),
      key: key << 32 | Int(row.places[PackageIndex.stringOffsets]?.offset ?? 0)
    )
    return SplitUnit(info: info, isTypeSection: isTypeSection, sections: sections)
  }
}

/// The index of a package file (DWARF 5, section 7.3.5.3; version 2 is gcc's for DWARF 4).
struct PackageIndex {
  static let info: UInt32 = 1
  static let types: UInt32 = 2
  static let abbreviations: UInt32 = 3
  static let locations: UInt32 = 5
  static let stringOffsets: UInt32 = 6
  static let rangeLists: UInt32 = 8

  /// One unit.
  struct Row {
    /// The number of its skeleton, or its type's signature.
    var number: UInt64
    /// Its share of each section.
    var places: [UInt32: (offset: UInt32, byteCount: UInt32)]
  }

  private(set) var version: UInt32 = 0
  private(set) var rows: [Row] = []

  /// Reads an index; what does not fit leaves it empty.
  init(_ bytes: RawSpan) {
    var cursor = ByteCursor(bytes)
    version = cursor.readUInt32() & 0xffff
    let columnCount = Int(cursor.readUInt32())
    let rowCount = Int(cursor.readUInt32())
    let slotCount = Int(cursor.readUInt32())
    guard !cursor.hasFailed, version == 2 || version == 5, columnCount <= 16, rowCount < 1 << 24,
      slotCount < 1 << 26, rowCount <= slotCount, slotCount * 12 <= bytes.byteCount
    else { return }
    let slots = (0..<slotCount).map { _ in cursor.readUInt64() }
    let positions = (0..<slotCount).map { _ in Int(cursor.readUInt32()) }
    let columns = (0..<columnCount).map { _ in cursor.readUInt32() }
    let cells = rowCount * columnCount
    guard !cursor.hasFailed, cells * 8 <= bytes.byteCount - cursor.offset else { return }
    let offsets = (0..<cells).map { _ in cursor.readUInt32() }
    let byteCounts = (0..<cells).map { _ in cursor.readUInt32() }
    for (number, position) in zip(slots, positions) where position > 0 && position <= rowCount {
      var row = Row(number: number, places: [:])
      for (column, kind) in columns.enumerated() {
        let cell = (position - 1) * columnCount + column
        row.places[kind] = (offsets[cell], byteCounts[cell])
      }
      rows.append(row)
    }
  }
}
