import CIsal
import Synchronization

/// Unpacks a zlib stream from front to back, a piece at a time.
///
/// What is read once needs no memory for all of it: touching 257 MB of new memory took longer than unpacking into
/// it. The only file that calls ISA-L, which took 0.80 s for as much in pieces (zlib: 1.89 s).
@safe package struct InflateStream: ~Copyable {
  private let packed: SharedBytes
  private let state: UnsafeMutablePointer<inflate_state>
  private let buffers = BufferPool()
  private var consumed = 0
  /// All of the stream was read, and its checksum was right.
  package private(set) var isFinished = false

  /// Starts at the first byte of `packed`.
  package init(_ packed: SharedBytes) {
    self.packed = packed
    unsafe state = .allocate(capacity: 1)
    unsafe isal_inflate_init(state)
    unsafe state.pointee.crc_flag = UInt32(ISAL_ZLIB)
  }

  deinit { unsafe state.deallocate() }

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
    let rest = carry.count..<max(byteCount, carry.count)
    let filled = unsafe carry.count + (try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[rest])))
    return try SharedBytes(storage).slice(offset: 0, count: filled)
  }

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
    var filled = 0
    // ISA-L counts in 32 bits.
    let most = 1 << 30
    while filled < output.count && !isFinished {
      let room = min(output.count - filled, most)
      let given = min(packed.count - consumed, most)
      let status = unsafe packed.span.withUnsafeBytes { input in
        let start = unsafe input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let target = unsafe output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe state.pointee.next_in = unsafe UnsafeMutablePointer(
          mutating: start.map { unsafe $0 + consumed }
        )
        unsafe state.pointee.avail_in = UInt32(given)
        unsafe state.pointee.next_out = unsafe target.map { unsafe $0 + filled }
        unsafe state.pointee.avail_out = UInt32(room)
        return unsafe isal_inflate(state)
      }
      let written = unsafe room - Int(state.pointee.avail_out)
      let read = unsafe given - Int(state.pointee.avail_in)
      filled += written
      consumed += read
      isFinished = unsafe state.pointee.block_state == ISAL_BLOCK_FINISH
      guard status == ISAL_DECOMP_OK, isFinished || written > 0 || read > 0 else {
        throw .badCompression(offset: consumed)
      }
    }
    return filled
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
