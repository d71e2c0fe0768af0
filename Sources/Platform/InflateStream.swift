import CIsal
import Synchronization

/// Unpacks a zlib stream (RFC 1950) from front to back, a piece at a time, or a stretch of one from where it begins.
///
/// What is read once needs no memory for all of it: touching 257 MB of new memory took longer than unpacking into
/// it. The only file that calls ISA-L's inflate, which took 0.80 s for as much in pieces (zlib: 1.89 s).
@safe package struct InflateStream: ~Copyable {
  private let packed: SharedBytes
  private let state: UnsafeMutablePointer<inflate_state>
  private let buffers = BufferPool()
  private var consumed = 0
  private var produced = 0
  private var stretches: StretchRecorder
  /// All of the stream was read, and its checksum was right.
  package private(set) var isFinished = false

  /// Starts at the first byte of `packed`.
  ///
  /// - Parameter spacing: how far apart, unpacked, ``foundStretches`` should begin that ``next(after:byteCount:)``
  ///   comes by; nil: they are not wanted.
  package init(_ packed: SharedBytes, stretchesEvery spacing: Int? = nil) {
    self.packed = packed
    stretches = StretchRecorder(spacing: spacing)
    unsafe state = .allocate(capacity: 1)
    unsafe isal_inflate_init(state)
    unsafe state.pointee.crc_flag = UInt32(ISAL_DEFLATE)
  }

  deinit { unsafe state.deallocate() }

  /// The stretches that make up all of a stream; empty when none were wanted, or it was not read to its end.
  package var foundStretches: [PackedStretch] { isFinished ? stretches.all : [] }

  /// A copy of `carry` and behind it what comes next, up to `byteCount` bytes together.
  ///
  /// Less only at the end. The memory is used again when nobody holds it any more.
  /// - Throws: ``ByteError/badCompression(offset:)``.
  package mutating func next(after carry: SharedBytes, byteCount: Int) throws(ByteError) -> SharedBytes {
    let buffer = unsafe buffers.take(byteCount: max(byteCount, carry.count, 1))
    unsafe carry.span.withUnsafeBytes { unsafe buffer.copyMemory(from: $0) }
    let buffers = self.buffers
    let storage = unsafe ByteStorage(adopting: UnsafeRawBufferPointer(buffer)) {
      unsafe buffers.give(back: $0)
    }
    var filled = carry.count
    let end = max(byteCount, carry.count)
    let tail = end - Self.longestBlock
    if tail > filled + PackedStretch.windowByteCount, stretches.wantsOne(before: produced + end - filled) {
      unsafe filled += try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<tail]))
      unsafe filled += try readBlock(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<end]))
      if unsafe state.pointee.block_state == ISAL_BLOCK_NEW_HDR {
        unsafe beginStretch(after: UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
      }
    }
    unsafe filled += try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<end]))
    return try SharedBytes(storage).slice(offset: 0, count: filled)
  }

  /// In a tail of this size some block ends: zlib ends one after 16,384 symbols (deflate.h, `lit_bufsize`), which
  /// are 50 KB of debug info.
  private static let longestBlock = 256 << 10

  /// Whether nothing is left; the checksum may still have to be read.
  mutating func isAtEnd() -> Bool {
    guard !isFinished else { return true }
    return unsafe withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { byte in
      unsafe (try? read(into: byte)) == 0
    }
  }

  /// Fills `output` as far as the stream goes.
  /// - Returns: how many bytes.
  @unsafe mutating func read(into output: UnsafeMutableRawBufferPointer) throws(ByteError) -> Int {
    if consumed == 0 { try readHeader() }
    var filled = 0
    while filled < output.count && !isFinished {
      let (read, written) = unsafe try step(into: UnsafeMutableRawBufferPointer(rebasing: output[filled...]))
      filled += written
      if unsafe state.pointee.block_state == ISAL_BLOCK_FINISH {
        try readChecksum()
      } else if written == 0 && read == 0 {
        throw .badCompression(offset: consumed)
      }
    }
    return filled
  }

  /// Reads on to the end of the block that the stream is in, or until `output` is full.
  ///
  /// ISA-L has no call that stops between two blocks, but it does behind the last one: the block is declared the last
  /// one for as long as this reads it.
  @unsafe private mutating func readBlock(into output: UnsafeMutableRawBufferPointer) throws(ByteError) -> Int
  {
    let isInside =
      unsafe state.pointee.block_state == ISAL_BLOCK_CODED
      || state.pointee.block_state == ISAL_BLOCK_TYPE0
    guard !isFinished, isInside, unsafe state.pointee.bfinal == 0 else { return 0 }
    unsafe state.pointee.bfinal = 1
    let (_, written) = unsafe try step(into: output)
    unsafe state.pointee.bfinal = 0
    switch unsafe state.pointee.block_state {
    case ISAL_BLOCK_FINISH, ISAL_BLOCK_INPUT_DONE: unsafe state.pointee.block_state = ISAL_BLOCK_NEW_HDR
    default: break
    }
    return written
  }

  /// Notes that a stretch begins between two blocks, and tells ISA-L what came before: it forgot that with what it took
  /// for the end.
  @unsafe private mutating func beginStretch(after text: UnsafeRawBufferPointer) {
    // All that was unpacked was taken: else there would be a window that is not known.
    guard unsafe state.pointee.tmp_out_valid == state.pointee.tmp_out_processed,
      text.count >= PackedStretch.windowByteCount
    else { return }
    let window = unsafe Array(text.suffix(PackedStretch.windowByteCount))
    unsafe setDictionary(window)
    let bits = unsafe UInt64(consumed) * 8 - UInt64(state.pointee.read_in_length)
    stretches.begin(at: bits, produced, window)
  }

  /// - Returns: false when ISA-L does not take it.
  @discardableResult
  @unsafe private func setDictionary(_ window: [UInt8]) -> Bool {
    var copy = window
    return unsafe copy.withUnsafeMutableBufferPointer { bytes in
      unsafe isal_inflate_set_dict(state, bytes.baseAddress, UInt32(clamping: bytes.count)) == COMP_OK
    }
  }

  /// One call of ISA-L, which counts in 32 bits.
  @unsafe private mutating func step(
    into output: UnsafeMutableRawBufferPointer
  ) throws(ByteError) -> (read: Int, written: Int) {
    let room = min(output.count, 1 << 30)
    let given = min(packed.count - consumed, 1 << 30)
    let status = unsafe packed.span.withUnsafeBytes { input in
      let start = unsafe input.baseAddress?.assumingMemoryBound(to: UInt8.self)
      unsafe state.pointee.next_in = unsafe UnsafeMutablePointer(mutating: start.map { unsafe $0 + consumed })
      unsafe state.pointee.avail_in = UInt32(given)
      unsafe state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
      unsafe state.pointee.avail_out = UInt32(room)
      return unsafe isal_inflate(state)
    }
    let written = unsafe room - Int(state.pointee.avail_out)
    let read = unsafe given - Int(state.pointee.avail_in)
    consumed += read
    produced += written
    unsafe stretches.add(UnsafeRawBufferPointer(rebasing: output[..<written]))
    guard status == ISAL_DECOMP_OK else { throw .badCompression(offset: consumed) }
    return (read, written)
  }

  /// CMF and FLG (RFC 1950, section 2.2): deflate, no preset dictionary.
  private mutating func readHeader() throws(ByteError) {
    var cursor = ByteCursor(packed.span)
    let (method, flags) = (cursor.readUInt8(), cursor.readUInt8())
    guard !cursor.hasFailed, method & 0xf == 8, (UInt16(method) << 8 | UInt16(flags)) % 31 == 0,
      flags & 0x20 == 0
    else { throw .badCompression(offset: 0) }
    consumed = 2
  }

  /// ADLER32 (RFC 1950, section 2.2), from the first whole byte behind the last block.
  private mutating func readChecksum() throws(ByteError) {
    let start = unsafe consumed - Int(state.pointee.read_in_length) / 8
    var reader = ByteReader(packed.span, order: .big)
    try reader.skip(start)
    guard try reader.read(UInt32.self) == stretches.checksum else { throw .badCompression(offset: start) }
    isFinished = true
  }
}

