/// Unpacks `.xz` streams, as `.gnu_debugdata` holds them.
///
/// The library is looked for when it is needed: every Debian has it (`liblzma5`).
package enum XZ {
  private typealias Decode =
    @convention(c) (
      UnsafeMutablePointer<UInt64>, UInt32, UnsafeRawPointer?, UnsafePointer<UInt8>?,
      UnsafeMutablePointer<Int>,
      Int,
      UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int>, Int
    ) -> UInt32

  /// `lzma_ret` (lzma/base.h).
  private static let ok: UInt32 = 0
  private static let bufferTooSmall: UInt32 = 10
  private static let memoryLimit: UInt64 = 256 << 20

  /// Unpacks one stream of at most `limit` bytes; nil when it is damaged, larger, or the library is not there.
  package static func unpack(_ packed: RawSpan, limit: Int = 64 << 20) -> [UInt8]? {
    guard let library = OptionalLibrary("liblzma.so.5"),
      let decode = unsafe library.function("lzma_stream_buffer_decode", as: Decode.self)
    else { return nil }
    return unsafe packed.withUnsafeBytes { input in
      // The stream does not say how much it holds, so memory grows with what comes out.
      var byteCount = min(max(input.count * 4, 64 << 10), limit)
      while true {
        var output = [UInt8](repeating: 0, count: byteCount)
        var memory = memoryLimit
        var readCount = 0
        var written = 0
        let start = unsafe input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let result = unsafe decode(
          &memory,
          0,
          nil,
          start,
          &readCount,
          input.count,
          &output,
          &written,
          byteCount
        )
        if result == ok { return Array(output.prefix(written)) }
        guard result == bufferTooSmall, byteCount < limit else { return nil }
        byteCount = min(byteCount * 4, limit)
      }
    }
  }
}
