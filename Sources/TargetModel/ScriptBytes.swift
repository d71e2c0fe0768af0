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

  /// The byte that a character stands for; nil when it stands for itself.
  package static func byte(in scalar: Unicode.Scalar) -> UInt8? {
    0x10ff00...0x10ffff ~= scalar.value ? UInt8(scalar.value & 0xff) : nil
  }
}
