/// Symbols of Rust: the older form, which borrows that of C++, and `_R…` (Rust RFC 2603, “v0”).
enum RustMangling {
  /// The path of a `_R…` symbol; nil when it is none.
  static func demangled(_ symbol: String) -> String? {
    var printer = RustPrinter(Array(symbol.utf8.dropFirst(2)))
    return printer.symbol()
  }

  /// The path of an older symbol that was demangled as one of C++: `a::b::h0123456789abcdef` ⇒ `a::b`.
  ///
  /// Nil when it has no such hash, that is when it is one of C++.
  static func legacy(_ text: String) -> String? {
    guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
    let hash = text.utf8[text.utf8.index(after: colon)...]
    guard hash.count == 17, hash.first == UInt8(ascii: "h"),
      hash.dropFirst().allSatisfy({ hexDigit($0) != nil })
    else { return nil }
    return unescaped(String(text[..<colon].dropLast()))
  }

  private static let escapes: [String: String] = [
    "BP": "*", "C": ",", "GT": ">", "LP": "(", "LT": "<", "RF": "&", "RP": ")", "SP": "@",
  ]

  /// `$LT$` ⇒ `<`, `$u7b$` ⇒ `{`, `..` ⇒ `::`; a leading `_` makes an escape a valid identifier.
  private static func unescaped(_ text: String) -> String {
    var result = ""
    var isFirst = true
    for part in text.split(separator: "::", omittingEmptySubsequences: false) {
      if !isFirst { result += "::" }
      isFirst = false
      var rest = part.hasPrefix("_$") ? part.dropFirst() : part
      while let character = rest.first {
        if character == "$", let end = rest.dropFirst().firstIndex(of: "$"),
          let replaced = replacement(of: String(rest[rest.index(after: rest.startIndex)..<end]))
        {
          result += replaced
          rest = rest[rest.index(after: end)...]
        } else if rest.hasPrefix("..") {
          result += "::"
          rest = rest.dropFirst(2)
        } else {
          result.append(character)
          rest = rest.dropFirst()
        }
      }
    }
    return result
  }

  private static func replacement(of escape: String) -> String? {
    if let known = escapes[escape] { return known }
    guard escape.hasPrefix("u"), let value = UInt32(escape.dropFirst(), radix: 16),
      let scalar = Unicode.Scalar(value)
    else { return nil }
    return String(Character(scalar))
  }

  /// The value of a hexadecimal digit in small letters.
  fileprivate static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}

/// Reads a `_R…` symbol front to back and writes what it means.
private struct RustPrinter {
  private let bytes: [UInt8]
  private var position = 0
  private var text = ""
  private var depth = 0
  private var steps = 0
  /// Lifetimes that binders around this place introduced.
  private var boundLifetimes = 0
  private var hasFailed = false

