import Platform

/// The file table of one line program (DWARF 5, section 6.2.4; DWARF 4, section 6.2.4).
struct LineFiles {
  /// A file as the table names it: directory and name still apart.
  struct File: Hashable {
    /// Of the unit's compilation; what a relative `directory` is relative to.
    var base: StringReference
    var directory: StringReference
    var name: StringReference
  }

  private(set) var files: ContiguousArray<File> = []
  private let firstIndex: Int

  /// More files than any unit has.
  private static let mostFiles = 1 << 17

  /// Reads the table of the unit; empty when there is none or it is broken.
  init(of unit: UnitContext, _ sources: DwarfSections) {
    let isAlternate = unit.header.section.isAlternate
    var cursor = ByteCursor(sources.bytes(.line, isAlternate: isAlternate), at: unit.statementList ?? -1)
    var offsetSize = 4
    if cursor.readUInt32() == 0xffff_ffff {
      cursor.skip(8)
      offsetSize = 8
    }
    let version = cursor.readUInt16()
    firstIndex = version >= 5 ? 0 : 1
    guard !cursor.hasFailed, (2...5).contains(version) else { return }
    if version >= 5 { cursor.skip(2) }
    cursor.skip(offsetSize)
    cursor.skip(version >= 4 ? 5 : 4)
    let opcodeBase = Int(cursor.readUInt8())
    cursor.skip(max(opcodeBase - 1, 0))
    var reader = TableReader(unit: unit, isAlternate: isAlternate, offsetSize: offsetSize)
    files = version >= 5 ? reader.readNew(&cursor, Self.mostFiles) : reader.readOld(&cursor, Self.mostFiles)
  }

  /// The file that DW_AT_decl_file or a line row means by `index`.
  subscript(_ index: Int) -> File? {
    let place = index - firstIndex
    return files.indices.contains(place) ? files[place] : nil
  }

  private struct TableReader {
    let unit: UnitContext
    let isAlternate: Bool
    let offsetSize: Int

    /// DWARF 2 to 4: strings up to an empty one.
    mutating func readOld(_ cursor: inout ByteCursor, _ most: Int) -> ContiguousArray<File> {
      var directories: ContiguousArray<StringReference> = [.none]
      while let directory = readInline(&cursor), directories.count < most { directories.append(directory) }
      var files: ContiguousArray<File> = []
      while let name = readInline(&cursor), files.count < most {
        let index = Int(clamping: cursor.readULEB128())
        cursor.skipLEB128()
        cursor.skipLEB128()
        let directory = directories.indices.contains(index) ? directories[index] : .none
        files.append(File(base: unit.compilationDirectory, directory: directory, name: name))
      }
      return files
    }

    private func readInline(_ cursor: inout ByteCursor) -> StringReference? {
      let range = cursor.readCStringRange()
      guard !range.isEmpty else { return nil }
      return StringReference(.line, isAlternate: isAlternate, offset: UInt64(range.lowerBound))
    }

    /// DWARF 5: two tables that describe their own columns.
    mutating func readNew(_ cursor: inout ByteCursor, _ most: Int) -> ContiguousArray<File> {
      let directories = readTable(&cursor, most)
      return ContiguousArray(
        readTable(&cursor, most).map { row in
          let index = row.directory
          let directory = directories.indices.contains(index) ? directories[index].name : .none
          return File(base: unit.compilationDirectory, directory: directory, name: row.name)
        }
      )
    }

    private func readTable(
      _ cursor: inout ByteCursor,
      _ most: Int
    ) -> ContiguousArray<(name: StringReference, directory: Int)> {
      var columns: [(content: UInt64, form: UInt16)] = []
      for _ in 0..<cursor.readUInt8() {
        let content = cursor.readULEB128()
        columns.append((content, UInt16(truncatingIfNeeded: cursor.readULEB128())))
      }
      let count = min(Int(clamping: cursor.readULEB128()), most)
      var rows: ContiguousArray<(name: StringReference, directory: Int)> = []
      guard !columns.isEmpty else { return rows }
      while rows.count < count && !cursor.hasFailed {
        var row = (name: StringReference.none, directory: 0)
        for column in columns {
          let value = readValue(&cursor, column.form)
          if column.content == 1 { row.name = value.string }
          if column.content == 2 { row.directory = Int(clamping: value.number) }
        }
        rows.append(row)
      }
      return rows
    }

    /// A cell: the forms that DWARF 5, section 6.2.4.1 allows.
    private func readValue(
      _ cursor: inout ByteCursor,
      _ form: UInt16
    ) -> (number: UInt64, string: StringReference) {
      switch form {
      case DwarfForm.string:
        let range = cursor.readCStringRange()
        return (0, StringReference(.line, isAlternate: isAlternate, offset: UInt64(range.lowerBound)))
      case DwarfForm.lineStringPointer:
        let offset = cursor.readUnsigned(byteCount: offsetSize)
        return (0, StringReference(.lineStrings, isAlternate: isAlternate, offset: offset))
      case DwarfForm.stringPointer:
        let offset = cursor.readUnsigned(byteCount: offsetSize)
        return (0, StringReference(.strings, isAlternate: isAlternate, offset: offset))
      case DwarfForm.stringPointerSupplement, DwarfForm.gnuStringPointerAlternate:
        let offset = cursor.readUnsigned(byteCount: offsetSize)
        return (0, StringReference(.strings, isAlternate: true, offset: offset))
      case DwarfForm.unsigned: return (cursor.readULEB128(), .none)
      case DwarfForm.data1: return (UInt64(cursor.readUInt8()), .none)
      case DwarfForm.data2: return (UInt64(cursor.readUInt16()), .none)
      case DwarfForm.data4: return (UInt64(cursor.readUInt32()), .none)
      case DwarfForm.data8: return (cursor.readUInt64(), .none)
      case DwarfForm.data16: cursor.skip(16)
      case DwarfForm.block: cursor.skip(cursor.readULEB128())
      default: cursor.skip(Int.max)
      }
      return (0, .none)
    }
  }
}
