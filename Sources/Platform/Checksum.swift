import CIsal

extension RawSpan {
  /// CRC-64 of what lies behind `start` (ECMA-182, reflected): tells a damaged file from a whole one, about as fast as
  /// memory; no defence against someone who can write the file.
  package func crc64(from start: Int) -> UInt64 {
    guard start >= 0, start < byteCount else { return 0 }
    return unsafe extracting(start..<byteCount).withUnsafeBytes { bytes in
      guard let first = bytes.baseAddress else { return 0 }
      return unsafe crc64_ecma_refl(0, first.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
    }
  }
}
