import Synchronization

/// How the running kernel was configured, read when a script first asks.
package final class KernelConfiguration: Sendable {
  private let release: String
  private let settings = Mutex<[String: String]?>(nil)

  /// The configuration of the kernel that calls itself `release`.
  package init(release: String) { self.release = release }

  /// The value of `CONFIG_…`: `y`, `m`, a number, a string without its quotes; nil when it is not set.
  package func value(of name: String) -> String? {
    settings.withLock { settings in
      let known = settings ?? Self.parse(text(ofRelease: release))
      settings = known
      return known[name]
    }
  }

  /// The settings in the text of a `.config` file.
  static func parse(_ text: [UInt8]) -> [String: String] {
    var result: [String: String] = [:]
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: "CONFIG_".utf8) {
      guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
      var value = line[(equals + 1)...]
      let quote = UInt8(ascii: "\"")
      if value.count > 1, value.first == quote, value.last == quote { value = value.dropFirst().dropLast() }
      result[String(decoding: line[..<equals], as: UTF8.self)] = String(decoding: value, as: UTF8.self)
    }
    return result
  }
}

/// The first of the places that have it: the kernel itself (CONFIG_IKCONFIG_PROC), then where distributions put it.
private func text(ofRelease release: String) -> [UInt8] {
  if let packed = try? readSmallFile("/proc/config.gz"), let text = unsafe Zlib.gunzip(packed.span.bytes) {
    return text
  }
  for path in ["/boot/config-\(release)", "/lib/modules/\(release)/config"] {
    if let text = try? readSmallFile(path) { return text }
  }
  return []
}
