package import TargetModel
package import TraceIR

/// A directive of `printf` with its numbers known: `%[flag][width][.precision]conversion`.
///
/// Source: SystemTap langref, “printf”, and stap(1), “PRINTING”. Integers are 64 bits wide. Where C and
/// SystemTap differ we follow SystemTap: `%p` is `%#x`, `%#x` of 0 is `0x0`, `%0s` appends a NUL.
package struct PrintfDirective: Hashable, Sendable {
  package typealias Conversion = FormatString.Directive.Conversion

  package var flag: Character?
  package var width: Int
  /// Nil: none was given.
  package var precision: Int?
  package var conversion: Conversion

  package init(_ conversion: Conversion, flag: Character? = nil, width: Int = 0, precision: Int? = nil) {
    self.flag = flag
    self.width = width
    self.precision = precision
    self.conversion = conversion
  }

  /// Sets what `*` stood for; a negative width means left-justified, a negative precision none, as in C.
  package mutating func resolve(width dynamicWidth: Int64?, precision dynamicPrecision: Int64?) {
    if let dynamicWidth {
      if dynamicWidth < 0 { flag = "-" }
      width = Int(min(dynamicWidth.magnitude, 1 << 20))
    }
    if let dynamicPrecision { precision = dynamicPrecision < 0 ? nil : Int(min(dynamicPrecision, 1 << 20)) }
  }
}

extension ByteBuffer {
  /// Prints a long.
  package mutating func append(_ value: Int64, as directive: PrintfDirective) {
    switch directive.conversion {
    case .decimal, .signed: appendSigned(value, directive)
    case .unsigned, .octal, .hexadecimal, .upperHexadecimal, .pointer:
      appendUnsigned(UInt64(bitPattern: value), directive)
    case .character: appendCharacter(UInt8(truncatingIfNeeded: value), directive)
    case .binary: appendBinary(UInt64(bitPattern: value), directive)
    case .string, .memory, .memoryHexadecimal: append(decimal: value)
    }
  }

  /// Prints a string, or the bytes that `%m` and `%M` have read.
  package mutating func append(_ text: ByteString, as directive: PrintfDirective) {
    if directive.conversion == .memoryHexadecimal {
      var digits = ByteBuffer()
      for byte in text.bytes {
        digits.append(lowerDigits[Int(byte >> 4)])
        digits.append(lowerDigits[Int(byte & 15)])
      }
      return appendPadded(digits.bytes[...], directive)
    }
    let limit = directive.conversion == .string ? directive.precision ?? text.count : text.count
    appendPadded(text.bytes[..<min(limit, text.count)], directive)
    if directive.flag == "0", directive.conversion == .string { append(UInt8(0)) }
  }

  private mutating func appendPadded(_ slice: ArraySlice<UInt8>, _ directive: PrintfDirective) {
    let padding = directive.width - slice.count
    if directive.flag != "-" { append(UInt8(ascii: " "), times: padding) }
    append(slice)
    if directive.flag == "-" { append(UInt8(ascii: " "), times: padding) }
  }

  private mutating func appendSigned(_ value: Int64, _ directive: PrintfDirective) {
    if directive.width == 0, directive.flag == nil, directive.precision == nil {
      return append(decimal: value)
    }
    let sign: String =
      value < 0 ? "-" : directive.flag == "+" ? "+" : directive.flag == " " ? " " : ""
    appendNumber(value.magnitude, base: 10, letters: lowerDigits, prefix: sign, directive)
  }

  private mutating func appendUnsigned(_ value: UInt64, _ directive: PrintfDirective) {
    let isAlternate = directive.flag == "#"
    switch directive.conversion {
    case .octal:
      let hasZero = (directive.precision ?? 0) > numberOfDigits(value, base: 8)
      let prefix = isAlternate && value != 0 && !hasZero ? "0" : ""
      appendNumber(value, base: 8, letters: lowerDigits, prefix: prefix, directive)
    case .hexadecimal:
      appendNumber(value, base: 16, letters: lowerDigits, prefix: isAlternate ? "0x" : "", directive)
    case .upperHexadecimal:
      appendNumber(value, base: 16, letters: upperDigits, prefix: isAlternate ? "0X" : "", directive)
    case .pointer: appendNumber(value, base: 16, letters: lowerDigits, prefix: "0x", directive)
    default: appendNumber(value, base: 10, letters: lowerDigits, prefix: "", directive)
    }
  }

  private mutating func appendNumber(
    _ value: UInt64,
    base: UInt64,
    letters: [UInt8],
    prefix: String,
    _ directive: PrintfDirective
  ) {
    let isNothing = value == 0 && directive.precision == 0
    let digitCount = isNothing ? 0 : numberOfDigits(value, base: base)
    var zeros = max(0, (directive.precision ?? 0) - digitCount)
    var padding = directive.width - prefix.utf8.count - zeros - digitCount
    if directive.flag == "0", directive.precision == nil, padding > 0 {
      zeros += padding
      padding = 0
    }
    if directive.flag != "-" { append(UInt8(ascii: " "), times: padding) }
    append(prefix)
    append(UInt8(ascii: "0"), times: zeros)
    if !isNothing { appendDigits(value, base: base, letters: letters) }
    if directive.flag == "-" { append(UInt8(ascii: " "), times: padding) }
  }

  private func numberOfDigits(_ value: UInt64, base: UInt64) -> Int {
    var count = 1
    var rest = value / base
    while rest != 0 {
      count += 1
      rest /= base
    }
    return count
  }

  private mutating func appendCharacter(_ byte: UInt8, _ directive: PrintfDirective) {
    guard directive.flag == "#" else { return appendPadded([byte], directive) }
    var escaped = ByteBuffer()
    escaped.appendEscaped(byte, quote: UInt8(ascii: "'"))
    appendPadded(escaped.bytes[...], directive)
  }

  /// Raw bytes in the machine's order; the width says how many.
  private mutating func appendBinary(_ value: UInt64, _ directive: PrintfDirective) {
    let count = [1, 2, 4].contains(directive.width) ? directive.width : 8
    for index in 0..<count { append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
  }
}
