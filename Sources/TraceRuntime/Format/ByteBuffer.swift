package import TraceIR

/// Output as it grows; kept and emptied rather than made anew.
package struct ByteBuffer: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package var count: Int { bytes.count }

  package var isEmpty: Bool { bytes.isEmpty }

  /// Empties it without giving its memory back.
  package mutating func clear() { bytes.removeAll(keepingCapacity: true) }

  /// Drops what was appended after it held `count` bytes.
  package mutating func truncate(to count: Int) {
    if bytes.count > count { bytes.removeSubrange(count...) }
  }

  package mutating func append(_ byte: UInt8) { bytes.append(byte) }

  package mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  package mutating func append(_ other: [UInt8]) { bytes.append(contentsOf: other) }

  package mutating func append(_ other: ArraySlice<UInt8>) { bytes.append(contentsOf: other) }

  package mutating func append(_ text: ByteString) { bytes.append(contentsOf: text.bytes) }

  /// Appends `byte` `count` times; nothing when that is negative.
  package mutating func append(_ byte: UInt8, times count: Int) {
    if count > 0 { bytes.append(contentsOf: repeatElement(byte, count: count)) }
  }

  /// Appends `value` in decimal.
  package mutating func append(decimal value: Int64) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    appendDigits(value.magnitude, base: 10, letters: lowerDigits)
  }

  /// Appends the digits of `value` in 2, 8, 10 or 16.
  mutating func appendDigits(_ value: UInt64, base: UInt64, letters: [UInt8]) {
    if value < base { return bytes.append(letters[Int(value)]) }
    let start = bytes.count
    var rest = value
    while rest != 0 {
      let quotient = rest / base
      bytes.append(letters[Int(rest &- quotient &* base)])
      rest = quotient
    }
    reverse(from: start)
  }

  private mutating func reverse(from start: Int) {
    var low = start
    var high = bytes.count - 1
    while low < high {
      bytes.swapAt(low, high)
      low += 1
      high -= 1
    }
  }
}

/// Digits up to sixteen.
let lowerDigits: [UInt8] = Array("0123456789abcdef".utf8)
let upperDigits: [UInt8] = Array("0123456789ABCDEF".utf8)
