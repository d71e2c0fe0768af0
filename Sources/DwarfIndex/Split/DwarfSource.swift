import ELF
import Platform
import Synchronization

/// The file that DIEs are read from: the debug file or, when its units are split, what puts them back together.
///
/// Looked at when the first question comes: a program whose index is in the cache may not need it.
final class DwarfSource: Sendable {
  private let main: ELFFile?
  private let path: String
  private let root: String
  private let found = Mutex<SplitFinder?>(nil)

  /// - Parameter main: the file with DWARF, if any.
  init(_ main: ELFFile?, path: String, root: String) {
    self.main = main
    self.path = path
    self.root = root
  }

  /// Nil when there is no debug info.
  var file: ELFFile? { main.map { split($0).merged ?? $0 } }

  /// The same for libdw.
  /// - Parameter access: how single units of a packed `.debug_info` can be unpacked, asked for where it helps.
  func input(_ access: () -> UnitAccess?) -> DwarfSession.Input? {
    guard let main else { return nil }
    if let merged = split(main).merged { return .image(merged.image) }
    // libdw unpacks with zlib, one section after the other: 2 s for a libjvm.so.
    guard main.hasLargePackedDebugInfo else { return .path(main.path) }
    let access = access()
    let info = main.zlibStream(ofSectionNamed: ".debug_info").flatMap { access?.section($0) }
    guard let unpacked = main.unpackedDebugSections(info: info) else { return .path(main.path) }
    guard let supply = unpacked.supply, let info, let access else { return .plainImage(unpacked.bytes, nil) }
    let starts = access.fronts.map(\.offset)
    return .plainImage(unpacked.bytes, UnitSupply(supply, starts: starts, byteCount: info.byteCount))
  }

  /// Whether no unit's details are missing.
  var isComplete: Bool { main.map { split($0).isComplete } ?? true }

  /// Where split units were looked for.
  var report: [String] { main.map { split($0).report } ?? [] }

  private func split(_ main: ELFFile) -> SplitFinder {
    found.withLock { found in
      if let found { return found }
      let finder = SplitFinder(main, path: path, root: root)
      found = finder
      return finder
    }
  }
}
