/// Read-only bytes with shared ownership: a mapped file, an array, or a part of either.
///
/// A stage may keep one as long as it likes (an index holds its sections for the whole session) and pass it
/// to other threads; reading goes through ``span``, which copies nothing.
package struct SharedBytes: Sendable {
  private let storage: ByteStorage
  private let range: Range<Int>

  /// All bytes of `storage`.
  init(_ storage: ByteStorage) {
    self.storage = storage
    range = unsafe 0..<storage.bytes.count
  }

  private init(_ storage: ByteStorage, _ range: Range<Int>) {
    self.storage = storage
    self.range = range
  }

  /// A copy of `bytes`.
  package init(_ bytes: [UInt8]) {
    self.init(ByteStorage(copying: bytes))
  }

  /// A copy of `words`, each little endian.
  package init(words: [UInt32]) {
    self.init(unsafe words.withUnsafeBytes { unsafe [UInt8]($0) })
  }

  /// Maps the file at `path`.
  /// - Throws: as ``MappedFile``.
  package init(
    mapping path: String,
    where isTrusted: (FileStatus) -> Bool = { _ in true }
  ) throws(SystemError) {
    self = try MappedFile(path, where: isTrusted).shared()
  }

  package var count: Int { range.count }
  package var isEmpty: Bool { range.isEmpty }

  /// The bytes, borrowed for as long as this value lives.
  package var span: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(storage.bytes.bytes.extracting(range), borrowing: self) }
  }

  /// A copy as an array; through ``span`` nothing is copied.
  package func copied() -> [UInt8] { span.copied() }

  /// The `count` bytes from `offset`, sharing the storage.
  /// - Throws: ``ByteError/endOfData(offset:)`` when they are not all there.
  package func slice(offset: Int, count: Int) throws(ByteError) -> SharedBytes {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else {
      throw .endOfData(offset: offset)
    }
    let start = range.lowerBound + offset
    return SharedBytes(storage, start..<start + count)
  }

  /// The same with numbers as files state them.
  /// - Throws: ``ByteError/endOfData(offset:)`` when they are not all there.
  package func slice(offset: UInt64, count: UInt64) throws(ByteError) -> SharedBytes {
    guard let start = Int(exactly: offset), let length = Int(exactly: count) else {
      throw .endOfData(offset: self.count)
    }
    return try slice(offset: start, count: length)
  }
}

/// Owns the memory behind ``SharedBytes``.
///
/// It points to memory that lives until `deinit` and that nobody writes after `init`, but for a ``StretchSupply``, which
/// fills in what nobody was told to read before.
// SAFETY: as said above.
@safe final class ByteStorage: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer
  private let release: (UnsafeRawBufferPointer) -> Void

  /// Takes over memory that `release` gives back.
  @unsafe init(adopting bytes: UnsafeRawBufferPointer, release: @escaping (UnsafeRawBufferPointer) -> Void) {
    unsafe self.bytes = bytes
    unsafe self.release = release
  }

  /// Allocates a copy.
  convenience init(copying source: [UInt8]) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 16)
    unsafe copy.copyBytes(from: source)
    unsafe self.init(adopting: UnsafeRawBufferPointer(copy)) { unsafe $0.deallocate() }
  }

  deinit { unsafe release(bytes) }
}
