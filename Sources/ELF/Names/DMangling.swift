/// Symbols of D (dlang.org, “Application Binary Interface”, section “Name Mangling”).
enum DMangling {
  /// The qualified name, `module.Class.function`, of a symbol that begins with `_D`; nil for another, and for
  /// instances of templates, whose arguments would have to be understood.
  static func demangled(_ symbol: String) -> String? {
    let bytes = Array(symbol.utf8)
    var reader = DReader(bytes: bytes, position: 2)
    var names: [String] = []
    while let name = reader.identifier() { names.append(name) }
    guard !names.isEmpty else { return nil }
    // `__T` begins an instance of a template.
    if reader.position < bytes.count, bytes[reader.position] == UInt8(ascii: "_") { return nil }
    return names.joined(separator: ".")
  }
}

private struct DReader {
  let bytes: [UInt8]
  var position: Int

  /// The next identifier; nil where the type begins.
  mutating func identifier() -> String? {
    guard position < bytes.count else { return nil }
    if bytes[position] == UInt8(ascii: "Q") { return backReference() }
    guard let count = number(), count > 0, count <= bytes.count - position else { return nil }
    let name = bytes[position..<position + count]
    // An instance of a template, `__T…Z`.
    guard !name.starts(with: "__T".utf8), !name.starts(with: "__U".utf8) else { return nil }
    position += count
    return String(decoding: name, as: UTF8.self)
  }

  private mutating func number() -> Int? {
    var value = 0
    let start = position
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
      value = value * 10 + Int(bytes[position] - UInt8(ascii: "0"))
      guard value < 1 << 20 else { return nil }
      position += 1
    }
    return position > start ? value : nil
  }

  /// `Q` and a distance in base 26, whose last digit is a small letter: an identifier that was there before.
  private mutating func backReference() -> String? {
    let start = position
    var distance = 0
    position += 1
    while position < bytes.count, distance < 1 << 20 {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): distance = distance * 26 + Int(byte - UInt8(ascii: "A"))
      case UInt8(ascii: "a")...UInt8(ascii: "z"):
        distance = distance * 26 + Int(byte - UInt8(ascii: "a"))
        guard distance > 0, distance <= start else { return nil }
        var earlier = DReader(bytes: bytes, position: start - distance)
        guard earlier.position < bytes.count, bytes[earlier.position] != UInt8(ascii: "Q") else { return nil }
        return earlier.identifier()
      default: return nil
      }
    }
    return nil
  }
}