extension InflateStream {
  /// Unpacks one stretch of `packed`; nil when it is not what ``PackedStretch`` says.
  package static func unpack(_ stretch: PackedStretch, of packed: SharedBytes) -> [UInt8]? {
    // Deflate packs at most 1032 to 1.
    guard stretch.byteCount > 0, stretch.byteCount / 1032 <= packed.count,
      stretch.window.count <= PackedStretch.windowByteCount,
      let start = Int(exactly: stretch.bitOffset / 8), start < packed.count
    else { return nil }
    var stream = InflateStream(packed)
    guard unsafe stretch.window.isEmpty || stream.setDictionary(stretch.window) else { return nil }
    stream.seek(to: start, bit: Int(stretch.bitOffset % 8))
    var isWhole = false
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: stretch.byteCount) { buffer, filled in
      let output = UnsafeMutableRawBufferPointer(buffer)
      isWhole = unsafe stream.fill(output)
      filled = isWhole ? stretch.byteCount : 0
    }
    return isWhole && stream.stretches.checksum == stretch.checksum ? bytes : nil
  }

  /// Goes on at a bit of the packed bytes, which is one of those that ISA-L looked ahead to.
  private mutating func seek(to offset: Int, bit: Int) {
    consumed = offset
    guard bit > 0, let byte = packed.span.load(at: offset, as: UInt8.self) else { return }
    unsafe state.pointee.read_in = UInt64(byte >> UInt8(bit))
    unsafe state.pointee.read_in_length = Int32(8 - bit)
    consumed += 1
  }

  /// - Returns: false when there was not as much.
  @unsafe private mutating func fill(_ output: UnsafeMutableRawBufferPointer) -> Bool {
    var filled = 0
    while filled < output.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: output[filled...])
      guard let (read, written) = unsafe try? step(into: rest), read > 0 || written > 0 else { return false }
      filled += written
    }
    return true
  }
}

/// Buffers that are filled again and again.
// SAFETY: each buffer is in the pool or with one holder, never both; the lock guards the list.
private final class BufferPool: @unchecked Sendable {
  private let free = Mutex<[UInt]>([])
  private static let byteCount = 1 << 20

  deinit {
    for address in free.withLock({ $0 }) { unsafe UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
  }

  /// A buffer of that size; the usual size is not allocated anew each time.
  @unsafe func take(byteCount: Int) -> UnsafeMutableRawBufferPointer {
    if byteCount == Self.byteCount, let address = free.withLock({ $0.popLast() }) {
      return unsafe UnsafeMutableRawBufferPointer(
        start: UnsafeMutableRawPointer(bitPattern: address),
        count: byteCount
      )
    }
    return UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
  }

  @unsafe func give(back buffer: UnsafeRawBufferPointer) {
    if buffer.count == Self.byteCount, let start = buffer.baseAddress {
      free.withLock { $0.append(UInt(bitPattern: start)) }
    } else {
      unsafe buffer.deallocate()
    }
  }
}
