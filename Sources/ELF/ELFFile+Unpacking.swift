package import Platform

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

  /// How the bytes of a section are kept.
  private enum Packing {
    case plain
    case zlib(PackedSection)
    case zstd(PackedSection)
  }

  /// The stream of a zlib section, for who reads it once from front to back; nil for any other section.
  package func zlibStream(ofSectionNamed name: String) -> PackedSection? {
    guard let section = section(named: name), !section.hasNoBits,
      let stored = try? storedContents(of: section),
      case .zlib(let packed) = try? packing(of: section, stored)
    else { return nil }
    return packed
  }

  /// The size of a section when it is unpacked; 0 when there is none.
  package func unpackedByteCount(ofSectionNamed name: String) -> Int {
    guard let section = section(named: name), !section.hasNoBits,
      let stored = try? storedContents(of: section), let packing = try? packing(of: section, stored)
    else { return 0 }
    return switch packing {
    case .plain: stored.count
    case .zlib(let packed), .zstd(let packed): packed.byteCount
    }
  }

  /// Unpacks a section with SHF_COMPRESSED or the older `.zdebug_` form.
  func unpack(_ stored: SharedBytes, of section: ELFSection) throws(ELFError) -> SharedBytes {
    do throws(ByteError) {
      switch try packing(of: section, stored) {
      case .plain: return stored
      case .zlib(let packed): return try Zlib.inflate(packed.bytes, byteCount: packed.byteCount)
      case .zstd(let packed):
        guard Zstd.isAvailable else { break }
        return try Zstd.decompress(packed.bytes.span, byteCount: packed.byteCount)
      case nil: break
      }
    } catch {
      throw malformed("section '\(section.name)' does not unpack")
    }
    let type = stored.span.load(at: 0, as: UInt32.self) ?? 0
    let name = type == Self.zstd ? "zstd, and there is no libzstd.so.1" : "type \(type)"
    throw .unsupported(path: path, what: "section '\(section.name)' is compressed with \(name)")
  }

  /// Reads the header of a section with SHF_COMPRESSED (gABI, “Section Compression”) or of the older form; nil for
  /// a way to pack that nobody knows.
  private func packing(of section: ELFSection, _ stored: SharedBytes) throws(ByteError) -> Packing? {
    guard section.isCompressed else {
      // “ZLIB” and a big-endian size; without them the section was never packed.
      guard section.name.hasPrefix(".zdebug_") else { return .plain }
      var reader = ByteReader(stored.span, order: .big)
      guard try reader.read(UInt32.self) == 0x5a4c_4942 else { return .plain }
      return .zlib(try PackedSection(stored, from: 12, byteCount: try reader.read(UInt64.self)))
    }
    var reader = ByteReader(stored.span)
    let type = try reader.read(UInt32.self)
    if header.is64Bit { try reader.skip(4) }  // ch_reserved
    let byteCount = try reader.readUnsigned(byteCount: header.addressByteCount)
    try reader.skip(header.addressByteCount)  // ch_addralign
    let packed = try PackedSection(stored, from: header.is64Bit ? 24 : 12, byteCount: byteCount)
    switch type {
    case Self.zlib: return .zlib(packed)
    case Self.zstd: return .zstd(packed)
    default: return nil
    }
  }
}

/// The stream that a section was packed to.
package struct PackedSection: Sendable {
  package let bytes: SharedBytes
  /// How large the section says that it is unpacked.
  package let byteCount: Int

  init(_ stored: SharedBytes, from offset: Int, byteCount: UInt64) throws(ByteError) {
    guard let byteCount = Int(exactly: byteCount) else { throw .badCompression(offset: 0) }
    bytes = try stored.slice(offset: offset, count: stored.count - offset)
    self.byteCount = byteCount
  }
}
