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
    let checksum = IndexChecksum.compute(writer.bytes.rawSpan, from: IndexHeader.checksumStart)
    writer.patch(checksum, at: IndexHeader.checksumOffset)
    return writer.bytes
  }

  private var estimatedByteCount: Int {
    strings.bytes.count + functions.count * (FunctionRecord.byteCount + 4) + inlines.count * 24
      + inlineUnits.count * 4 + units.count * 8
      + (variables.count + types.count + enumerators.count) * 24 + 4096
  }

  /// Appends the records of one table.
  /// - Returns: how many.
  private func write(_ table: IndexTable, to writer: inout ByteWriter) -> Int {
    switch table {
    case .strings:
      writer.write(strings.bytes)
      return strings.bytes.count
    case .functions:
      for record in functions { record.write(to: &writer) }
      return functions.count
    case .addressOrder:
      for index in functions.indices.sorted(by: { functions[$0].entry < functions[$1].entry }) {
        writer.write(UInt32(clamping: index))
      }
      return functions.count
    case .inlines:
      for record in inlines { record.write(to: &writer) }
      return inlines.count
    case .inlineUnits:
      for unit in inlineUnits { writer.write(unit) }
      return inlineUnits.count
    case .units:
      for unit in units { writer.write(unit) }
      return units.count
    case .variables:
      for record in variables { record.write(to: &writer) }
      return variables.count
    case .types:
      for record in types { record.write(to: &writer) }
      return types.count
    case .enumerators:
      for record in enumerators { record.write(to: &writer) }
      return enumerators.count
    }
  }
}

/// Tells a damaged file from a whole one; not a defence against someone who can write the cache.
enum IndexChecksum {
  /// Four lanes of multiply and xor over 64-bit words: about as fast as memory.
  static func compute(_ bytes: RawSpan, from start: Int) -> UInt64 {
    var lanes = SIMD4<UInt64>(0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 1)
    let factor = SIMD4<UInt64>(repeating: 0xff51_afd7_ed55_8ccd)
    var cursor = ByteCursor(bytes, at: start)
    while cursor.byteCount - cursor.offset >= 32 {
      let words = SIMD4(cursor.readUInt64(), cursor.readUInt64(), cursor.readUInt64(), cursor.readUInt64())
      lanes = (lanes ^ words) &* factor
      lanes ^= lanes &>> 29
    }
    var rest: UInt64 = UInt64(bytes.byteCount)
    while !cursor.isAtEnd { rest = (rest ^ UInt64(cursor.readUInt8())) &* 0x0000_0100_0000_01b3 }
    for lane in 0..<4 { rest = (rest ^ lanes[lane]) &* 0xff51_afd7_ed55_8ccd }
    return rest ^ rest >> 31
  }
}

extension FunctionRecord {
  fileprivate func write(to writer: inout ByteWriter) {
    for word in [name, linkageName, scope, file, line, flags.rawValue] { writer.write(word) }
    for word in [entry, end, die] { writer.write(word) }
  }
}

extension InlineRecord {
  fileprivate func write(to writer: inout ByteWriter) {
    for word in [name, scope, file, line, firstUnit, unitCount] { writer.write(word) }
  }
}

extension VariableRecord {
  fileprivate func write(to writer: inout ByteWriter) {
    for word in [name, linkageName, scope, unitName] { writer.write(word) }
    writer.write(die)
  }
}

extension TypeRecord {
  fileprivate func write(to writer: inout ByteWriter) {
    for word in [name, scope, tag, 0] { writer.write(word) }
    writer.write(die)
  }
}

extension EnumeratorRecord {
  fileprivate func write(to writer: inout ByteWriter) {
    writer.write(name)
    writer.write(UInt32(0))
    writer.write(value)
    writer.write(enumeration)
  }
}
