extension String {
  /// Whether this text comes before `other` where numbers count by their value: `f.c:9` before `f.c:10`.
  ///
  /// Everything else goes by its bytes, as `<` of ASCII does; a total order, in which texts that differ only in zeros before a
  /// number go by their bytes.
  package func naturallyPrecedes(_ other: String) -> Bool {
    var (left, right) = (utf8[...], other.utf8[...])
    while let first = left.first, let second = right.first {
      if first.isDigit, second.isDigit {
        let (number, otherNumber) = (left.takeDigits(), right.takeDigits())
        if number.count != otherNumber.count { return number.count < otherNumber.count }
        if !number.elementsEqual(otherNumber) { return number.lexicographicallyPrecedes(otherNumber) }
      } else {
        if first != second { return first < second }
        left.removeFirst()
        right.removeFirst()
      }
    }
    if left.isEmpty != right.isEmpty { return left.isEmpty }
    return utf8.lexicographicallyPrecedes(other.utf8)
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
}

extension Substring.UTF8View {
  /// Takes the digits at the start away; gives them without zeros before them.
  fileprivate mutating func takeDigits() -> Substring.UTF8View {
    let digits = prefix(while: \.isDigit)
    self = self[digits.endIndex...]
    return digits.drop { $0 == UInt8(ascii: "0") }
  }
}
