import Platform
import TargetModel

/// What the dynamic linker reads of a file (gABI, “Dynamic Section”).
package struct ELFDynamic: Hashable, Sendable {
  /// DT_NEEDED, in order.
  package var needed: [String] = []
  package var soname: String?
  /// DT_RUNPATH, split at colons, `$ORIGIN` unexpanded.
  package var runpath: [String] = []
  /// DT_RPATH, the same; ignored by the linker when there is a runpath.
  package var rpath: [String] = []
  /// All entries as they are: tag and value.
  package var entries: [Entry] = []

  /// One `d_tag`, `d_un` pair.
  package struct Entry: Hashable, Sendable {
    package var tag: Int64
    package var value: UInt64
  }

  /// The value of the first entry with that tag.
  package func value(of tag: Int64) -> UInt64? { entries.first { $0.tag == tag }?.value }
}

extension ELFFile {
  /// PT_INTERP: the path of the dynamic linker.
  package var interpreter: String? {
    guard let segment = segments.first(where: { $0.type == ELFConstant.segmentInterpreter }),
      let bytes = try? image.slice(offset: segment.fileOffset, count: segment.fileByteCount)
    else { return nil }
    return bytes.span.string(at: 0)
  }

  /// The dynamic entries, from PT_DYNAMIC, which stripping of sections cannot remove; nil in static files.
  package var dynamic: ELFDynamic? {
    guard let segment = segments.first(where: { $0.type == ELFConstant.segmentDynamic }),
      let bytes = try? image.slice(offset: segment.fileOffset, count: segment.fileByteCount)
    else { return nil }
    var result = ELFDynamic()
    result.entries = dynamicEntries(bytes.span)
    guard let strings = dynamicStrings(result) else { return result }
    func text(_ entry: ELFDynamic.Entry) -> String? {
      Int(exactly: entry.value).flatMap { strings.span.string(at: $0) }
    }
    for entry in result.entries {
      switch entry.tag {
      case 1: if let name = text(entry) { result.needed.append(name) }
      case 14: result.soname = text(entry)
      case 15: result.rpath = splitPath(text(entry))
      case 29: result.runpath = splitPath(text(entry))
      default: break
      }
    }
    return result
  }

  private func dynamicEntries(_ bytes: RawSpan) -> [ELFDynamic.Entry] {
    var entries: [ELFDynamic.Entry] = []
    var reader = ByteReader(bytes)
    let word = header.addressByteCount
    while let tag = try? reader.readUnsigned(byteCount: word), tag != 0,
      let value = try? reader.readUnsigned(byteCount: word)
    {
      let signed = header.is64Bit ? Int64(bitPattern: tag) : Int64(Int32(truncatingIfNeeded: tag))
      entries.append(ELFDynamic.Entry(tag: signed, value: value))
    }
    return entries
  }

  /// DT_STRTAB and DT_STRSZ.
  private func dynamicStrings(_ dynamic: ELFDynamic) -> SharedBytes? {
    guard let address = dynamic.value(of: 5), let offset = fileOffset(of: LinkAddress(address)) else {
      return nil
    }
    return try? image.slice(offset: offset.raw, count: dynamic.value(of: 10) ?? 0)
  }
}

private func splitPath(_ text: String?) -> [String] {
  (text ?? "").split(separator: ":").map(String.init)
}
