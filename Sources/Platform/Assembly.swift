import Dispatch
import Glibc

/// One piece of memory put together from several sources, each where it belongs; packed ones are unpacked in place.
package enum Assembly {
  /// What goes to an offset.
  package struct Part: Sendable {
    package var offset: Int
    /// Of what it takes, unpacked.
    package var byteCount: Int
    package var bytes: SharedBytes
    package var isPacked: Bool

    package init(offset: Int, byteCount: Int, bytes: SharedBytes, isPacked: Bool) {
      self.offset = offset
      self.byteCount = byteCount
      self.bytes = bytes
      self.isPacked = isPacked
    }
  }

  /// A section that is unpacked where it is asked for, and where it goes.
  package struct LaterPart: Sendable {
    package var offset: Int
    package var section: PartedSection

    package init(offset: Int, section: PartedSection) {
      self.offset = offset
      self.section = section
    }
  }

  /// What was put together.
  package struct Assembled: Sendable {
    package var bytes: SharedBytes
    /// Who unpacks what was left for later.
    package var supply: StretchSupply?
  }

  /// The parts, in memory of `byteCount` bytes that are zero elsewhere; on two threads.
  ///
  /// A part that does not unpack to what it should is all zeros; nil when there is no memory, or a part lies outside.
  package static func assemble(_ parts: [Part], later: LaterPart? = nil, byteCount: Int) -> Assembled? {
    let places =
      parts.map { ($0.offset, $0.byteCount) } + (later.map { [($0.offset, $0.section.byteCount)] } ?? [])
    let isFitting = places.allSatisfy { $0 >= 0 && $1 >= 0 && $0 <= byteCount && $1 <= byteCount - $0 }
    guard isFitting, byteCount > 0 else { return nil }
    let anywhere = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard unsafe anywhere != MAP_FAILED, let start = unsafe anywhere else { return nil }
    // One page fault for 2 MiB instead of 512.
    _ = unsafe madvise(start, byteCount, MADV_HUGEPAGE)
    if let later { unsafe useSmallPages(start + later.offset, byteCount: later.section.byteCount) }
    let address = UInt(bitPattern: start)
    let sorted = parts.sorted { $0.byteCount > $1.byteCount }
    DispatchQueue.concurrentPerform(iterations: sorted.count) { index in
      let part = sorted[index]
      let target = unsafe UnsafeMutableRawBufferPointer(
        start: UnsafeMutableRawPointer(bitPattern: address + UInt(part.offset)),
        count: part.byteCount
      )
      unsafe fill(target, from: part)
    }
    let storage = unsafe ByteStorage(adopting: UnsafeRawBufferPointer(start: start, count: byteCount)) {
      bytes in
      guard let start = bytes.baseAddress else { return }
      unsafe munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
    let supply = later.map { unsafe StretchSupply($0.section, at: start + $0.offset, in: storage) }
    return Assembled(bytes: SharedBytes(storage), supply: supply)
  }

  /// Most of it stays untouched, between places that are read from the start.
  @unsafe private static func useSmallPages(_ start: UnsafeMutableRawPointer, byteCount: Int) {
    let page = Int(getpagesize())
    let skipped = (page - Int(bitPattern: start) % page) % page
    guard byteCount > skipped else { return }
    _ = unsafe madvise(start + skipped, byteCount - skipped, MADV_NOHUGEPAGE)
  }

  @unsafe private static func fill(_ target: UnsafeMutableRawBufferPointer, from part: Part) {
    guard part.isPacked else {
      unsafe part.bytes.span.extracting(first: part.byteCount).withUnsafeBytes { bytes in
        unsafe target.copyMemory(from: bytes)
      }
      return
    }
    var stream = InflateStream(part.bytes)
    let count = try? unsafe stream.read(into: target)
    guard count == part.byteCount, stream.isAtEnd() else {
      unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
      return
    }
  }
}
