/// A demangled name taken apart: `int ns::Class<A>::f(int) const` ⇒ scopes `ns`, `Class<A>`, name `f`.
struct QualifiedName {
  private(set) var scopes: [String] = []
  private(set) var name = ""

  /// - Parameter separator: `::`, or `.` as Swift and D write.
  init(_ text: String, separator: String) {
    let bytes = Array(text.utf8)
    let separator = Array(separator.utf8)
    var parts: [[UInt8]] = [[]]
    var depth = 0
    var index = 0
    while index < bytes.count {
      if depth == 0 {
        if Self.starts(bytes, index, separator) {
          // `f::<T>` of Rust: arguments, no scope.
          parts.append([])
          index += separator.count
          continue
        }
        if let word = Self.whole(bytes, index) {
          parts[parts.count - 1] += word
          index += word.count
          continue
        }
        // Parameters end the name.
        if bytes[index] == UInt8(ascii: "("), !parts[parts.count - 1].isEmpty { break }
        // What stands before a space was the type of a result, or `static`, unless nothing follows but words.
        if bytes[index] == UInt8(ascii: " ") {
          guard Self.isName(bytes, after: index) else { break }
          parts = [[]]
          index += 1
          continue
        }
      }
      switch bytes[index] {
      case UInt8(ascii: "<"), UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: ">") where index > 0 && bytes[index - 1] == UInt8(ascii: "-"): break
      case UInt8(ascii: ">"), UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth = max(0, depth - 1)
      default: break
      }
      parts[parts.count - 1].append(bytes[index])
      index += 1
    }
    if parts.count > 1, parts[parts.count - 1].first == UInt8(ascii: "<") { parts.removeLast() }
    let texts = parts.map { String(decoding: $0, as: UTF8.self) }
    name = texts.last ?? ""
    scopes = Array(texts.dropLast())
  }

  private static func starts(_ bytes: [UInt8], _ index: Int, _ word: [UInt8]) -> Bool {
    bytes.count - index >= word.count && bytes[index..<index + word.count].elementsEqual(word)
  }

  private static let anonymous = Array("(anonymous namespace)".utf8)
  private static let conversion = Array("operator".utf8)

  /// What must be taken in one piece: `(anonymous namespace)`, `operator()`, `operator<`, `operator bool`.
  private static func whole(_ bytes: [UInt8], _ index: Int) -> [UInt8]? {
    if starts(bytes, index, anonymous) { return anonymous }
    guard starts(bytes, index, conversion),
      index == 0 || [UInt8(ascii: ":"), UInt8(ascii: " ")].contains(bytes[index - 1])
    else { return nil }
    var end = index + conversion.count
    guard end < bytes.count else { return conversion }
    if starts(bytes, end, Array("()".utf8)) { end += 2 }
    // Up to the parameters.
    while end < bytes.count, bytes[end] != UInt8(ascii: "(") {
      if isLetter(bytes[end]), end == index + conversion.count { return nil }
      end += 1
    }
    return Array(bytes[index..<end])
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z") || byte == UInt8(ascii: "_")
  }

  /// Whether a name comes after the space at `index`, and not `const`, `[clone …]`, `->` or `in`.
  private static func isName(_ bytes: [UInt8], after index: Int) -> Bool {
    let rest = bytes[(index + 1)...]
    guard let first = rest.first else { return false }
    for word in ["const", "->", "[clone", "in ", "requires "] where rest.starts(with: word.utf8) {
      return false
    }
    return isLetter(first) || first == UInt8(ascii: "(") || first == UInt8(ascii: "<")
      || first == UInt8(ascii: "{") || first == UInt8(ascii: "~")
  }
}
