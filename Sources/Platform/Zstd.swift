/// Unpacks Zstandard frames, as sections with SHF_COMPRESSED may hold them.
///
/// The library is looked for when it is needed: every Debian has it (`libzstd1`), not every program needs it.
package enum Zstd {
  /// Whether the library is there.
  package static var isAvailable: Bool { OptionalLibrary(library) != nil }

  private static let library = "libzstd.so.1"
  private typealias Decompress = @convention(c) (UnsafeMutableRawPointer?, Int, UnsafeRawPointer?, Int) -> Int

  /// Unpacks `packed`, which must give exactly `byteCount` bytes.
  ///
  /// A block packs at most 128 KiB into four bytes, so a header that promises more is refused before memory is
  /// set aside.
  /// - Throws: ``ByteError/badCompression(offset:)``.
  package static func decompress(_ packed: RawSpan, byteCount: Int) throws(ByteError) -> SharedBytes {
    guard byteCount >= 0, byteCount >> 15 <= packed.byteCount, let library = OptionalLibrary(library),
      let decompress = unsafe library.function("ZSTD_decompress", as: Decompress.self)
    else { throw .badCompression(offset: 0) }
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: max(byteCount, 1), alignment: 16)
    // An error is a number that no buffer is as large as.
    let written = unsafe packed.withUnsafeBytes { input in
      unsafe decompress(output.baseAddress, byteCount, input.baseAddress, input.count)
    }
    guard written == byteCount else {
      unsafe output.deallocate()
      throw .badCompression(offset: 0)
    }
    let filled = unsafe UnsafeRawBufferPointer(rebasing: output[..<byteCount])
    return unsafe SharedBytes(ByteStorage(adopting: filled) { unsafe $0.deallocate() })
  }
}
