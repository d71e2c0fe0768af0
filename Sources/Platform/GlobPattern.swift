/// A pattern of `fnmatch(3)` without flags: `*`, `?`, `[a-z]`, `[!a]`, `[[:alpha:]]`, `\` quotes.
///
/// Works on bytes: one `?` is one byte. Compiled once, then matched against tens of thousands of names.
/// A `[` without its `]` stands for itself, as in glibc.
package struct GlobPattern: Hashable, Sendable, CustomStringConvertible {
  private enum Token: Hashable, Sendable {
    case byte(UInt8)
    case anyByte
    case star
    case set(SIMD4<UInt64>)
  }

  package let description: String
  private let tokens: [Token]
  /// The bytes before the first wildcard: most candidates fail here.
  private let prefix: [UInt8]
  /// The rest is one `*` (or several).
  private let isPrefixOnly: Bool
  /// Whether anything in it is more than a plain byte.
  package let hasWildcards: Bool

  /// Compiles `pattern`.
  package init(_ pattern: String) {
    description = pattern
    tokens = GlobPattern.compile(Array(pattern.utf8))
    var literal: [UInt8] = []
    for case .byte(let byte) in tokens.prefix(while: { if case .byte = $0 { true } else { false } }) {
      literal.append(byte)
    }
    prefix = literal
    hasWildcards = literal.count < tokens.count
    isPrefixOnly = hasWildcards && tokens[literal.count...].allSatisfy { $0 == .star }
  }

  /// The text that a pattern without wildcards stands for (quotes removed); nil with wildcards.
  package var literal: String? { hasWildcards ? nil : String(decoding: prefix, as: UTF8.self) }

  /// Whether `text` contains a character that a glob gives a meaning to.
  package static func isGlob(_ text: String) -> Bool {
    text.utf8.contains { [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "[")].contains($0) }
  }

  /// Whether the whole of `name` matches.
  package func matches(_ name: String) -> Bool { name.withRawSpan { matches($0) } }

  /// Whether the whole of `name` matches.
  package func matches(_ name: RawSpan) -> Bool {
    guard name.byteCount >= prefix.count else { return false }
    for index in prefix.indices
    where unsafe name.unsafeLoad(fromByteOffset: index, as: UInt8.self) != prefix[index] {
      return false
    }
    if isPrefixOnly { return true }
    guard hasWildcards else { return name.byteCount == prefix.count }
    return matchesTokens(name)
  }

  /// The usual two-pointer walk: after a mismatch, let the last star swallow one byte more.
  private func matchesTokens(_ name: RawSpan) -> Bool {
    var token = prefix.count
    var position = prefix.count
    var retry: (token: Int, position: Int)?
    while position < name.byteCount || token < tokens.count {
      if token < tokens.count, tokens[token] == .star {
        token += 1
        if token == tokens.count { return true }
        retry = (token, position)
      } else if token < tokens.count, position < name.byteCount,
        accepts(tokens[token], unsafe name.unsafeLoad(fromByteOffset: position, as: UInt8.self))
      {
        token += 1
        position += 1
      } else {
        guard let last = retry, last.position < name.byteCount else { return false }
        token = last.token
        position = last.position + 1
        retry = (last.token, position)
      }
    }
    return true
  }

  private func accepts(_ token: Token, _ byte: UInt8) -> Bool {
    switch token {
    case .byte(let expected): byte == expected
    case .anyByte, .star: true
    case .set(let members): members[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1
    }
  }

  private static func compile(_ pattern: [UInt8]) -> [Token] {
    var tokens: [Token] = []
    var index = 0
    while index < pattern.count {
      switch pattern[index] {
      case UInt8(ascii: "*"):
        if tokens.last != .star { tokens.append(.star) }
      case UInt8(ascii: "?"): tokens.append(.anyByte)
      case UInt8(ascii: "\\") where index + 1 < pattern.count:
        index += 1
        tokens.append(.byte(pattern[index]))
      case UInt8(ascii: "["):
        if let (members, end) = compileSet(pattern, from: index + 1) {
          tokens.append(.set(members))
          index = end
        } else {
          tokens.append(.byte(pattern[index]))
        }
      default: tokens.append(.byte(pattern[index]))
      }
      index += 1
    }
    return tokens
  }

  /// Reads a bracket expression after its `[`; gives the members and the index of its `]`.
  private static func compileSet(_ pattern: [UInt8], from start: Int) -> (SIMD4<UInt64>, Int)? {
    var members = SIMD4<UInt64>()
    var index = start
    let isNegated = index < pattern.count && [UInt8(ascii: "!"), UInt8(ascii: "^")].contains(pattern[index])
    if isNegated { index += 1 }
    let first = index
    while index < pattern.count {
      if pattern[index] == UInt8(ascii: "]") && index > first {
        return (isNegated ? ~members : members, index)
      }
      if let (bytes, end) = characterClass(pattern, at: index) {
        for byte in bytes { insert(byte, into: &members) }
        index = end
        continue
      }
      if pattern[index] == UInt8(ascii: "\\") && index + 1 < pattern.count { index += 1 }
      let low = pattern[index]
      var high = low
      if index + 2 < pattern.count, pattern[index + 1] == UInt8(ascii: "-"),
        pattern[index + 2] != UInt8(ascii: "]")
      {
        index += pattern[index + 2] == UInt8(ascii: "\\") && index + 3 < pattern.count ? 3 : 2
        high = pattern[index]
      }
      if low <= high { for byte in low...high { insert(byte, into: &members) } }
      index += 1
    }
    return nil
  }

  private static func insert(_ byte: UInt8, into members: inout SIMD4<UInt64>) {
    members[Int(byte >> 6)] |= 1 << UInt64(byte & 63)
  }

  /// `[:name:]` inside a bracket expression, by the C locale; gives its bytes and the index after it.
  private static func characterClass(_ pattern: [UInt8], at index: Int) -> ([UInt8], Int)? {
    guard pattern[index...].starts(with: Array("[:".utf8)) else { return nil }
    for (name, ranges) in characterClasses where pattern[(index + 2)...].starts(with: Array("\(name):]".utf8))
    {
      return (ranges.flatMap(Array.init), index + name.utf8.count + 4)
    }
    return nil
  }
}

/// The character classes of the C locale (POSIX, section 7.3.1).
private let characterClasses: [(String, [ClosedRange<UInt8>])] = [
  ("alnum", [0x30...0x39, 0x41...0x5a, 0x61...0x7a]),
  ("alpha", [0x41...0x5a, 0x61...0x7a]),
  ("blank", [0x09...0x09, 0x20...0x20]),
  ("cntrl", [0x00...0x1f, 0x7f...0x7f]),
  ("digit", [0x30...0x39]),
  ("graph", [0x21...0x7e]),
  ("lower", [0x61...0x7a]),
  ("print", [0x20...0x7e]),
  ("punct", [0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e]),
  ("space", [0x09...0x0d, 0x20...0x20]),
  ("upper", [0x41...0x5a]),
  ("xdigit", [0x30...0x39, 0x41...0x46, 0x61...0x66]),
]
