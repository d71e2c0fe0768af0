/// Writes JSON (RFC 8259) by hand: a few fields a line need no library.
package enum JSONText {
  /// `text` between quotes, with everything escaped that a parser or a line reader could trip over.
  package static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\0"..<" ", "\u{7f}", "\u{2028}", "\u{2029}": result += unicodeEscape(scalar)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// `{"name":value,…}` from values that are JSON already.
  package static func object(_ fields: [(name: String, value: String)]) -> String {
    "{" + fields.map { quoted($0.name) + ":" + $0.value }.joined(separator: ",") + "}"
  }

  /// `[value,…]` from values that are JSON already.
  package static func array(_ values: [String]) -> String { "[" + values.joined(separator: ",") + "]" }

  private static func unicodeEscape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}
