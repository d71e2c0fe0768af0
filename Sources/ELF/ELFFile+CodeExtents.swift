import Platform
package import TargetModel

extension ELFFile {
  /// How many bytes of code begin at `address` and belong together, by the table of call frames (`.eh_frame_hdr`); nil where
  /// it knows of none that begin exactly there.
  ///
  /// Compilers write an entry for each function and for each part of one that lies elsewhere, whether there are symbols or
  /// not.
  package func codeByteCount(at address: LinkAddress) -> UInt64? {
    guard let table = FrameTable(self) else { return nil }
    let index = table.firstIndex(from: address)
    return table.start(at: index) == address ? table.byteCount(at: index, in: self) : nil
  }

  /// Where code begins that lies at most `distance` bytes before or behind `address`, by the same table.
  package func codeStarts(near address: LinkAddress, within distance: UInt64) -> [LinkAddress] {
    guard let table = FrameTable(self) else { return [] }
    let (first, isBelow) = address.raw.subtractingReportingOverflow(distance)
    var index = table.firstIndex(from: LinkAddress(isBelow ? 0 : first))
    var starts: [LinkAddress] = []
    while let start = table.start(at: index), start < address || start.raw - address.raw <= distance {
      starts.append(start)
      index += 1
    }
    return starts
  }

  /// Whether stubs of the procedure linkage table are at `address`: code that jumps into other files.
  package func isLinkage(_ address: LinkAddress) -> Bool {
    sections.contains {
      $0.name.hasPrefix(".plt") && $0.isAllocated && address >= $0.address
        && address.raw - $0.address.raw < $0.byteCount
    }
  }
}

/// The table of call frames: where each piece of code begins, sorted, and where its entry is.
///
/// Source: Linux Standard Base 5.0, Core, sections 10.6.1 and 10.6.2; only the encodings that linkers use.
private struct FrameTable {
  private let bytes: SharedBytes
  private let base: LinkAddress
  private let count: Int

  init?(_ file: ELFFile) {
    guard let section = file.section(named: ".eh_frame_hdr"), let bytes = try? file.contents(of: section)
    else {
      return nil
    }
    // Version 1; the encodings of the section's address (not needed), the count (4 bytes) and the table (signed 4 bytes
    // from the header's start).
    let header = bytes.span
    guard header.byte(at: 0) == 1, header.byte(at: 2) == 0x03, header.byte(at: 3) == 0x3b,
      let count = header.load(at: 8, as: UInt32.self)
    else { return nil }
    self.bytes = bytes
    base = section.address
    self.count = min(Int(count), max(0, header.byteCount - 12) / 8)
  }

  /// The first entry whose code begins at `address` or behind it.
  func firstIndex(from address: LinkAddress) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      guard let found = start(at: middle) else { return count }
      if found < address { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func start(at index: Int) -> LinkAddress? { word(index, 0) }

  /// How long the code of an entry is: after its own length and its CIE comes where the code begins, counted from there,
  /// and its length.
  func byteCount(at index: Int, in file: ELFFile) -> UInt64? {
    guard let entry = word(index, 4), let record = file.bytes(at: entry, upTo: 16),
      let length = record.span.load(at: 0, as: UInt32.self), length >= 12, length != .max,
      let distance = record.span.load(at: 8, as: Int32.self),
      let count = record.span.load(at: 12, as: UInt32.self),
      entry.advanced(by: 8 + Int64(distance)) == start(at: index)
    else { return nil }
    return UInt64(count)
  }

  private func word(_ index: Int, _ offset: Int) -> LinkAddress? {
    guard index >= 0, index < count else { return nil }
    return bytes.span.load(at: 12 + 8 * index + offset, as: Int32.self).map { base.advanced(by: Int64($0)) }
  }
}
