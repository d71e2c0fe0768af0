package import Platform

/// Which system a tracepoint belongs to, as tracefs tells it; BTF does not.
package struct TracepointSystems: Sendable {
  private let listing: SharedBytes

  /// `listing` has lines of `system:name`, as `available_events` does (Documentation/trace/events.rst).
  package init(listing: SharedBytes = SharedBytes([])) { self.listing = listing }

  /// The system of the tracepoint `name`; empty where nobody tells it.
  func system(of name: String) -> String {
    let wanted = Array(":\(name)\n".utf8)
    let text = listing.span
    guard let colon = text.firstOccurrence(of: wanted.rawSpan, from: 0) else { return "" }
    var start = colon
    while start > 0, text.byte(at: start - 1) != UInt8(ascii: "\n") { start -= 1 }
    return text.string(at: start, byteCount: colon - start) ?? ""
  }

  /// The systems of all tracepoints by their names.
  var byName: [String: String] {
    var result: [String: String] = [:]
    for line in listing.copied().split(separator: UInt8(ascii: "\n")) {
      let parts = line.split(separator: UInt8(ascii: ":"))
      guard parts.count == 2 else { continue }
      result[String(decoding: parts[1], as: UTF8.self)] = String(decoding: parts[0], as: UTF8.self)
    }
    return result
  }
}
