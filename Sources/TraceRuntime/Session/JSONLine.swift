import Platform
import TraceIR

/// One line of `--json`: an object whose first member `type` says what it is.
///
/// | type | members |
/// |---|---|
/// | `print` | `probe`, `site` when there is one, `text` |
/// | `warning` | `text` |
/// | `error` | `text` |
/// | `loss` | `probe`, `reason`, `count`, `text` |
/// | `end` | `errors`, `skipped`, `lost`, `status` |
package struct JSONLine: Sendable {
  private enum Value: Sendable {
    case text(ByteString)
    case number(Int64)
  }

  private var members: [(name: String, value: Value)]

  private init(_ type: String, _ members: [(name: String, value: Value)]) {
    self.members = [("type", .text(ByteString(type)))] + members
  }

  static func print(probe: String, site: String?, text: ByteString) -> JSONLine {
    let place: [(name: String, value: Value)] = site.map { [("site", .text(ByteString($0)))] } ?? []
    return JSONLine("print", [("probe", .text(ByteString(probe)))] + place + [("text", .text(text))])
  }

  static func warning(_ text: String) -> JSONLine { JSONLine("warning", [("text", .text(ByteString(text)))]) }

  static func error(_ text: String) -> JSONLine { JSONLine("error", [("text", .text(ByteString(text)))]) }

  static func loss(_ loss: LossCount, probe: String) -> JSONLine {
    JSONLine(
      "loss",
      [
        ("probe", .text(ByteString(probe))),
        ("reason", .text(ByteString(loss.reason.identifier))),
        ("count", .number(Int64(clamping: loss.count))),
        ("text", .text(ByteString(loss.reason.text))),
      ]
    )
  }

  static func end(errors: Int, skipped: UInt64, lost: UInt64, status: Int32) -> JSONLine {
    JSONLine(
      "end",
      [
        ("errors", .number(Int64(errors))), ("skipped", .number(Int64(clamping: skipped))),
        ("lost", .number(Int64(clamping: lost))), ("status", .number(Int64(status))),
      ]
    )
  }

  /// Appends the object and a line feed.
  func append(to buffer: inout ByteBuffer) {
    for (index, member) in members.enumerated() {
      buffer.append(index == 0 ? "{\"" : ",\"")
      buffer.append(member.name)
      buffer.append("\":")
      switch member.value {
      case .number(let number): buffer.append(decimal: number)
      case .text(let text): buffer.append(json: text)
      }
    }
    buffer.append("}\n")
  }
}

extension ByteBuffer {
  /// Appends a JSON string (RFC 8259, section 7); bytes that are not UTF-8 become U+FFFD.
  fileprivate mutating func append(json text: ByteString) {
    append(UInt8(ascii: "\""))
    for byte in text.text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        append(UInt8(ascii: "\\"))
        append(byte)
      case 10: append("\\n")
      case 9: append("\\t")
      case 13: append("\\r")
      case 0..<32:
        append("\\u00")
        append(lowerDigits[Int(byte >> 4)])
        append(lowerDigits[Int(byte & 15)])
      default: append(byte)
      }
    }
    append(UInt8(ascii: "\""))
  }
}
