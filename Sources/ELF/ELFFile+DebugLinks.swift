import Platform
package import TargetModel

/// `.gnu_debuglink`: the separate debug file by name and checksum (GDB manual, “Separate Debug Files”).
package struct DebugLink: Hashable, Sendable {
  package let name: String
  package let crc32: UInt32
}

/// `.gnu_debugaltlink`: the file that dwz moved shared parts to, by path and build ID.
package struct DebugAltLink: Hashable, Sendable {
  package let path: String
  package let buildID: BuildID
}

extension ELFFile {
  /// What `.gnu_debuglink` says.
  package var debugLink: DebugLink? {
    guard let bytes = try? contents(ofSectionNamed: ".gnu_debuglink") else { return nil }
    var reader = ByteReader(bytes.span)
    guard let name = try? reader.readString(), !name.isEmpty else { return nil }
    reader.align(to: 4)
    guard let crc = try? reader.read(UInt32.self) else { return nil }
    return DebugLink(name: name, crc32: crc)
  }

  /// What `.gnu_debugaltlink` says.
  package var debugAltLink: DebugAltLink? {
    guard let bytes = try? contents(ofSectionNamed: ".gnu_debugaltlink") else { return nil }
    var reader = ByteReader(bytes.span)
    guard let path = try? reader.readString(), !path.isEmpty else { return nil }
    guard let rest = try? reader.readBytes(reader.remaining) else { return nil }
    return DebugAltLink(path: path, buildID: BuildID(rest.copied()))
  }

  /// The file in `.gnu_debugdata`: function symbols that were stripped (GDB manual, “Debugging information in a
  /// special section”).
  package var miniDebugInfo: ELFFile? {
    guard let packed = try? contents(ofSectionNamed: ".gnu_debugdata"),
      let bytes = XZ.unpack(packed.span)
    else { return nil }
    return try? ELFFile(SharedBytes(bytes), path: path)
  }

  /// Whether it has DWARF of its own.
  package var hasDebugInfo: Bool {
    guard let section = section(named: ".debug_info") else { return false }
    return !section.hasNoBits && section.byteCount > 0
  }
}
