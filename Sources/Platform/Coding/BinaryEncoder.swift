/// Writes `Encodable` values as compact bytes without field names: what a module file holds.
///
/// Fields follow each other in the order of declaration; an optional has a byte before it; an integer is a
/// LEB128; a string or array has its count before it; an enum's case is its name's index in a table of names
/// that is built on the way and stands at the end. ``BinaryDecoder`` reads it back; both must be of the same build of
/// utrace, which the module file checks by version. Dictionaries with text as keys are not supported.
package struct BinaryEncoder {
  package init() {}

  /// The bytes of `value`.
  /// - Throws: only what an `encode(to:)` of the value itself throws.
  package func encode(_ value: some Encodable) throws -> [UInt8] {
    let sink = EncodingSink()
    try value.encode(to: PositionalEncoder(sink: sink))
    let body = sink.bytes
    sink.bytes = []
    sink.write(unsigned: UInt64(sink.names.count))
    for name in sink.names { sink.write(name) }
    return sink.bytes + body
  }
}

/// The bytes so far; shared by every container of one encoding.
private final class EncodingSink {
  var bytes: [UInt8] = []
  private(set) var names: [String] = []
  private var nameIndexes: [String: Int] = [:]

  func write(unsigned value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Zigzag, so that small negative numbers stay short.
  func write(signed value: Int64) {
    write(unsigned: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  func write(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      write(unsigned: UInt64(utf8.count))
      unsafe bytes.append(contentsOf: utf8)
    }
  }

  func writeName(_ name: String) {
    let index =
      nameIndexes[name]
      ?? {
        names.append(name)
        nameIndexes[name] = names.count - 1
        return names.count - 1
      }()
    write(unsigned: UInt64(index))
  }

  func write(_ value: some Encodable) throws {
    switch value {
    case let flag as Bool: bytes.append(flag ? 1 : 0)
    case let text as String: write(text)
    case let number as Int: write(signed: Int64(number))
    case let number as Int64: write(signed: number)
    case let number as Int32: write(signed: Int64(number))
    case let number as UInt64: write(unsigned: number)
    case let number as UInt32: write(unsigned: UInt64(number))
    case let byteArray as [UInt8]:
      write(unsigned: UInt64(byteArray.count))
      bytes += byteArray
    default:
      if let optional = value as? any OptionalValue, optional.hasValue { bytes.append(1) }
      try value.encode(to: PositionalEncoder(sink: self))
    }
  }
}

private struct PositionalEncoder: Encoder {
  let sink: EncodingSink
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy _: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(FieldEncoder<Key>(sink: sink))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer { ElementEncoder(sink: sink) }

  func singleValueContainer() -> any SingleValueEncodingContainer { ValueEncoder(sink: sink) }
}

/// Fields of a struct, or the one case of an enum.
private struct FieldEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let sink: EncodingSink
  var codingPath: [any CodingKey] { [] }

  mutating func encodeNil(forKey _: Key) throws { sink.bytes.append(0) }
  mutating func encode(_ value: some Encodable, forKey _: Key) throws { try sink.write(value) }

  mutating func encodeIfPresent(_ value: (some Encodable)?, forKey _: Key) throws {
    try encodeOptional(value)
  }
  mutating func encodeIfPresent(_ value: Bool?, forKey _: Key) throws { try encodeOptional(value) }
  mutating func encodeIfPresent(_ value: String?, forKey _: Key) throws { try encodeOptional(value) }
  mutating func encodeIfPresent(_ value: Int?, forKey _: Key) throws { try encodeOptional(value) }
  mutating func encodeIfPresent(_ value: Int32?, forKey _: Key) throws { try encodeOptional(value) }
  mutating func encodeIfPresent(_ value: Int64?, forKey _: Key) throws { try encodeOptional(value) }
  mutating func encodeIfPresent(_ value: UInt32?, forKey _: Key) throws { try encodeOptional(value) }
  mutating func encodeIfPresent(_ value: UInt64?, forKey _: Key) throws { try encodeOptional(value) }

  private func encodeOptional(_ value: (some Encodable)?) throws {
    sink.bytes.append(value == nil ? 0 : 1)
    if let value { try sink.write(value) }
  }

  /// Only the code that the compiler makes for enums asks for this: the key is the case.
  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy _: Nested.Type,
    forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    sink.writeName(key.stringValue)
    return KeyedEncodingContainer(FieldEncoder<Nested>(sink: sink))
  }

  mutating func nestedUnkeyedContainer(forKey _: Key) -> any UnkeyedEncodingContainer {
    ElementEncoder(sink: sink)
  }

  mutating func superEncoder() -> any Encoder { PositionalEncoder(sink: sink) }
  mutating func superEncoder(forKey _: Key) -> any Encoder { PositionalEncoder(sink: sink) }
}

/// Elements of an array, dictionary or set: a byte 1 before each, 0 after the last, which the end of encoding
/// writes when the container goes away.
private final class ElementEncoder: UnkeyedEncodingContainer {
  let sink: EncodingSink
  private(set) var count = 0
  var codingPath: [any CodingKey] { [] }

  init(sink: EncodingSink) { self.sink = sink }

  deinit { sink.bytes.append(0) }

  func encodeNil() throws { next { sink.bytes.append(0) } }
  func encode(_ value: some Encodable) throws { try next { try sink.write(value) } }

  func nestedContainer<Nested: CodingKey>(keyedBy _: Nested.Type) -> KeyedEncodingContainer<Nested> {
    sink.bytes.append(1)
    count += 1
    return KeyedEncodingContainer(FieldEncoder<Nested>(sink: sink))
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    sink.bytes.append(1)
    count += 1
    return ElementEncoder(sink: sink)
  }

  func superEncoder() -> any Encoder { PositionalEncoder(sink: sink) }

  private func next(_ write: () throws -> Void) rethrows {
    sink.bytes.append(1)
    count += 1
    try write()
  }
}

/// Tells an element that is an optional from its value: the standard library encodes both alike.
private protocol OptionalValue {
  var hasValue: Bool { get }
}

extension Optional: OptionalValue {
  fileprivate var hasValue: Bool { self != nil }
}

/// A raw value, or what an optional holds.
private struct ValueEncoder: SingleValueEncodingContainer {
  let sink: EncodingSink
  var codingPath: [any CodingKey] { [] }

  mutating func encodeNil() throws { sink.bytes.append(0) }

  mutating func encode(_ value: some Encodable) throws { try sink.write(value) }
}
