import DwarfIndex
import ELF
import Platform
import TargetModel

/// A mapped file, and what was found out about its code.
final class MappedImage {
  let path: String
  let image: ProgramImage
  private var rules: [UInt64: UnwindRules?] = [:]
  private var symbols: [UInt64: (name: String, start: LinkAddress, byteCount: UInt64)?] = [:]
  private var sources: [UInt64: [SourceFrame]] = [:]

  init(path: String, image: ProgramImage) {
    self.path = path
    self.image = image
  }

  func unwindRules(at address: LinkAddress) -> UnwindRules? {
    if let known = rules[address.raw] { return known }
    let found = image.unwindRules(at: address)
    rules[address.raw] = .some(found)
    return found
  }

  func symbol(containing address: LinkAddress) -> (name: String, start: LinkAddress, byteCount: UInt64)? {
    if let known = symbols[address.raw] { return known }
    var found = image.symbol(containing: address)
    if let name = found.flatMap({ SymbolName($0.name) }) { found?.name = name.full }
    symbols[address.raw] = .some(found)
    return found
  }

  func sourceFrames(at address: LinkAddress) -> [SourceFrame] {
    if let known = sources[address.raw] { return known }
    let found = image.sourceFrames(at: address)
    sources[address.raw] = found
    return found
  }
}

/// The files behind mappings, each opened once.
final class ImageCache {
  /// What tells files apart: the same path may be another file in another process, or after an upgrade.
  private struct Key: Hashable {
    var path: String
    var inode: UInt64
    var deviceMajor: UInt32
    var deviceMinor: UInt32
  }

  private var images: [Key: MappedImage?] = [:]

  /// The file of `region` in the process `pid`; nil when it is none, or is there no more.
  func image(of region: MappedRegion, pid: Int32) -> MappedImage? {
    guard region.isFile else { return nil }
    let key = Key(
      path: region.path,
      inode: region.inode,
      deviceMajor: region.deviceMajor,
      deviceMinor: region.deviceMinor
    )
    if let known = images[key] { return known }
    let found = open(region, pid)
    images[key] = .some(found)
    return found
  }

  /// By its path as we see it, by its path as the process sees it, or through the mapping of a living process; never
  /// another file that has got the path since.
  ///
  /// In that order: much of a file is read when it is asked for, and the process may be gone then.
  private func open(_ region: MappedRegion, _ pid: Int32) -> MappedImage? {
    let digits = [region.start, region.end].map { String($0, radix: 16) }.joined(separator: "-")
    let candidates: [(root: String, path: String, isElsewhere: Bool)] = [
      ("", region.path, false), ("/proc/\(pid)/root", region.path, true), ("", region.path, true),
      ("", "/proc/\(pid)/map_files/\(digits)", true),
    ]
    for candidate in candidates {
      // Some file systems report another device for a mapping than for the file (btrfs).
      guard let status = try? FileStatus(of: candidate.root + candidate.path), status.inode == region.inode,
        candidate.isElsewhere || status.device(isThatOf: region),
        let image = try? ProgramImage(path: candidate.path, root: candidate.root)
      else { continue }
      return MappedImage(path: region.path, image: image)
    }
    return nil
  }
}

extension FileStatus {
  fileprivate func device(isThatOf region: MappedRegion) -> Bool {
    deviceMajor == region.deviceMajor && deviceMinor == region.deviceMinor
  }
}

extension MappedRegion {
  /// Where the byte at `address` is in the file.
  func fileOffset(of address: UInt64) -> FileOffset { FileOffset(address &- start &+ fileOffset) }
}
