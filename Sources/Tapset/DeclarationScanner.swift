/// Finds the names that a tapset file declares without parsing it.
///
/// `function`, `probe` and `global` start a declaration wherever they stand outside of strings, comments and C, save
/// behind `.` and `->`: no body may hold them. Branches of `%( … %)` that will not be taken are listed too; parsing
/// the file tells the truth.
struct DeclarationScanner {
  /// What a file declares; private names are left out, as nobody else may use them.
  struct Declarations: Equatable, Sendable {
    var functions: [String] = []
    var globals: [String] = []
    /// Names of aliases, by their first part.
    var aliases: [AliasFamily] = []
    /// A macro stands where a declaration may: only parsing tells what it declares.
    var isOpaque = false
  }

  /// Aliases whose names begin alike, such as `syscall.open` and `syscall.read.return`.
  ///
  /// Libraries have thousands, and scripts ask for few of them, so where a name stands is all that is kept of it.
  struct AliasFamily: Equatable, Sendable {
    let head: String
    /// Where the names stand in the text, whole; ``DeclarationScanner/parts(of:at:)`` reads them.
    var names: [Range<Int>]
  }

  private let text: [UInt8]
  private var position = 0
  private var depth = 0
  private var isInHead = false
  private var isPrivate = false
  private var isMember = false
  private var found = Declarations()
  /// Where the heads of the families stand first.
  private var heads: [Range<Int>] = []

  /// Scans the bytes of one file.
  static func scan(_ text: [UInt8]) -> Declarations {
    var scanner = DeclarationScanner(text: text)
    while scanner.position < text.count { scanner.step() }
    return scanner.found
  }

  /// The parts of an alias's name that stands there: `["syscall", "open"]`.
  static func parts(of text: [UInt8], at name: Range<Int>) -> [String] {
    var scanner = DeclarationScanner(text: text)
    scanner.position = name.lowerBound
    var parts: [String] = []
    while scanner.position < name.upperBound, let part = scanner.readName() {
      parts.append(part)
      guard scanner.skipPartTail() else { break }
    }
    return parts
  }

  private init(text: [UInt8]) { self.text = text }

  private mutating func step() {
    let byte = text[position]
    switch byte {
    case 0x61...0x7a, 0x41...0x5a, 0x5f, 0x24: scanWord()  // a-z A-Z _ $
    case 0x20, 0x09, 0x0a, 0x0d: skipBlanks()
    case 0x22: skipString()  // "
    case 0x23: skipLine()  // #
    case 0x2f: skipSlash()  // /
    case 0x25: skipPercent()  // %
    case 0x40: scanAtWord()  // @
    case 0x7b, 0x7d: scanBrace(byte)  // { }
    default:
      // `.` and the `>` of `->`
      isMember = byte == 0x2e || byte == 0x3e
      position += 1
    }
  }

  private mutating func scanBrace(_ byte: UInt8) {
    depth = max(0, depth + (byte == 0x7b ? 1 : -1))
    if depth == 0 { isInHead = false }
    position += 1
    isMember = false
  }

  private mutating func scanWord() {
    let start = position
    skipWord()
    let wasMember = isMember
    isMember = false
    guard !wasMember else { return }
    // Only the four words below are worth a comparison.
    switch (text[start], position - start) {
    case (0x66, 8) where isWord("function", at: start): scanFunction()
    case (0x67, 6) where isWord("global", at: start): scanGlobals()
    case (0x70, 7) where isWord("private", at: start): scanPrivate()
    case (0x70, 5) where isWord("probe", at: start): scanProbe()
    default: break
    }
  }

  private mutating func scanAtWord() {
    let start = position
    position += 1
    skipWord()
    guard isWord("@define", at: start), position - start == 7 else {
      if depth == 0, !isInHead { found.isOpaque = true }
      return
    }
    skipMacroBody()
  }

  /// Skips `name(parameters) %( … %)`.
  private mutating func skipMacroBody() {
    var open = 0
    while position < text.count {
      switch (text[position], position + 1 < text.count ? text[position + 1] : 0) {
      case (0x22, _): skipString()
      case (0x25, 0x28):
        open += 1
        position += 2
      case (0x25, 0x29):
        open -= 1
        position += 2
        if open <= 0 { return }
      default: position += 1
      }
    }
  }

  private func isWord(_ word: String, at start: Int) -> Bool {
    let count = word.utf8.count
    return start + count <= text.count && text[start..<start + count].elementsEqual(word.utf8)
  }
}

// MARK: - Declarations

extension DeclarationScanner {
  private mutating func startDeclaration() {
    depth = 0
    isInHead = true
  }

  private mutating func scanPrivate() {
    let start = position
    let word = readName() ?? ""
    position = start
    isPrivate = true
    if word != "global", word != "function" { scanGlobals() }
  }

  private mutating func scanFunction() {
    startDeclaration()
    if let name = readName(), !isPrivate { found.functions.append(name) }
    isPrivate = false
  }

  /// Reads `a, b%[10] = 5, c`.
  private mutating func scanGlobals() {
    startDeclaration()
    while let name = readName() {
      if !isPrivate { found.globals.append(name) }
      skipGlobalTail()
      guard position < text.count, text[position] == 0x2c else { break }
      position += 1
    }
    isPrivate = false
    isInHead = false
  }

