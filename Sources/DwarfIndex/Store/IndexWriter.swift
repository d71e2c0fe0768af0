import Platform

extension IndexBuilder {
  /// The file: header, directory, tables.
  func bytes(stamp: UInt64) -> [UInt8] {
    var writer = ByteWriter(reserving: estimatedByteCount)
    writer.write(IndexHeader.magic)
    writer.write(IndexHeader.version)
    writer.write(flags)
    writer.write(UInt64(0))  // checksum, patched below
    writer.write(UInt64(0))  // byte count, patched below
    writer.write(stamp)
    writer.write([UInt8](repeating: 0, count: IndexHeader.byteCount - writer.count))
    for table in IndexTable.allCases {
      writer.align(to: 8)
      let start = writer.count
      let count = write(table, to: &writer)
      let entry = IndexHeader.directoryOffset + table.rawValue * 16
      writer.patch(UInt64(start), at: entry)
      writer.patch(UInt64(count), at: entry + 8)
    }
    writer.patch(UInt64(writer.count), at: IndexHeader.byteCountOffset)
    let checksum = writer.bytes.rawSpan.crc64(from: IndexHeader.checksumStart)
    writer.patch(checksum, at: IndexHeader.checksumOffset)
    return writer.bytes
  }

  private var estimatedByteCount: Int {
    strings.bytes.count + functions.count * (FunctionRecord.byteCount + 4) + inlines.count * 24
      + inlineUnits.count * 4 + units.count * 8
      + (variables.count + types.count + enumerators.count) * 24 + accessByteCount + 4096
  }

  private var accessByteCount: Int {
    (access?.stretches.count ?? 0) * (32 + PackedStretch.windowByteCount)
      + (access?.fronts.count ?? 0) * (8 + UnitFront.byteCount)
  }

  /// Appends the records of one table.
  /// - Returns: how many.
  private func write(_ table: IndexTable, to writer: inout ByteWriter) -> Int {
    switch table {
    case .strings:
      writer.write(strings.bytes)
      return strings.bytes.count
    case .functions: return write(functions, to: &writer) { $0.append(to: &$1) }
    case .addressOrder:
      var keys = functions.indices.map { (entry: functions[$0].entry, index: UInt32(clamping: $0)) }
      keys.sort { ($0.entry, $0.index) < ($1.entry, $1.index) }
      writer.write(keys.map(\.index))
      return keys.count
    case .inlines: return write(inlines, to: &writer) { $0.append(to: &$1) }
    case .inlineUnits:
      writer.write(Array(inlineUnits))
      return inlineUnits.count
    case .units:
      writer.write(Array(units))
      return units.count
    case .variables: return write(variables, to: &writer) { $0.append(to: &$1) }
    case .types: return write(types, to: &writer) { $0.append(to: &$1) }
    case .enumerators: return write(enumerators, to: &writer) { $0.append(to: &$1) }
    case .stretches:
      for stretch in access?.stretches ?? [] { stretch.append(to: &writer) }
      return access?.stretches.count ?? 0
    case .windows:
      // The first stretch begins where the stream does, with nothing before it.
      for stretch in access?.stretches.dropFirst() ?? [] { writer.write(stretch.window) }
      return max(access?.stretches.count ?? 0, 1) - 1
    case .unitFronts:
      for front in access?.fronts ?? [] { front.append(to: &writer) }
      return access?.fronts.count ?? 0
    }
  }

  private func write<Record>(
    _ records: ContiguousArray<Record>,
    to writer: inout ByteWriter,
    _ append: (Record, inout [UInt32]) -> Void
  ) -> Int {
    var words: [UInt32] = []
    words.reserveCapacity(records.count * 12)
    for record in records { append(record, &words) }
    writer.write(words)
    return records.count
  }
}

extension [UInt32] {
  /// The two halves of a 64-bit field, low one first.
  fileprivate mutating func append(_ word: UInt64) {
    append(UInt32(truncatingIfNeeded: word))
    append(UInt32(truncatingIfNeeded: word >> 32))
  }
}

extension PackedStretch {
  fileprivate func append(to writer: inout ByteWriter) {
    writer.write(bitOffset)
    writer.write(UInt64(start))
    writer.write(UInt64(byteCount))
    writer.write(UInt64(checksum))
  }
}

extension UnitFront {
  fileprivate func append(to writer: inout ByteWriter) {
    writer.write(offset)
    writer.write(bytes)
  }
}

extension FunctionRecord {
  fileprivate func append(to words: inout [UInt32]) {
    words.append(name)
    words.append(linkageName)
    words.append(scope)
    words.append(file)
    words.append(line)
    words.append(flags.rawValue)
    words.append(entry)
    words.append(end)
    words.append(die)
  }
}

extension InlineRecord {
  fileprivate func append(to words: inout [UInt32]) {
    words.append(name)
    words.append(scope)
    words.append(file)
    words.append(line)
    words.append(firstUnit)
    words.append(unitCount)
  }
}

extension VariableRecord {
  fileprivate func append(to words: inout [UInt32]) {
    words.append(name)
    words.append(linkageName)
    words.append(scope)
    words.append(unitName)
    words.append(die)
  }
}

extension TypeRecord {
  fileprivate func append(to words: inout [UInt32]) {
    words.append(name)
    words.append(scope)
    words.append(tag)
    words.append(0 as UInt32)
    words.append(die)
  }
}

extension EnumeratorRecord {
  fileprivate func append(to words: inout [UInt32]) {
    words.append(name)
    words.append(0 as UInt32)
    words.append(UInt64(bitPattern: value))
    words.append(enumeration)
  }
}
