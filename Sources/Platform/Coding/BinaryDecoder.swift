/// Reads what ``BinaryEncoder`` wrote; the bytes are not trusted.
package struct BinaryDecoder {
  /// Why bytes are not a value.
  package enum Failure: Error, Equatable {
    /// The bytes end early, or a count is larger than what is left.
    case truncated(offset: Int)
    /// A number, a name or a text that no value has.
    case malformed(offset: Int)
    /// Values inside values, deeper than any program nests.
    case tooDeep
  }

  package init() {}

  /// The value in `bytes`, which must hold nothing else.
  /// - Throws: ``Failure`` or a `DecodingError`.
  package func decode<Value: Decodable>(_: Value.Type, from bytes: [UInt8]) throws -> Value {
    let source = DecodingSource(bytes)
    try source.readNames()
    let value = try source.read(Value.self)
    guard source.isAtEnd, !source.hasBadMarker else { throw Failure.malformed(offset: source.offset) }
    return value
  }
}

/// The bytes and how far they are read; shared by every container of one decoding.
private final class DecodingSource {
  private let bytes: [UInt8]
  private(set) var offset = 0
  private var names: [String] = []
  private var depth = 0
  /// Whether a list lacked its end, which its reader cannot throw for.
  var hasBadMarker = false

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { offset == bytes.count }

  func readNames() throws {
    for _ in 0..<(try readCount()) { names.append(try readText()) }
  }

  func readByte() throws -> UInt8 {
    guard offset < bytes.count else { throw BinaryDecoder.Failure.truncated(offset: offset) }
    defer { offset += 1 }
    return bytes[offset]
  }

  func readUnsigned() throws -> UInt64 {
    let start = offset
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let byte = try readByte()
      if shift == 63, byte > 1 { break }
      value |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw BinaryDecoder.Failure.malformed(offset: start)
  }

  func readSigned() throws -> Int64 {
    let value = try readUnsigned()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// A count of things that take at least a byte each.
  func readCount() throws -> Int {
    let start = offset
    let count = try readUnsigned()
    guard count <= UInt64(bytes.count - offset) else { throw BinaryDecoder.Failure.truncated(offset: start) }
    return Int(count)
  }

  func readBytes() throws -> ArraySlice<UInt8> {
    let count = try readCount()
    defer { offset += count }
    return bytes[offset..<offset + count]
  }

  func readText() throws -> String { String(decoding: try readBytes(), as: UTF8.self) }

  func readName() throws -> String {
    let start = offset
    let index = try readUnsigned()
    guard index < UInt64(names.count) else { throw BinaryDecoder.Failure.malformed(offset: start) }
    return names[Int(index)]
  }

  /// A value of any type; integers that do not fit theirs are malformed.
  func read<Value: Decodable>(_ type: Value.Type) throws -> Value {
    let start = offset
    let value: Any? =
      switch type {
      case is Bool.Type: try readByte() != 0
      case is String.Type: try readText()
      case is Int.Type: Int(exactly: try readSigned())
      case is Int64.Type: try readSigned()
      case is Int32.Type: Int32(exactly: try readSigned())
      case is UInt64.Type: try readUnsigned()
      case is UInt32.Type: UInt32(exactly: try readUnsigned())
      case is [UInt8].Type: Array(try readBytes())
      default: try nested { try Value(from: PositionalDecoder(source: self)) }
      }
    guard let value = value as? Value else { throw BinaryDecoder.Failure.malformed(offset: start) }
    return value
  }

  private func nested<Value>(_ read: () throws -> Value) throws -> Value {
    guard depth < 2000 else { throw BinaryDecoder.Failure.tooDeep }
    depth += 1
    defer { depth -= 1 }
    return try read()
  }
}

private struct PositionalDecoder: Decoder {
  let source: DecodingSource
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy _: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(FieldDecoder<Key>(source: source))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { ElementDecoder(source: source) }

