import Platform

/// The header of `.BTF` (Linux, Documentation/bpf/btf.rst, section 2): where types and strings lie.
package struct BTFHeader: Hashable, Sendable {
  /// From the start of the header, as are the offsets below.
  package var typeOffset: Int
  package var typeByteCount: Int
  package var stringOffset: Int
  package var stringByteCount: Int

  /// Reads the first 24 bytes.
  /// - Throws: ``BTFError`` when they are no header.
  package init(_ bytes: RawSpan) throws(BTFError) {
    var reader = ByteReader(bytes)
    guard let magic = try? reader.read(UInt16.self) else { throw .badHeader }
    guard magic == 0xeb9f else { throw .badMagic(magic) }
    guard (try? reader.read(UInt16.self)) != nil, let headerByteCount = try? reader.read(UInt32.self),
      let types = try? reader.read(UInt32.self), let typeCount = try? reader.read(UInt32.self),
      let strings = try? reader.read(UInt32.self), let stringCount = try? reader.read(UInt32.self),
      typeCount % 4 == 0
    else { throw .badHeader }
    typeOffset = Int(headerByteCount) + Int(types)
    typeByteCount = Int(typeCount)
    stringOffset = Int(headerByteCount) + Int(strings)
    stringByteCount = Int(stringCount)
  }
}
