import Diagnostics

/// Literal numbers and version numbers.
package enum Number {
  /// The value of `strtoull` with base 0, above 2^63 wrapped to a negative number; nil when it is no number.
  package static func value(of text: String) -> Int64? {
    let digits: Substring
    let radix: Int
    if text.hasPrefix("0x") || text.hasPrefix("0X") {
      (digits, radix) = (text.dropFirst(2), 16)
    } else if text.hasPrefix("0"), text.utf8.count > 1 {
      (digits, radix) = (text.dropFirst(1), 8)
    } else {
      (digits, radix) = (text[...], 10)
    }
    guard digits.utf8.allSatisfy({ Byte.value(of: $0) < radix }) else { return nil }
    return UInt64(digits, radix: radix).map { Int64(bitPattern: $0) }
  }
}

/// The order of `strverscmp(3)`: negative when `left` comes first, 0 when both are the same.
///
/// Runs of digits go by their value, unless they start with 0: then they are fractions, and more zeros are less.
/// So `000 < 00 < 01 < 010 < 09 < 0 < 1 < 9 < 10`.
func compareVersions(_ left: String, _ right: String) -> Int {
  let (left, right) = (Array(left.utf8), Array(right.utf8))
  let common = zip(left, right).prefix { $0 == $1 }.count
  let start = left[..<common].lastIndex { !Byte.isDigit($0) }.map { $0 + 1 } ?? 0
  let before = left[start..<common]
  let (first, second) = (byte(left, common), byte(right, common))
  let byBytes = Int(first) - Int(second)
  switch (Byte.isDigit(first), Byte.isDigit(second)) {
  case (false, false): return byBytes
  case (true, true):
    let isFraction = before.first == 0x30 || before.isEmpty && (first == 0x30 || second == 0x30)
    let byLength = digitCount(left, common) - digitCount(right, common)
    return isFraction || byLength == 0 ? byBytes : byLength
  case (let isLeft, _):
    guard let head = before.first else { return byBytes }
    guard head == 0x30 else { return isLeft ? 1 : -1 }
    return before.allSatisfy { $0 == 0x30 } ? (isLeft ? -1 : 1) : byBytes
  }
}

private func byte(_ text: [UInt8], _ index: Int) -> UInt8 { index < text.count ? text[index] : 0 }

private func digitCount(_ text: [UInt8], _ start: Int) -> Int {
  text[start...].prefix { Byte.isDigit($0) }.count
}

extension Diagnostic {
  static func invalidNumber(_ token: Token) -> Diagnostic {
    let isOctal = token.text.hasPrefix("0") && token.text.utf8.allSatisfy { Byte.isDigit($0) }
    let reason =
      isOctal ? "'\(token.text)' starts with 0 but is not octal" : "'\(token.text)' is not a number"
    let isLong = token.text.utf8.count > 16 && token.text.utf8.allSatisfy { Byte.isDigit($0) }
    let message = isLong ? "'\(token.text)' does not fit in 64 bits" : reason
    return Diagnostic(.error, "invalid-number", message, at: token.range)
  }
}
