import Platform

/// An abbreviation table as it is written, for rewriting units: ``AbbreviationTable`` is the one for scanning.
struct RawAbbreviations {
  /// One attribute: how it is written, and its value when that is in the table itself.
  struct Attribute {
    var name: UInt16
    var form: UInt16
    var constant: Int64 = 0
  }

  /// One declaration.
  struct Entry {
    var tag: UInt64
    var hasChildren: Bool
    var attributes: [Attribute]
  }

  private(set) var entries: [UInt64: Entry] = [:]
  private(set) var order: [UInt64] = []

  /// Reads the table at `offset`; it ends early where it breaks.
  init(_ bytes: RawSpan, at offset: Int) {
    var cursor = ByteCursor(bytes, at: offset)
    while !cursor.hasFailed, entries.count < 1 << 16 {
      let code = cursor.readULEB128()
      guard code != 0, !cursor.hasFailed else { return }
      var entry = Entry(tag: cursor.readULEB128(), hasChildren: cursor.readUInt8() != 0, attributes: [])
      while !cursor.hasFailed {
        let name = UInt16(truncatingIfNeeded: cursor.readULEB128())
        let form = UInt16(truncatingIfNeeded: cursor.readULEB128())
        let constant = form == DwarfForm.implicitConstant ? cursor.readSLEB128() : 0
        if name == 0 && form == 0 { break }
        entry.attributes.append(Attribute(name: name, form: form, constant: constant))
      }
      if entries.updateValue(entry, forKey: code) == nil { order.append(code) }
    }
  }

  /// The table's bytes with `replacement` in the place of the declaration of `code`.
  func encoded(replacing code: UInt64, by replacement: Entry) -> [UInt8] {
    var writer = ByteWriter()
    for known in order {
      guard let entry = known == code ? replacement : entries[known] else { continue }
      writer.writeULEB128(known)
      writer.writeULEB128(entry.tag)
      writer.write(UInt8(entry.hasChildren ? 1 : 0))
      for attribute in entry.attributes {
        writer.writeULEB128(UInt64(attribute.name))
        writer.writeULEB128(UInt64(attribute.form))
        if attribute.form == DwarfForm.implicitConstant { writer.writeSLEB128(attribute.constant) }
      }
      writer.write(UInt16(0))
    }
    writer.write(UInt8(0))
    return writer.bytes
  }
}

extension ByteCursor {
  /// Steps over a value of `form`; an unknown form fails.
  @_lifetime(self: copy self)
  mutating func skip(form: UInt16, _ key: AbbreviationTable.Key) {
    switch FormWidth(form, key) {
    case .bytes(let count): skip(count)
    case .leb128: skipLEB128()
    case .cString: skipCString()
    case .block(0): skip(readULEB128())
    case .block(let width): skip(readUnsigned(byteCount: width))
    case .indirect: skip(form: UInt16(truncatingIfNeeded: readULEB128()), key)
    case nil: skip(Int.max)
    }
  }
}