  /// Skips `% [N] = literal` and stops at anything else.
  private mutating func skipGlobalTail() {
    while position < text.count {
      skipSpace()
      guard position < text.count else { return }
      switch text[position] {
      case 0x22: skipString()
      case 0x25, 0x3d, 0x2d, 0x5b, 0x5d, 0x30...0x39: position += 1  // % = - [ ] digits
      case 0x61...0x66, 0x41...0x46, 0x78, 0x58:  // a-f A-F x X of a number
        guard position > 0, isWordByte(text[position - 1]) else { return }
        position += 1
      default: return
      }
    }
  }

  /// Records the names before each `=` or `+=`; what follows the last one is read as ordinary text.
  private mutating func scanProbe() {
    startDeclaration()
    while let name = readPath() {
      let (first, second) = (byte(0), byte(1))
      guard first == 0x3d && second != 0x3d || first == 0x2b && second == 0x3d else { return }
      position += first == 0x3d ? 1 : 2
      add(name)
    }
  }

  private mutating func add(_ name: Range<Int>) {
    let end = text[name].firstIndex { !isNameByte($0) } ?? name.upperBound
    // A file has few families.
    for (index, head) in heads.enumerated() where isSame(head, name.lowerBound..<end) {
      return found.aliases[index].names.append(name)
    }
    heads.append(name.lowerBound..<end)
    let head = String(decoding: text[name.lowerBound..<end], as: UTF8.self)
    found.aliases.append(AliasFamily(head: head, names: [name]))
  }

  private func isSame(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
    guard left.count == right.count else { return false }
    var distance = 0
    while distance < left.count {
      guard text[left.lowerBound + distance] == text[right.lowerBound + distance] else { return false }
      distance += 1
    }
    return true
  }

  /// Reads past `a.b("x").c`; nil when something else stands here.
  private mutating func readPath() -> Range<Int>? {
    skipSpace()
    let start = position
    while skipName() {
      let end = position
      if !skipPartTail() { return start..<end }
    }
    return nil
  }

  /// Skips `("x").` behind a part of a name; says whether there was a dot.
  private mutating func skipPartTail() -> Bool {
    skipSpace()
    if byte(0) == 0x28 { skipParentheses() }
    skipSpace()
    guard byte(0) == 0x2e else { return false }
    position += 1
    return true
  }

  private mutating func skipParentheses() {
    var open = 0
    repeat {
      switch byte(0) {
      case 0x28: open += 1
      case 0x29: open -= 1
      case 0x22:
        skipString()
        continue
      default: break
      }
      position += 1
    } while open > 0 && position < text.count
  }

  private mutating func readName() -> String? {
    skipSpace()
    let start = position
    return skipName() ? String(decoding: text[start..<position], as: UTF8.self) : nil
  }

  /// Skips white space and a name; says whether one stood there.
  private mutating func skipName() -> Bool {
    skipSpace()
    let start = position
    while position < text.count, isNameByte(text[position]) { position += 1 }
    return position > start
  }
}

// MARK: - Bytes

extension DeclarationScanner {
  private func byte(_ distance: Int) -> UInt8 {
    position + distance < text.count ? text[position + distance] : 0
  }

  /// Letters, digits, `_` and `$`.
  private func isWordByte(_ byte: UInt8) -> Bool {
    let letter = byte | 0x20
    return letter >= 0x61 && letter <= 0x7a || byte >= 0x30 && byte <= 0x39 || byte == 0x5f || byte == 0x24
  }

  /// Names of probe points may hold wildcards.
  private func isNameByte(_ byte: UInt8) -> Bool { isWordByte(byte) || byte == 0x2a }

  private mutating func skipWord() {
    var end = position
    while end < text.count, isWordByte(text[end]) { end += 1 }
    position = end
  }

  private mutating func skipBlanks() {
    var end = position
    while end < text.count, isBlank(text[end]) { end += 1 }
    position = end
  }

  private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte >= 0x09 && byte <= 0x0d }

  /// White space and comments.
  private mutating func skipSpace() {
    while position < text.count {
      switch text[position] {
      case 0x20, 0x09, 0x0a, 0x0d: position += 1
      case 0x23: skipLine()
      case 0x2f where byte(1) == 0x2f || byte(1) == 0x2a: skipSlash()
      default: return
      }
    }
  }

  private mutating func skipString() {
    var end = position + 1
    while end < text.count, text[end] != 0x22, text[end] != 0x0a { end += text[end] == 0x5c ? 2 : 1 }
    position = min(end + 1, text.count)
    isMember = false
  }

  private mutating func skipLine() {
    var end = position
    while end < text.count, text[end] != 0x0a { end += 1 }
    position = end
  }

  private mutating func skipSlash() {
    switch byte(1) {
    case 0x2f: skipLine()
    case 0x2a: skip(past: (0x2a, 0x2f), from: position + 2)
    default:
      position += 1
      isMember = false
    }
  }

  private mutating func skipPercent() {
    isMember = false
    guard byte(1) == 0x7b else {
      // `%(` and its kin are one word: `(` must not look like a bracket of the script.
      position = min(position + 2, text.count)
      return
    }
    if depth == 0 { isInHead = false }
    skip(past: (0x25, 0x7d), from: position + 2)
  }

  private mutating func skip(past end: (UInt8, UInt8), from start: Int) {
    position = min(start, text.count)
    while position < text.count {
      if text[position] == end.0, byte(1) == end.1 { return position += 2 }
      position += 1
    }
  }
}
