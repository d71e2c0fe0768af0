import CZlib
import Glibc

/// Unpacks zlib streams, as sections with SHF_COMPRESSED hold them.
///
/// The only file that calls zlib. Sections are left to ``InflateStream``, which is twice as fast.
package enum Zlib {
  /// Unpacks `packed`, which must give exactly `byteCount` bytes.
  ///
  /// Deflate packs at most 1032 to 1, so a header that promises more is refused before memory is set aside.
  /// - Throws: ``ByteError/badCompression(offset:)``.
  package static func inflate(_ packed: SharedBytes, byteCount: Int) throws(ByteError) -> SharedBytes {
    guard byteCount >= 0, byteCount / 1032 <= packed.count else { throw .badCompression(offset: 0) }
    // One page fault for 2 MiB instead of 512.
    let isLarge = byteCount >= 16 << 20
    let alignment = isLarge ? 2 << 20 : 16
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: max(byteCount, 1), alignment: alignment)
    if isLarge, let start = output.baseAddress { _ = unsafe madvise(start, byteCount, MADV_HUGEPAGE) }
    var stream = InflateStream(packed)
    guard let count = try? unsafe stream.read(into: output), count == byteCount, stream.isAtEnd() else {
      unsafe output.deallocate()
      throw .badCompression(offset: 0)
    }
    let filled = unsafe UnsafeRawBufferPointer(rebasing: output[..<byteCount])
    return unsafe SharedBytes(ByteStorage(adopting: filled) { unsafe $0.deallocate() })
  }

  /// Unpacks a gzip file of at most `limit` bytes; nil when it is damaged or larger.
  package static func gunzip(_ packed: RawSpan, limit: Int = 16 << 20) -> [UInt8]? {
    unsafe packed.withUnsafeBytes { input in
      var stream = unsafe z_stream()
      unsafe stream.next_in = unsafe UnsafeMutablePointer(
        mutating: input.baseAddress?.assumingMemoryBound(to: Bytef.self)
      )
      unsafe stream.avail_in = uInt(clamping: input.count)
      // 16 asks for the gzip format, 15 for its largest window (zlib.h, inflateInit2).
      let size = unsafe CInt(MemoryLayout<z_stream>.size)
      guard unsafe inflateInit2_(&stream, 16 + 15, ZLIB_VERSION, size) == Z_OK else { return nil }
      defer { _ = unsafe inflateEnd(&stream) }
      var result = 0 as CInt
      let output = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
        unsafe stream.next_out = buffer.baseAddress
        unsafe stream.avail_out = uInt(clamping: buffer.count)
        unsafe result = CZlib.inflate(&stream, Z_FINISH)
        filled = unsafe Int(stream.total_out)
      }
      return result == Z_STREAM_END ? output : nil
    }
  }

  /// The CRC-32 of `bytes`, as `.gnu_debuglink` states it (GDB manual, “Separate Debug Files”).
  package static func crc32(of bytes: RawSpan) -> UInt32 {
    unsafe bytes.withUnsafeBytes { input in
      let start = unsafe input.baseAddress?.assumingMemoryBound(to: Bytef.self)
      return UInt32(truncatingIfNeeded: unsafe crc32_z(0, start, input.count))
    }
  }

  /// The Adler-32 (RFC 1950) of two texts behind one another, of which the second has `byteCount` bytes.
  static func adler32(_ first: UInt32, then second: UInt32, byteCount: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: adler32_combine(uLong(first), uLong(second), byteCount))
  }
}