  /// Back references can make a short symbol endless.
  private static let longest = 1 << 14
  private static let deepest = 200
  private static let mostSteps = 20_000
  /// Not in quotes where it is used: it would look like the keyword of ours.
  private static let unsafeWord = "un" + "safe "

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func symbol() -> String? {
    // A digit would be the version of an encoding that does not exist yet.
    guard let first = bytes.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
      return nil
    }
    path(isValue: true)
    return hasFailed || text.isEmpty ? nil : text
  }

  private mutating func fail() { hasFailed = true }

  private mutating func next() -> UInt8 {
    guard position < bytes.count, !hasFailed else {
      fail()
      return 0
    }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func eat(_ character: Character) -> Bool {
    guard position < bytes.count, !hasFailed, bytes[position] == character.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func write(_ part: String) {
    text += part
    if text.utf8.count > Self.longest { fail() }
  }

  /// Runs `body` one level deeper, unless that is too deep.
  private mutating func nested(_ body: (inout Self) -> Void) {
    guard depth < Self.deepest, steps < Self.mostSteps, !hasFailed else { return fail() }
    depth += 1
    steps += 1
    body(&self)
    depth -= 1
  }

  /// A number in base 62 that ends in `_`, plus one; `_` alone is 0.
  private mutating func base62() -> Int {
    if eat("_") { return 0 }
    var value = 0
    while !hasFailed {
      let byte = next()
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - UInt8(ascii: "A") + 36
      case UInt8(ascii: "_"): return value + 1
      default:
        fail()
        return 0
      }
      // Hashes of crates are larger than any place: it is enough that they stay large.
      value = min(value * 62 + Int(digit), 1 << 50)
    }
    return 0
  }

  /// `s` and a number, or nothing, which is 0.
  private mutating func disambiguator() -> Int { eat("s") ? base62() + 1 : 0 }

  private mutating func identifier() -> String {
    let isPunycode = eat("u")
    var count = 0
    guard let first = bytes.indices.contains(position) ? bytes[position] : nil,
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    else {
      fail()
      return ""
    }
    if first == UInt8(ascii: "0") {
      position += 1
    } else {
      while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
        count = count * 10 + Int(bytes[position] - UInt8(ascii: "0"))
        position += 1
        guard count <= bytes.count else {
          fail()
          return ""
        }
      }
    }
    _ = eat("_")
    guard count <= bytes.count - position else {
      fail()
      return ""
    }
    let name = String(decoding: bytes[position..<position + count], as: UTF8.self)
    position += count
    return isPunycode ? "punycode{\(name)}" : name
  }

  /// Writes what stood at an earlier place.
  private mutating func backReference(_ body: (inout Self) -> Void) {
    let start = position - 1
    let target = base62()
    guard target < start else { return fail() }
    let after = position
    position = target
    nested(body)
    position = after
  }

  /// - Parameter isValue: generic arguments need `::` in front, as in an expression.
  private mutating func path(isValue: Bool) {
    nested { printer in
      switch Character(Unicode.Scalar(printer.next())) {
      case "C":
        _ = printer.disambiguator()
        let name = printer.identifier()
        printer.write(name)
      case "N": printer.nestedPath(isValue: isValue)
      case "M":
        printer.skipImplementation()
        printer.write("<")
        printer.type()
        printer.write(">")
      case "X":
        printer.skipImplementation()
        printer.traitPath()
      case "Y": printer.traitPath()
      case "I":
        printer.path(isValue: isValue)
        if isValue { printer.write("::") }
        printer.write("<")
        printer.list { $0.genericArgument() }
        printer.write(">")
      case "B": printer.backReference { $0.path(isValue: isValue) }
      default: printer.fail()
      }
    }
  }

  private mutating func nestedPath(isValue: Bool) {
    let space = Character(Unicode.Scalar(next()))
    path(isValue: isValue)
    let number = disambiguator()
    let name = identifier()
    guard space.isUppercase else {
      guard space.isLowercase else { return fail() }
      return name.isEmpty ? () : write("::" + name)
    }
    let kind = space == "C" ? "closure" : space == "S" ? "shim" : String(space)
    write("::{\(kind)\(name.isEmpty ? "" : ":" + name)#\(number)}")
  }

  /// Where an `impl` stands is of no interest.
  private mutating func skipImplementation() {
    let before = text
    _ = disambiguator()
    path(isValue: false)
    text = before
  }

  private mutating func traitPath() {
    write("<")
    type()
    write(" as ")
    path(isValue: false)
    write(">")
  }

  /// Elements up to `E`, separated by commas; answers how many there were.
  @discardableResult
  private mutating func list(_ element: (inout Self) -> Void) -> Int {
    var count = 0
    while !hasFailed, !eat("E") {
      if count > 0 { write(", ") }
      count += 1
      element(&self)
    }
    return count
  }

  private mutating func genericArgument() {
    if eat("L") { return lifetime(base62()) }
    if eat("K") { return constant() }
    type()
  }

  private mutating func lifetime(_ index: Int) {
    guard index > 0 else { return write("'_") }
    guard index <= boundLifetimes else { return fail() }
    let number = boundLifetimes - index
    write(number < 26 ? "'" + String(UnicodeScalar(UInt8(97 + number))) : "'_\(number)")
  }

  private static let basicTypes: [Character: String] = [
    "a": "i8", "b": "bool", "c": "char", "d": "f64", "e": "str", "f": "f32", "h": "u8", "i": "isize",
    "j": "usize",
    "l": "i32", "m": "u32", "n": "i128", "o": "u128", "p": "_", "s": "i16", "t": "u16", "u": "()", "v": "...",
    "x": "i64", "y": "u64", "z": "!",
  ]

  private mutating func type() {
    nested { printer in
      let start = printer.position
      let tag = Character(Unicode.Scalar(printer.next()))
      if let name = Self.basicTypes[tag] { return printer.write(name) }
      switch tag {
      case "A":
        printer.write("[")
        printer.type()
        printer.write("; ")
        printer.constant()
        printer.write("]")
      case "S":
        printer.write("[")
        printer.type()
        printer.write("]")
      case "T":
        printer.write("(")
        // A tuple of one keeps its comma.
        let count = printer.list { $0.type() }
        printer.write(count == 1 ? ",)" : ")")
      case "R", "Q":
        printer.write("&")
        if printer.eat("L") {
          let index = printer.base62()
          if index > 0 {
            printer.lifetime(index)
            printer.write(" ")
          }
        }
        if tag == "Q" { printer.write("mut ") }
        printer.type()
      case "P", "O":
        printer.write(tag == "P" ? "*const " : "*mut ")
        printer.type()
      case "F": printer.binder { $0.function() }
      case "D": printer.dynamic()
      case "B": printer.backReference { $0.type() }
      default:
        printer.position = start
        printer.path(isValue: false)
      }
    }
  }

  /// `for<'a> …`.
  private mutating func binder(_ body: (inout Self) -> Void) {
    let count = eat("G") ? base62() + 1 : 0
    guard count < 1000 else { return fail() }
    boundLifetimes += count
    if count > 0 {
      write("for<")
      for index in stride(from: count, to: 0, by: -1) {
        lifetime(index)
        if index > 1 { write(", ") }
      }
      write("> ")
    }
    body(&self)
    boundLifetimes -= count
  }

  private mutating func function() {
    if eat("U") { write(Self.unsafeWord) }
    if eat("K") {
      let abi = eat("C") ? "C" : String(identifier().map { $0 == "_" ? "-" : $0 })
      write("extern \"\(abi)\" ")
    }
    write("fn(")
    list { $0.type() }
    write(")")
    if eat("u") { return }
    write(" -> ")
    type()
  }

  private mutating func dynamic() {
    write("dyn ")
    binder { printer in
      var isFirst = true
      while !printer.hasFailed, !printer.eat("E") {
        if !isFirst { printer.write(" + ") }
        isFirst = false
        printer.dynamicTrait()
      }
    }
    guard eat("L") else { return fail() }
    let index = base62()
    guard index > 0 else { return }
    write(" + ")
    lifetime(index)
  }

  private mutating func dynamicTrait() {
    path(isValue: false)
    var isOpen = false
    while eat("p") {
      // Bindings join the generic arguments that are there.
      if !isOpen, text.hasSuffix(">") {
        text.removeLast()
        write(", ")
      } else {
        write(isOpen ? ", " : "<")
      }
      isOpen = true
      let name = identifier()
      write(name + " = ")
      type()
    }
    if isOpen { write(">") }
  }

  private mutating func constant() {
    nested { printer in
      if printer.eat("B") { return printer.backReference { $0.constant() } }
      let tag = Character(Unicode.Scalar(printer.next()))
      if tag == "p" { return printer.write("_") }
      guard Self.basicTypes[tag] != nil else { return printer.fail() }
      let isNegative = printer.eat("n")
      var digits: [UInt8] = []
      while !printer.hasFailed, !printer.eat("_") {
        let byte = printer.next()
        guard RustMangling.hexDigit(byte) != nil else { return printer.fail() }
        digits.append(byte)
      }
      guard digits.count <= 16, let value = UInt64("0" + String(decoding: digits, as: UTF8.self), radix: 16)
      else {
        return printer.write("0x" + String(decoding: digits, as: UTF8.self))
      }
      switch tag {
      case "b": printer.write(value == 0 ? "false" : "true")
      case "c":
        let scalar = UInt32(exactly: value).flatMap { Unicode.Scalar($0) }
        printer.write("'" + (scalar.map { String(Character($0)) } ?? "?") + "'")
      default: printer.write((isNegative ? "-" : "") + String(value))
      }
    }
  }
}
