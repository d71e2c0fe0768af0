/// A release of the kernel as its first two numbers say it: `6.1` of `6.1.0-51-amd64`.
package struct LinuxVersion: Hashable, Comparable, Sendable {
  package let major: Int
  package let minor: Int

  /// Nil when `release` does not begin with two numbers.
  package init?(release: String) {
    let parts = release.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 2, let major = Self.number(parts[0]), let minor = Self.number(parts[1]) else {
      return nil
    }
    (self.major, self.minor) = (major, minor)
  }

  package static func < (left: Self, right: Self) -> Bool {
    (left.major, left.minor) < (right.major, right.minor)
  }

  /// The digits that `text` begins with: `18-rc1` is 18.
  private static func number(_ text: Substring) -> Int? { Int(text.prefix { ("0"..."9").contains($0) }) }
}
