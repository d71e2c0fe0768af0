import CIsal

/// A stretch of a zlib stream that can be unpacked without what lies before it.
///
/// It begins between two deflate blocks (RFC 1951, section 3.2.3) and takes what was unpacked last before it as given.
package struct PackedStretch: Sendable, Equatable {
  /// Of its first block, in the packed bytes, in bits.
  package var bitOffset: UInt64
  /// Of its first byte, unpacked.
  package var start: Int
  /// Unpacked.
  package var byteCount: Int
  /// The Adler-32 (RFC 1950) of what it unpacks to.
  package var checksum: UInt32
  /// What comes before, ``windowByteCount`` bytes; empty at the beginning of the stream.
  package var window: [UInt8]

  /// As far back as deflate refers (RFC 1951, section 2).
  package static let windowByteCount = 32 << 10

  package init(bitOffset: UInt64, start: Int, byteCount: Int, checksum: UInt32, window: [UInt8]) {
    self.bitOffset = bitOffset
    self.start = start
    self.byteCount = byteCount
    self.checksum = checksum
    self.window = window
  }

  /// Of the bytes that it unpacks to.
  var range: Range<Int> { start..<start + byteCount }
}

/// Keeps track of the stretches of a stream and of its checksum, while it is unpacked from front to back.
struct StretchRecorder {
  private let spacing: Int?
  private var closed: [PackedStretch] = []
  /// The one that is being unpacked, behind the two bytes of a zlib stream's header.
  private var current = PackedStretch(bitOffset: 16, start: 0, byteCount: 0, checksum: 1, window: [])
  /// Of all before it.
  private var checksumBefore: UInt32 = 1

  init(spacing: Int?) { self.spacing = spacing }

  /// From the first byte of the stream to the last one so far.
  var all: [PackedStretch] { spacing == nil ? [] : closed + (current.byteCount > 0 ? [current] : []) }

  /// Of everything so far.
  var checksum: UInt32 { Zlib.adler32(checksumBefore, then: current.checksum, byteCount: current.byteCount) }

  /// Whether a stretch should begin before `offset`, unpacked.
  func wantsOne(before offset: Int) -> Bool {
    guard let spacing else { return false }
    return offset - current.start > spacing
  }

  /// Takes what was unpacked next.
  @unsafe mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    let text = unsafe start.assumingMemoryBound(to: UInt8.self)
    unsafe current.checksum = isal_adler32(current.checksum, text, UInt64(bytes.count))
    current.byteCount += bytes.count
  }

  /// A new stretch begins behind what was added so far.
  mutating func begin(at bitOffset: UInt64, _ start: Int, _ window: [UInt8]) {
    checksumBefore = checksum
    closed.append(current)
    current = PackedStretch(bitOffset: bitOffset, start: start, byteCount: 0, checksum: 1, window: window)
  }
}
