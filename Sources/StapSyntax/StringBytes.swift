import TargetModel

/// The bytes of a literal string, held as ``ScriptBytes`` says.
///
/// Scripts that use the private characters themselves keep them too, byte by byte.
package enum StringBytes {
  /// The letter after a backslash and what it stands for (C11, section 5.2.1).
  static let simpleEscapes: [(letter: UInt8, value: UInt8)] = [
    (UInt8(ascii: "a"), 0x07),
    (UInt8(ascii: "b"), 0x08),
    (UInt8(ascii: "f"), 0x0c),
    (UInt8(ascii: "n"), 0x0a),
    (UInt8(ascii: "r"), 0x0d),
    (UInt8(ascii: "t"), 0x09),
    (UInt8(ascii: "v"), 0x0b),
  ]

  /// Holds any bytes in a `String`.
  package static func string(from bytes: [UInt8]) -> String {
    let plain = String(decoding: bytes, as: UTF8.self)
    let isPlain = plain.utf8.elementsEqual(bytes) && !plain.unicodeScalars.contains { byte(in: $0) != nil }
    return isPlain ? plain : escaped(bytes)
  }

  /// The bytes that the value of a ``Literal`` holds.
  package static func bytes(of string: String) -> [UInt8] {
    ScriptBytes.bytes(of: string)
  }

  /// `string` between quotes, as a script writes it.
  static func quoted(_ string: String) -> String {
    var result = "\""
    for scalar in string.unicodeScalars {
      if let byte = byte(in: scalar) {
        result += octal(byte)
      } else if scalar == "\"" || scalar == "\\" {
        result += "\\" + String(scalar)
      } else if scalar.value < 0x20 || scalar.value == 0x7f {
        result += control(UInt8(scalar.value))
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func control(_ byte: UInt8) -> String {
    guard let escape = simpleEscapes.first(where: { $0.value == byte }) else { return octal(byte) }
    return "\\" + String(Unicode.Scalar(escape.letter))
  }

  /// Always three digits: a digit that follows must not join.
  private static func octal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 8)
    return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
  }

  private static func byte(in scalar: Unicode.Scalar) -> UInt8? {
    ScriptBytes.byte(in: scalar)
  }

  private static func escaped(_ bytes: [UInt8]) -> String {
    var result = String.UnicodeScalarView()
    var rest = bytes[...]
    while let first = rest.first {
      let width = [2, 3, 4].first { isScalar(rest.prefix($0), of: $0) } ?? 1
      if first < 0x80 {
        result.append(Unicode.Scalar(first))
      } else if width > 1 {
        result.append(contentsOf: String(decoding: rest.prefix(width), as: UTF8.self).unicodeScalars)
      } else {
        Unicode.Scalar(0x10ff00 + UInt32(first)).map { result.append($0) }
      }
      rest = rest.dropFirst(first < 0x80 ? 1 : width)
    }
    return String(result)
  }

  /// Whether `bytes` are exactly one character of `width` bytes, and not one of ours.
  private static func isScalar(_ bytes: ArraySlice<UInt8>, of width: Int) -> Bool {
    let decoded = String(decoding: bytes, as: UTF8.self)
    let scalars = decoded.unicodeScalars
    guard bytes.count == width, scalars.count == 1, let scalar = scalars.first else { return false }
    return decoded.utf8.elementsEqual(bytes) && byte(in: scalar) == nil
  }
}
