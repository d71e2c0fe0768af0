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
    /// Names of aliases, in their parts: `["syscall", "open"]`.
    var aliases: [[String]] = []
    /// A macro stands where a declaration may: only parsing tells what it declares.
    var isOpaque = false
  }

  private let text: [UInt8]
  private var position = 0
  private var depth = 0
  private var isInHead = false
  private var isPrivate = false
  private var isMember = false
  private var found = Declarations()

  /// Scans the bytes of one file.
  static func scan(_ text: [UInt8]) -> Declarations {
    var scanner = DeclarationScanner(text: text)
    while scanner.position < text.count { scanner.step() }
    return scanner.found
  }

  private init(text: [UInt8]) { self.text = text }

  private mutating func step() {
    let byte = text[position]
    switch byte {
    case 0x61...0x7a, 0x41...0x5a, 0x5f, 0x24: scanWord()  // a-z A-Z _ $
    case 0x20, 0x09, 0x0a, 0x0d: position += 1
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

  private func isWord(_ word: StaticString, at start: Int) -> Bool {
    guard start + word.utf8CodeUnitCount <= text.count else { return false }
    return text[start..<start + word.utf8CodeUnitCount].elementsEqual(word.description.utf8)
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
    while let parts = readPath() {
      skipSpace()
      let (first, second) = (byte(0), byte(1))
      guard first == 0x3d && second != 0x3d || first == 0x2b && second == 0x3d else { return }
      position += first == 0x3d ? 1 : 2
      found.aliases.append(parts)
    }
  }

  /// `a.b("x").c`; nil when something else stands here.
  private mutating func readPath() -> [String]? {
    var parts: [String] = []
    while let part = readName() {
      parts.append(part)
      skipSpace()
      if byte(0) == 0x28 { skipParentheses() }
      skipSpace()
      guard byte(0) == 0x2e else { return parts }
      position += 1
    }
    return nil
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
    while position < text.count, isWordByte(text[position]) || text[position] == 0x2a { position += 1 }
    guard position > start else { return nil }
    return String(decoding: text[start..<position], as: UTF8.self)
  }
}

// MARK: - Bytes

extension DeclarationScanner {
  private func byte(_ distance: Int) -> UInt8 {
    position + distance < text.count ? text[position + distance] : 0
  }

  private func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x61...0x7a, 0x41...0x5a, 0x30...0x39, 0x5f, 0x24: true
    default: false
    }
  }

  private mutating func skipWord() {
    while position < text.count, isWordByte(text[position]) { position += 1 }
  }

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
    position += 1
    while position < text.count, text[position] != 0x22, text[position] != 0x0a {
      position += text[position] == 0x5c ? 2 : 1
    }
    position = min(position + 1, text.count)
    isMember = false
  }

  private mutating func skipLine() {
    while position < text.count, text[position] != 0x0a { position += 1 }
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
