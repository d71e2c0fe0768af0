/// The bytes of a script's strings.
///
/// A script's string is a string of bytes (`"\xff"` is one), a Swift `String` is not: a byte that is not part of valid
/// UTF-8 is held as the character U+10FF00 + byte, from the private use plane.
package enum ScriptBytes {
  /// The bytes that `text` stands for.
  package static func bytes(of text: String) -> [UInt8] {
    guard text.unicodeScalars.contains(where: { byte(in: $0) != nil }) else { return Array(text.utf8) }
    return text.unicodeScalars.flatMap { scalar in byte(in: scalar).map { [$0] } ?? Array(scalar.utf8) }
  }

  /// The text that stands for the first `count` bytes of `text`.
  package static func prefix(of text: String, _ count: Int) -> String {
    if text.utf8.count <= count { return text }
    let bytes = bytes(of: text).prefix(max(0, count))
    let start = String(decoding: bytes, as: UTF8.self)
    if start.utf8.elementsEqual(bytes) { return start }
    var result = String.UnicodeScalarView()
    for byte in bytes { result.append(byte < 0x80 ? Unicode.Scalar(byte) : scalar(for: byte)) }
    return String(result)
  }

  /// The character that stands for a byte that is not part of valid UTF-8.
  private static func scalar(for byte: UInt8) -> Unicode.Scalar {
    Unicode.Scalar(0x10ff00 + UInt32(byte)) ?? "\u{10ffff}"
  }

  /// The byte that a character stands for; nil when it stands for itself.
  package static func byte(in scalar: Unicode.Scalar) -> UInt8? {
    0x10ff00...0x10ffff ~= scalar.value ? UInt8(scalar.value & 0xff) : nil
  }
}
