/// A regular expression as a tree.
indirect enum RegexNode: Hashable {
  case empty
  /// One byte out of a set.
  case set(ByteSet)
  case sequence([RegexNode])
  case alternatives([RegexNode])
  /// `count` nil: no upper bound.
  case repeated(RegexNode, minimum: Int, maximum: Int?)
  /// The n-th pair of parentheses, from 1.
  case group(RegexNode, Int)
  case start
  case end
}

extension RegexNode {
  /// How many states an automaton for it has, about; `Int.max` when that does not fit.
  var stateCount: Int {
    switch self {
    case .empty: 0
    case .set, .start, .end: 1
    case .sequence(let parts), .alternatives(let parts): parts.reduce(1) { $0.addingClamping($1.stateCount) }
    case .repeated(let body, let minimum, let maximum):
      body.stateCount.addingClamping(1).multiplyingClamping(max(1, minimum, maximum ?? 0))
    case .group(let body, _): body.stateCount.addingClamping(2)
    }
  }
}

extension Int {
  fileprivate func addingClamping(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  fileprivate func multiplyingClamping(_ other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}

/// A set of byte values.
struct ByteSet: Hashable {
  private var words: SIMD4<UInt64> = .zero

  init() {}

  init(_ byte: UInt8) { insert(byte) }

  /// All 256 values.
  static var all: ByteSet {
    var set = ByteSet()
    set.words = SIMD4(repeating: .max)
    return set
  }

  mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }

  mutating func formUnion(_ other: ByteSet) { words |= other.words }

  mutating func invert() { words = ~words }

  func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1 }
}

/// Why a regular expression is refused.
package struct RegexError: Error, Hashable, Sendable {
  package var message: String
  /// Bytes from the start of the pattern.
  package var offset: Int
}

/// Reads POSIX extended regular expressions without back references.
///
/// Source: POSIX.1-2017, section 9.4; SystemTap's stap(1), "REGULAR EXPRESSION MATCHING". Escapes `\n \t \r \f
/// \v \a`, `\xHH` and octal numbers stand for a byte, other escaped characters for themselves.
struct RegexParser {
  private let bytes: [UInt8]
  private var position = 0
  private(set) var groupCount = 0

  init(_ pattern: String) { bytes = Array(pattern.utf8) }

  /// The whole pattern.
  mutating func parse() throws(RegexError) -> RegexNode {
    let node = try parseAlternatives()
    guard position == bytes.count else { throw RegexError(message: "unmatched ')'", offset: position) }
    return node
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ character: Character) -> Bool {
    guard let byte = next, byte == character.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func parseAlternatives() throws(RegexError) -> RegexNode {
    var branches = [try parseSequence()]
    while take("|") { branches.append(try parseSequence()) }
    return branches.count == 1 ? branches[0] : .alternatives(branches)
  }

  private mutating func parseSequence() throws(RegexError) -> RegexNode {
    var parts: [RegexNode] = []
    while let byte = next, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
      parts.append(try parseRepeated())
    }
    return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
  }

  private mutating func parseRepeated() throws(RegexError) -> RegexNode {
    var node = try parseAtom()
    while let byte = next {
      switch byte {
      case UInt8(ascii: "*"): node = .repeated(node, minimum: 0, maximum: nil)
      case UInt8(ascii: "+"): node = .repeated(node, minimum: 1, maximum: nil)
      case UInt8(ascii: "?"): node = .repeated(node, minimum: 0, maximum: 1)
      case UInt8(ascii: "{"):
        position += 1
        node = try parseBounds(of: node)
        continue
      default: return node
      }
      position += 1
    }
    return node
  }

  private mutating func parseBounds(of node: RegexNode) throws(RegexError) -> RegexNode {
    let start = position
    let minimum = parseNumber()
    var maximum = minimum
    if take(",") { maximum = parseNumber() }
    guard let minimum, take("}"), maximum ?? minimum >= minimum, max(minimum, maximum ?? 0) <= 255 else {
      throw RegexError(message: "invalid repetition", offset: start)
    }
    return .repeated(node, minimum: minimum, maximum: maximum)
  }

  private mutating func parseNumber() -> Int? {
    var value: Int?
    while let byte = next, (48...57).contains(byte), (value ?? 0) < 1000 {
      value = (value ?? 0) * 10 + Int(byte - 48)
      position += 1
    }
    return value
  }

