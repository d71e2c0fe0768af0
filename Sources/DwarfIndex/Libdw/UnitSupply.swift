import ELF
import Platform

/// Sees to it that the units are there that libdw is about to read, in a `.debug_info` of which parts are unpacked.
struct UnitSupply: Sendable {
  private let supply: StretchSupply
  /// Where units begin, in order.
  private let starts: [UInt64]
  private let byteCount: Int

  /// - Parameter starts: where units begin, in order.
  init(_ supply: StretchSupply, starts: [UInt64], byteCount: Int) {
    self.supply = supply
    self.starts = starts
    self.byteCount = byteCount
  }

  /// Unpacks what the unit lies in that `offset` is in.
  func provideUnit(holding offset: UInt64) {
    let index = starts.countAtStart { $0 <= offset } - 1
    guard index >= 0, let start = Int(exactly: starts[index]), start < byteCount else { return }
    let end = index + 1 < starts.count ? Int(clamping: starts[index + 1]) : byteCount
    if start < end { supply.provide(start..<min(end, byteCount)) }
  }
}

extension UnitAccess {
  /// The section with what is needed to unpack parts of it; nil when this is not about it.
  func section(_ packed: PackedSection) -> PartedSection? {
    // Units follow one another; libdw finds the next one by the length in a header.
    guard fronts.first?.offset == 0, zip(fronts, fronts.dropFirst()).allSatisfy({ $0.offset < $1.offset })
    else {
      return nil
    }
    var known: [PartedSection.Known] = []
    for (index, front) in fronts.enumerated() {
      guard let offset = Int(exactly: front.offset), offset < packed.byteCount else { return nil }
      let end = index + 1 < fronts.count ? Int(clamping: fronts[index + 1].offset) : packed.byteCount
      guard offset < end else { return nil }
      known.append(PartedSection.Known(offset: offset, bytes: Array(front.bytes.prefix(end - offset))))
    }
    return PartedSection(
      packed: packed.bytes,
      byteCount: packed.byteCount,
      stretches: stretches,
      known: known
    )
  }
}