  func singleValueContainer() throws -> any SingleValueDecodingContainer { ValueDecoder(source: source) }
}

/// Fields of a struct, or the one case of an enum.
private struct FieldDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let source: DecodingSource
  var codingPath: [any CodingKey] { [] }

  /// Reads the one key that there is: only the code that the compiler makes for enums asks, for its case.
  var allKeys: [Key] {
    guard let name = try? source.readName(), let key = Key(stringValue: name) else { return [] }
    return [key]
  }

  func contains(_: Key) -> Bool { true }
  func decodeNil(forKey _: Key) throws -> Bool { try source.readByte() == 0 }
  func decode<Value: Decodable>(_ type: Value.Type, forKey _: Key) throws -> Value { try source.read(type) }

  func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey _: Key) throws -> Value? {
    try optional(type)
  }
  func decodeIfPresent(_ type: Bool.Type, forKey _: Key) throws -> Bool? { try optional(type) }
  func decodeIfPresent(_ type: String.Type, forKey _: Key) throws -> String? { try optional(type) }
  func decodeIfPresent(_ type: Int.Type, forKey _: Key) throws -> Int? { try optional(type) }
  func decodeIfPresent(_ type: Int32.Type, forKey _: Key) throws -> Int32? { try optional(type) }
  func decodeIfPresent(_ type: Int64.Type, forKey _: Key) throws -> Int64? { try optional(type) }
  func decodeIfPresent(_ type: UInt32.Type, forKey _: Key) throws -> UInt32? { try optional(type) }
  func decodeIfPresent(_ type: UInt64.Type, forKey _: Key) throws -> UInt64? { try optional(type) }

  private func optional<Value: Decodable>(_ type: Value.Type) throws -> Value? {
    try source.readByte() == 0 ? nil : try source.read(type)
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy _: Nested.Type,
    forKey _: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    KeyedDecodingContainer(FieldDecoder<Nested>(source: source))
  }

  func nestedUnkeyedContainer(forKey _: Key) throws -> any UnkeyedDecodingContainer {
    ElementDecoder(source: source)
  }

  func superDecoder() throws -> any Decoder { PositionalDecoder(source: source) }
  func superDecoder(forKey _: Key) throws -> any Decoder { PositionalDecoder(source: source) }
}

/// Elements: a byte 1 before each, 0 after the last.
private final class ElementDecoder: UnkeyedDecodingContainer {
  let source: DecodingSource
  var codingPath: [any CodingKey] { [] }
  var count: Int? { nil }
  private(set) var currentIndex = 0
  private var hasReadMarker = false
  private var isFinished = false

  init(source: DecodingSource) { self.source = source }

  /// Reads the marker of the next element once; one that is missing ends the elements and spoils the decoding.
  var isAtEnd: Bool {
    if isFinished { return true }
    if hasReadMarker { return false }
    hasReadMarker = true
    let marker = try? source.readByte()
    isFinished = marker != 1
    if marker != 0, marker != 1 { source.hasBadMarker = true }
    return isFinished
  }

  func decodeNil() throws -> Bool {
    try next()
    return try source.readByte() == 0
  }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try next()
    return try source.read(type)
  }

  func nestedContainer<Nested: CodingKey>(keyedBy _: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
    try next()
    return KeyedDecodingContainer(FieldDecoder<Nested>(source: source))
  }

  func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try next()
    return ElementDecoder(source: source)
  }

  func superDecoder() throws -> any Decoder { PositionalDecoder(source: source) }

  private func next() throws {
    guard !isAtEnd else { throw BinaryDecoder.Failure.truncated(offset: source.offset) }
    hasReadMarker = false
    currentIndex += 1
  }
}

/// A raw value, or what an optional holds.
private struct ValueDecoder: SingleValueDecodingContainer {
  let source: DecodingSource
  var codingPath: [any CodingKey] { [] }

  /// Asked only by optionals, whose byte says whether there is a value.
  func decodeNil() -> Bool { (try? source.readByte()) != 1 }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try source.read(type) }
}