  private mutating func parseAtom() throws(RegexError) -> RegexNode {
    let start = position
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "("): return try parseGroup(at: start)
    case UInt8(ascii: "["): return .set(try parseBracket(at: start))
    case UInt8(ascii: "."): return .set(.all)
    case UInt8(ascii: "^"): return .start
    case UInt8(ascii: "$"): return .end
    case UInt8(ascii: "\\"): return .set(ByteSet(try parseEscape()))
    case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"):
      throw RegexError(message: "nothing to repeat", offset: start)
    default: return .set(ByteSet(byte))
    }
  }

  private mutating func parseGroup(at start: Int) throws(RegexError) -> RegexNode {
    groupCount += 1
    let number = groupCount
    let node = try parseAlternatives()
    guard take(")") else { throw RegexError(message: "unmatched '('", offset: start) }
    return .group(node, number)
  }

  private mutating func parseEscape() throws(RegexError) -> UInt8 {
    guard let byte = next else { throw RegexError(message: "trailing backslash", offset: position) }
    position += 1
    switch byte {
    case UInt8(ascii: "n"): return 10
    case UInt8(ascii: "t"): return 9
    case UInt8(ascii: "r"): return 13
    case UInt8(ascii: "f"): return 12
    case UInt8(ascii: "v"): return 11
    case UInt8(ascii: "a"): return 7
    case UInt8(ascii: "x"): return parseDigits(base: 16, atMost: 2) ?? byte
    case UInt8(ascii: "0"): return parseDigits(base: 8, atMost: 3) ?? 0
    case UInt8(ascii: "1")...UInt8(ascii: "9"):
      throw RegexError(message: "back references are not supported", offset: position - 2)
    default: return byte
    }
  }

  private mutating func parseDigits(base: Int, atMost limit: Int) -> UInt8? {
    var value: Int?
    for _ in 0..<limit {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < base else {
        break
      }
      value = (value ?? 0) * base + digit
      position += 1
    }
    return value.map { UInt8(truncatingIfNeeded: $0) }
  }

  /// POSIX.1-2017, section 9.3.5; a backslash is an escape here too, as SystemTap has it.
  private mutating func parseBracket(at start: Int) throws(RegexError) -> ByteSet {
    var set = ByteSet()
    let isInverted = take("^")
    var isFirst = true
    while let byte = next, isFirst || byte != UInt8(ascii: "]") {
      isFirst = false
      if let named = try parseNamedClass(at: start) {
        set.formUnion(named)
        continue
      }
      let low = try parseBracketByte()
      var high = low
      if next == UInt8(ascii: "-"), position + 1 < bytes.count, bytes[position + 1] != UInt8(ascii: "]") {
        position += 1
        high = try parseBracketByte()
      }
      guard low <= high else { throw RegexError(message: "invalid range", offset: position) }
      for member in low...high { set.insert(member) }
    }
    guard take("]") else { throw RegexError(message: "unmatched '['", offset: start) }
    if isInverted { set.invert() }
    return set
  }

  private mutating func parseBracketByte() throws(RegexError) -> UInt8 {
    guard let byte = next else { throw RegexError(message: "unmatched '['", offset: position) }
    position += 1
    return byte == UInt8(ascii: "\\") ? try parseEscape() : byte
  }

  private mutating func parseNamedClass(at start: Int) throws(RegexError) -> ByteSet? {
    guard next == UInt8(ascii: "["), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: ":")
    else {
      return nil
    }
    var end = position + 2
    while end < bytes.count, bytes[end] != UInt8(ascii: ":") { end += 1 }
    let name = String(decoding: bytes[(position + 2)..<end], as: UTF8.self)
    guard let ranges = namedClasses[name], end + 1 < bytes.count, bytes[end + 1] == UInt8(ascii: "]") else {
      throw RegexError(message: "unknown character class '[:\(name):]'", offset: position)
    }
    position = end + 2
    var set = ByteSet()
    for range in ranges { for byte in range { set.insert(byte) } }
    return set
  }
}

/// Character classes in the C locale (POSIX.1-2017, section 7.3.1).
private let namedClasses: [String: [ClosedRange<UInt8>]] = [
  "alnum": [48...57, 65...90, 97...122],
  "alpha": [65...90, 97...122],
  "blank": [9...9, 32...32],
  "cntrl": [0...31, 127...127],
  "digit": [48...57],
  "graph": [33...126],
  "lower": [97...122],
  "print": [32...126],
  "punct": [33...47, 58...64, 91...96, 123...126],
  "space": [9...13, 32...32],
  "upper": [65...90],
  "xdigit": [48...57, 65...70, 97...102],
]
