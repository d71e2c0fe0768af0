import Platform

extension ELFFile {
  /// ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD.
  private static let zlib: UInt32 = 1
  private static let zstd: UInt32 = 2

  /// Whether any of its debug sections is compressed in a way that elfutils before 0.189 cannot unpack.
  package var hasZstdDebugInfo: Bool {
    sections.contains { section in
      guard section.isCompressed, section.name.hasPrefix(".debug_") else { return false }
      let stored = try? storedContents(of: section)
      return stored?.span.load(at: 0, as: UInt32.self) == Self.zstd
    }
  }

  /// Unpacks a section with SHF_COMPRESSED (gABI, “Section Compression”) or the older `.zdebug_` form.
  func unpack(_ stored: SharedBytes, of section: ELFSection) throws(ELFError) -> SharedBytes {
    let type = section.isCompressed ? stored.span.load(at: 0, as: UInt32.self) ?? 0 : Self.zlib
    guard type == Self.zlib || type == Self.zstd && Zstd.isAvailable else {
      let name = type == Self.zstd ? "zstd, and there is no libzstd.so.1" : "type \(type)"
      throw .unsupported(path: path, what: "section '\(section.name)' is compressed with \(name)")
    }
    do throws(ByteError) {
      var reader = ByteReader(stored.span)
      let byteCount: UInt64
      if section.isCompressed {
        try reader.skip(header.is64Bit ? 8 : 4)  // ch_type, ch_reserved
        byteCount = try reader.readUnsigned(byteCount: header.addressByteCount)
        try reader.skip(header.addressByteCount)  // ch_addralign
      } else {
        // “ZLIB” and a big-endian size; without them the section was never packed.
        var old = ByteReader(stored.span, order: .big)
        guard try old.read(UInt32.self) == 0x5a4c_4942 else { return stored }
        byteCount = try old.read(UInt64.self)
        try reader.skip(12)
      }
      guard let count = Int(exactly: byteCount) else { throw .badCompression(offset: 0) }
      if type == Self.zstd {
        return try Zstd.decompress(try reader.readBytes(reader.remaining), byteCount: count)
      }
      return try Zlib.inflate(try reader.readBytes(reader.remaining), byteCount: count)
    } catch {
      throw malformed("section '\(section.name)' does not unpack")
    }
  }
}
