import Glibc

extension RawSpan {
  /// The integer at `offset`, little endian; nil when it is not all there.
  @inlinable
  package func load<Word: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as: Word.Type) -> Word? {
    guard offset >= 0, offset <= byteCount, byteCount - offset >= MemoryLayout<Word>.size else { return nil }
    return Word(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Word.self))
  }

  /// The `count` bytes from `offset`.
  @inlinable
  @_lifetime(copy self)
  package func slice(offset: Int, count: Int) throws(ByteError) -> RawSpan {
    guard offset >= 0, count >= 0, offset <= byteCount, count <= byteCount - offset else {
      throw .endOfData(offset: offset)
    }
    return extracting(offset..<offset + count)
  }

  /// The bytes from `offset` up to the next zero byte; nil when there is none.
  @_lifetime(copy self)
  package func stringBytes(at offset: Int) -> RawSpan? {
    guard offset >= 0, offset <= byteCount, let count = distanceToZero(from: offset) else { return nil }
    return extracting(offset..<offset + count)
  }

  /// The zero-terminated string at `offset`; nil when it does not end.
  package func string(at offset: Int) -> String? {
    guard let bytes = stringBytes(at: offset) else { return nil }
    return String(copying: bytes)
  }

  /// The string of `byteCount` bytes at `offset`; nil when they are not all there.
  package func string(at offset: Int, byteCount count: Int) -> String? {
    guard offset >= 0, count >= 0, offset <= byteCount, count <= byteCount - offset else { return nil }
    return String(copying: extracting(offset..<offset + count))
  }

  /// The byte at `offset`; nil outside.
  @inlinable package func byte(at offset: Int) -> UInt8? {
    guard offset >= 0, offset < byteCount else { return nil }
    return unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }

  /// FNV-1a over the string at `offset`, which ends before a zero byte, before `terminator`, or with the span.
  ///
  /// Gives the hash and the length; nothing but the speed depends on the function chosen.
  package func hashedString(at offset: Int, terminator: UInt8) -> (hash: UInt32, byteCount: Int) {
    unsafe withUnsafeBytes { buffer in
      var hash: UInt32 = 0x811c_9dc5
      var position = max(offset, 0)
      while position < buffer.count {
        let byte = unsafe buffer[position]
        if byte == 0 || byte == terminator { break }
        hash = (hash ^ UInt32(byte)) &* 0x0100_0193
        position += 1
      }
      return (hash, position - max(offset, 0))
    }
  }

  /// The length of the string at `offset`, which ends as ``hashedString(at:terminator:)`` says; without hashing.
  package func stringByteCount(at offset: Int, terminator: UInt8) -> Int {
    unsafe withUnsafeBytes { buffer in
      guard offset >= 0, offset < buffer.count, let start = unsafe buffer.baseAddress?.advanced(by: offset)
      else {
        return 0
      }
      var count = buffer.count - offset
      if let zero = unsafe memchr(start, 0, count) { count = unsafe UnsafeRawPointer(zero) - start }
      if let end = unsafe memchr(start, CInt(terminator), count) {
        count = unsafe UnsafeRawPointer(end) - start
      }
      return count
    }
  }

  /// Where `other` first occurs at or after `offset`; nil when it does not.
  package func firstOccurrence(of other: RawSpan, from offset: Int) -> Int? {
    guard offset >= 0, offset <= byteCount, other.byteCount <= byteCount - offset else { return nil }
    guard let first = other.byte(at: 0) else { return offset }
    // memmem(3) is a GNU extension that the C module does not show.
    return unsafe withUnsafeBytes { hay in
      unsafe other.withUnsafeBytes { needle in
        guard let start = hay.baseAddress, let needleStart = needle.baseAddress else { return nil }
        let lastStart = hay.count - needle.count
        var position = offset
        while position <= lastStart {
          guard let found = unsafe memchr(start + position, CInt(first), lastStart - position + 1) else {
            return nil
          }
          if unsafe memcmp(found, needleStart, needle.count) == 0 {
            return unsafe UnsafeRawPointer(found) - start
          }
          position = unsafe UnsafeRawPointer(found) - start + 1
        }
        return nil
      }
    }
  }

  /// Whether both hold the same bytes.
  package func equals(_ other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    return unsafe withUnsafeBytes { left in
      unsafe other.withUnsafeBytes { right in
        guard let left = left.baseAddress, let right = right.baseAddress else { return true }
        return unsafe memcmp(left, right, byteCount) == 0
      }
    }
  }

  /// A copy as an array.
  package func copied() -> [UInt8] {
    unsafe withUnsafeBytes { unsafe [UInt8]($0) }
  }

  /// How many bytes lie between `offset` and the next zero byte; nil when there is none.
  func distanceToZero(from offset: Int) -> Int? {
    unsafe withUnsafeBytes { buffer in
      guard offset < buffer.count, let start = unsafe buffer.baseAddress?.advanced(by: offset),
        let end = unsafe memchr(start, 0, buffer.count - offset)
      else { return nil }
      return unsafe UnsafeRawPointer(end) - start
    }
  }
}

extension String {
  /// Copies bytes; what is not UTF-8 becomes U+FFFD.
  package init(copying bytes: RawSpan) {
    self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// Calls `body` with the UTF-8 bytes of this string.
  package func withRawSpan<Result, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe body(utf8Span.span.bytes)
  }
}

extension [UInt8] {
  /// The bytes as a span; here because `span.bytes` counts as unsafe elsewhere.
  package var rawSpan: RawSpan {
    @_lifetime(borrow self)
    get { unsafe span.bytes }
  }
}

extension [UInt8] {
  /// Appends a copy of `bytes`.
  package mutating func append(copying bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }
}
