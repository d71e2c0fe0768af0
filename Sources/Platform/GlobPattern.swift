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

  /// What lies between two stars.
  private struct Segment: Hashable, Sendable {
    let tokens: [Token]
    /// Its bytes, when it is nothing but bytes: searched as one.
    let literal: [UInt8]?

    init(_ tokens: [Token]) {
      self.tokens = tokens
      let bytes = tokens.compactMap { if case .byte(let byte) = $0 { byte } else { nil } }
      literal = bytes.count == tokens.count ? bytes : nil
    }
  }

  package let description: String
  /// Before the first star, between stars, after the last; a single one has no stars and must fit exactly.
  private let segments: [Segment]

  /// Compiles `pattern`.
  package init(_ pattern: String) {
    description = pattern
    let tokens = GlobPattern.compile(Array(pattern.utf8))
    segments = tokens.split(separator: .star, omittingEmptySubsequences: false).map { Segment(Array($0)) }
  }

  /// Whether anything in it is more than a plain byte.
  package var hasWildcards: Bool { segments.count > 1 || segments[0].literal == nil }

  /// The text that a pattern without wildcards stands for (quotes removed); nil with wildcards.
  package var literal: String? {
    guard segments.count == 1, let bytes = segments[0].literal else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether `text` contains a character that a glob gives a meaning to.
  package static func isGlob(_ text: String) -> Bool {
    text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
  }

  /// Whether `text` contains `**`, which covers any number of components of a probe point.
  package static func spansComponents(_ text: String) -> Bool {
    var followsStar = false
    for byte in text.utf8 {
      let isStar = byte == UInt8(ascii: "*")
      if isStar && followsStar { return true }
      followsStar = isStar
    }
    return false
  }

  /// Whether `pattern` covers all of `text`: for patterns that meet one text only.
  package static func matches(_ text: String, pattern: String) -> Bool {
    let isPlain = !isGlob(pattern) && !pattern.utf8.contains(UInt8(ascii: "\\"))
    guard isPlain else { return GlobPattern(pattern).matches(text) }
    return text.utf8.count == pattern.utf8.count && text.utf8.elementsEqual(pattern.utf8)
  }

  /// Whether the whole of `name` matches.
  package func matches(_ name: String) -> Bool { name.withRawSpan { matches($0) } }

  /// Whether the whole of `name` matches.
  ///
  /// The leftmost fit of each segment leaves most room for the next, so there is nothing to go back for.
  package func matches(_ name: RawSpan) -> Bool {
    let first = segments[0]
    guard fits(first, name, at: 0) else { return false }
    guard let last = segments.dropFirst().last else { return name.byteCount == first.tokens.count }
    var position = first.tokens.count
    for segment in segments.dropFirst().dropLast() {
      guard let start = firstFit(of: segment, in: name, from: position) else { return false }
      position = start + segment.tokens.count
    }
    let start = name.byteCount - last.tokens.count
    return start >= position && fits(last, name, at: start)
  }

  private func firstFit(of segment: Segment, in name: RawSpan, from position: Int) -> Int? {
    if let literal = segment.literal { return name.firstOccurrence(of: literal.rawSpan, from: position) }
    guard position + segment.tokens.count <= name.byteCount else { return nil }
    return (position...name.byteCount - segment.tokens.count).first { fits(segment, name, at: $0) }
  }

  private func fits(_ segment: Segment, _ name: RawSpan, at position: Int) -> Bool {
    let tokens = segment.tokens
    guard position + tokens.count <= name.byteCount else { return false }
    for index in tokens.indices {
      guard let byte = name.byte(at: position + index), accepts(tokens[index], byte) else { return false }
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
