import Glibc
import Synchronization

/// A packed section with all that is needed to unpack parts of it.
package struct PartedSection: Sendable {
  /// A zlib stream.
  package var packed: SharedBytes
  /// Unpacked.
  package var byteCount: Int
  /// From the first byte to the last one.
  package var stretches: [PackedStretch]
  /// Bytes that are known without unpacking, by their offset.
  package var known: [Known]

  package struct Known: Sendable {
    package var offset: Int
    package var bytes: [UInt8]

    package init(offset: Int, bytes: [UInt8]) {
      self.offset = offset
      self.bytes = bytes
    }
  }

  /// Nil when the stretches do not make up a section of that size, or what is known lies outside of it.
  package init?(packed: SharedBytes, byteCount: Int, stretches: [PackedStretch], known: [Known]) {
    var end = 0
    for stretch in stretches {
      guard stretch.start == end, stretch.byteCount > 0, stretch.byteCount <= byteCount - end else {
        return nil
      }
      end += stretch.byteCount
    }
    guard end == byteCount,
      known.allSatisfy({ $0.offset >= 0 && $0.offset <= end && $0.bytes.count <= end - $0.offset })
    else { return nil }
    self.packed = packed
    self.byteCount = byteCount
    self.stretches = stretches
    self.known = known
  }
}

/// Unpacks the stretches of a section, in memory that is zero before, that somebody is about to read.
// SAFETY: `start` points to `section.byteCount` bytes that live as long as `memory`, which this keeps. They are only
// written with the lock held, each stretch once, before `provide` returns for the first time to who asked for it.
@safe package final class StretchSupply: @unchecked Sendable {
  private let memory: ByteStorage
  private let start: UnsafeMutableRawPointer
  private let section: PartedSection
  private let isThere: Mutex<[Bool]>

  /// Takes `section.byteCount` bytes of `memory` from `start` on, and puts in what is known.
  @unsafe init(_ section: PartedSection, at start: UnsafeMutableRawPointer, in memory: ByteStorage) {
    self.memory = memory
    unsafe self.start = start
    self.section = section
    isThere = Mutex([Bool](repeating: false, count: section.stretches.count))
    for known in section.known { put(known.bytes.rawSpan, at: known.offset) }
  }

  /// Makes sure that the bytes of `range` are there, as far as the section goes.
  package func provide(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    isThere.withLock { isThere in
      var index = section.stretches.countAtStart { $0.range.upperBound <= range.lowerBound }
      while index < section.stretches.count, section.stretches[index].start < range.upperBound {
        if !isThere[index] {
          guard let bytes = InflateStream.unpack(section.stretches[index], of: section.packed) else {
            provideAll()
            for index in isThere.indices { isThere[index] = true }
            return
          }
          put(bytes.rawSpan, at: section.stretches[index].start)
          isThere[index] = true
        }
        index += 1
      }
    }
  }

  /// Unpacks the section from its front; what a damaged one does not have stays zero.
  private func provideAll() {
    var stream = InflateStream(section.packed)
    var offset = 0
    while !stream.isFinished, let piece = try? stream.next(after: SharedBytes([]), byteCount: 1 << 20) {
      let bytes = piece.span.extracting(first: section.byteCount - offset)
      put(bytes, at: offset)
      offset += bytes.byteCount
    }
  }

  /// Bytes that were there are not changed by it: they are put there again.
  private func put(_ bytes: RawSpan, at offset: Int) {
    unsafe bytes.withUnsafeBytes { source in
      guard let first = source.baseAddress else { return }
      unsafe (start + offset).copyMemory(from: first, byteCount: source.count)
    }
  }
}
