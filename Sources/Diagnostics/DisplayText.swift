/// One source line as a terminal shows it, with the column at which each of its bytes appears.
///
/// Tabs become spaces, control characters become visible pictures (a script must not be able to move the
/// cursor of whoever reads its errors), wide characters count two columns and combining ones none.
struct DisplayText {
  private(set) var cells: [Character] = []
  /// The display column (from 0) of every byte of the line, and one more for its end.
  private(set) var columns: [Int] = []

  init(line: ArraySlice<UInt8>) {
    let decoded = String(decoding: line, as: UTF8.self)
    if decoded.utf8.elementsEqual(line) {
      append(decoded)
    } else {
      // Not UTF-8: a column a byte, so that the carets stay true.
      append(
        String(line.map { $0 < 0x80 ? Character(Unicode.Scalar($0)) : "\u{fffd}" }),
        bytesPerCharacter: 1
      )
    }
  }

  private mutating func append(_ line: String, bytesPerCharacter: Int? = nil) {
    var column = 0
    for character in line {
      let start = column
      for shown in Self.picture(of: character, at: column) {
        cells.append(shown)
        column += Self.width(of: shown)
      }
      columns += repeatElement(start, count: bytesPerCharacter ?? character.utf8.count)
    }
    columns.append(column)
  }

  /// Columns that `text` takes, without its start.
  static func width(of text: String) -> Int { text.reduce(0) { $0 + width(of: $1) } }

  /// Columns that one character takes.
  static func width(of character: Character) -> Int {
    guard let first = character.unicodeScalars.first else { return 0 }
    if first.isASCII { return 1 }
    if first.properties.generalCategory == .nonspacingMark { return 0 }
    return isWide(first.value) || character.unicodeScalars.contains("\u{fe0f}") ? 2 : 1
  }

  /// `text` with every control character made visible.
  static func harmless(_ text: String) -> String {
    String(text.flatMap { picture(of: $0, at: 0) })
  }

  private static func picture(of character: Character, at column: Int) -> [Character] {
    if character == "\t" { return Array(repeating: " ", count: 8 - column % 8) }
    return character.unicodeScalars.contains(where: isControl)
      ? character.unicodeScalars.map { Character(visible($0)) }
      : [character]
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    case .format: bidirectional.contains(scalar.value)
    default: false
    }
  }

  /// Characters that reorder what follows them (“Trojan Source”, CVE-2021-42574).
  private static let bidirectional: Set<UInt32> = [
    0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
  ]

  private static func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    guard isControl(scalar) else { return scalar }
    if scalar.value == 0x7f { return "\u{2421}" }
    return scalar.value < 0x20 ? Unicode.Scalar(0x2400 + scalar.value) ?? "\u{fffd}" : "\u{fffd}"
  }

  /// Unicode 15.1, EastAsianWidth.txt: the large blocks of W and F.
  private static func isWide(_ value: UInt32) -> Bool {
    switch value {
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0x9fff: true
    case 0xa000...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f: true
    case 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff: true
    case 0x1f900...0x1faff, 0x20000...0x3fffd: true
    default: false
    }
  }
}
