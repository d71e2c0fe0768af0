import Platform

/// Which system a tracepoint belongs to, as tracefs tells it; BTF does not.
package struct TracepointSystems: Sendable {
  private let listing: [UInt8]

  /// `listing` has lines of `system:name`, as `available_events` does (Documentation/trace/events.rst).
  package init(listing: [UInt8] = []) { self.listing = [UInt8(ascii: "\n")] + listing }

  /// The system of the tracepoint `name`; empty where nobody tells it.
  func system(of name: String) -> String {
    let wanted = Array(":\(name)\n".utf8)
    guard let colon = listing.rawSpan.firstOccurrence(of: wanted.rawSpan, from: 0) else { return "" }
    let line = listing[..<colon].lastIndex(of: UInt8(ascii: "\n")) ?? 0
    return String(decoding: listing[(line + 1)..<colon], as: UTF8.self)
  }

  /// The systems of all tracepoints by their names.
  var byName: [String: String] {
    var result: [String: String] = [:]
    for line in listing.split(separator: UInt8(ascii: "\n")) {
      let parts = line.split(separator: UInt8(ascii: ":"))
      guard parts.count == 2 else { continue }
      result[String(decoding: parts[1], as: UTF8.self)] = String(decoding: parts[0], as: UTF8.self)
    }
    return result
  }
}
