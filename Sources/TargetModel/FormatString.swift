/// A checked format of `printf`: `print`, `println`, `printd` become one too.
package struct FormatString: Hashable, Sendable {
  /// One piece; every directive takes its operands from the front of what is left.
  package enum Piece: Hashable, Sendable {
    case text(String)
    case directive(Directive)
  }

  /// `%[flag][width][.precision]conversion`.
  package struct Directive: Hashable, Sendable {
    /// A number in the format, or `*`: taken from the operands, before the value.
    package enum Size: Hashable, Sendable {
      case none
      case fixed(Int)
      case dynamic
    }

    /// The conversion character.
    package enum Conversion: String, Hashable, Sendable, CaseIterable {
      case binary = "b", character = "c", decimal = "d", signed = "i", octal = "o", unsigned = "u"
      case hexadecimal = "x", upperHexadecimal = "X", pointer = "p", string = "s"
      case memory = "m", memoryHexadecimal = "M"
    }

    /// The one flag: `0`, `+`, `-`, space, `#`.
    package var flag: Character?
    package var width: Size
    package var precision: Size
    package var conversion: Conversion

    package init(flag: Character?, width: Size, precision: Size, conversion: Conversion) {
      self.flag = flag
      self.width = width
      self.precision = precision
      self.conversion = conversion
    }
  }

  package var pieces: [Piece]

  package init(_ pieces: [Piece]) { self.pieces = pieces }
}
