import Glibc

/// Reads little-endian integers from borrowed bytes without throwing, for loops over millions of records.
///
/// Past the end every read answers 0 and sets ``hasFailed``; the loop asks once a record instead of once a
/// field. ``ByteReader`` is the form for everything else.
@safe package struct ByteCursor: ~Escapable {
  @usableFromInline let bytes: RawSpan
  /// Always within `0...byteCount`.
  @usableFromInline var position: Int
  /// A read or a move left the span.
  @usableFromInline var failed = false

  /// Starts `offset` bytes into `bytes`.
  @inlinable
  @_lifetime(copy bytes)
  package init(_ bytes: RawSpan, at offset: Int = 0) {
    self.bytes = bytes
    position = 0
    seek(offset)
  }

  @inlinable package var offset: Int { position }
  @inlinable package var byteCount: Int { bytes.byteCount }
  @inlinable package var isAtEnd: Bool { position >= bytes.byteCount }
  @inlinable package var hasFailed: Bool { failed }

  /// Moves to an absolute offset.
  @inlinable
  @_lifetime(self: copy self)
  package mutating func seek(_ offset: Int) {
    if offset >= 0 && offset <= bytes.byteCount {
      position = offset
    } else {
      fail()
    }
  }

  /// Moves forward.
  @inlinable
  @_lifetime(self: copy self)
  package mutating func skip(_ count: Int) {
    if count >= 0 && count <= bytes.byteCount &- position {
      position &+= count
    } else {
      fail()
    }
  }

  /// Moves forward by a length that came out of the data.
  @inlinable
  @_lifetime(self: copy self)
  package mutating func skip(_ count: UInt64) {
    skip(Int(clamping: count))
  }

  @inlinable
  @_lifetime(self: copy self)
  package mutating func readUInt8() -> UInt8 { read(UInt8.self) }

  @inlinable
  @_lifetime(self: copy self)
  package mutating func readUInt16() -> UInt16 { read(UInt16.self) }

  @inlinable
  @_lifetime(self: copy self)
  package mutating func readUInt32() -> UInt32 { read(UInt32.self) }

  @inlinable
  @_lifetime(self: copy self)
  package mutating func readUInt64() -> UInt64 { read(UInt64.self) }

  /// Reads 1, 2, 3, 4 or 8 bytes as an unsigned number; any other width fails.
  @inlinable
  @_lifetime(self: copy self)
  package mutating func readUnsigned(byteCount: Int) -> UInt64 {
    switch byteCount {
    case 1: return UInt64(readUInt8())
    case 2: return UInt64(readUInt16())
    case 3:
      let low = UInt64(readUInt16())
      return low | UInt64(readUInt8()) << 16
    case 4: return UInt64(readUInt32())
    case 8: return readUInt64()
    default:
      fail()
      return 0
    }
  }

  /// Reads one unsigned LEB128 (DWARF 5, section 7.6); bits past the 64th are dropped.
  @inlinable
  @_lifetime(self: copy self)
  package mutating func readULEB128() -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = readUInt8()
      if shift < 64 { value |= UInt64(byte & 0x7f) &<< shift }
      if byte & 0x80 == 0 { return value }
      shift &+= 7
    }
  }

  /// Reads one signed LEB128 (DWARF 5, section 7.6).
  @inlinable
  @_lifetime(self: copy self)
  package mutating func readSLEB128() -> Int64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = readUInt8()
      if shift < 64 { value |= UInt64(byte & 0x7f) &<< shift }
      shift &+= 7
      guard byte & 0x80 == 0 else { continue }
      if shift < 64 && byte & 0x40 != 0 { value |= UInt64.max &<< shift }
      return Int64(bitPattern: value)
    }
  }

  /// Steps over one LEB128 of either sign.
  @inlinable
  @_lifetime(self: copy self)
  package mutating func skipLEB128() {
    while readUInt8() & 0x80 != 0 {}
  }

  /// Steps over a string and its NUL.
  @inlinable
  @_lifetime(self: copy self)
  package mutating func skipCString() {
    while position < bytes.byteCount {
      if unsafe bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self) == 0 {
        position &+= 1
        return
      }
      position &+= 1
    }
    fail()
  }

  /// Reads a string and its NUL; answers where its bytes are.
  @inlinable
  @_lifetime(self: copy self)
  package mutating func readCStringRange() -> Range<Int> {
    let start = position
    skipCString()
    return failed ? start..<start : start..<(position &- 1)
  }

  @inlinable
  @_lifetime(self: copy self)
  mutating func read<Word: FixedWidthInteger & BitwiseCopyable>(_: Word.Type) -> Word {
    let size = MemoryLayout<Word>.size
    guard bytes.byteCount &- position >= size else {
      fail()
      return 0
    }
    let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: Word.self)
    position &+= size
    return Word(littleEndian: word)
  }

  @inlinable
  @_lifetime(self: copy self)
  mutating func fail() {
    failed = true
    position = bytes.byteCount
  }
}

extension RawSpan {
  /// Below 0 when these bytes come before those of `other`, 0 when they are the same, above 0 otherwise.
  package func order(against other: RawSpan) -> Int {
    unsafe withUnsafeBytes { left in
      unsafe other.withUnsafeBytes { right in
        let shared = min(left.count, right.count)
        if shared > 0, let left = left.baseAddress, let right = right.baseAddress {
          let order = unsafe memcmp(left, right, shared)
          if order != 0 { return Int(order) }
        }
        return left.count - right.count
      }
    }
  }
}
