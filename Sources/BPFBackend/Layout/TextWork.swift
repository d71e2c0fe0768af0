/// A piece of scratch memory through which string subprograms are asked more than registers hold.
///
/// What they keep here the verifier takes for any number, as it must.
enum TextWork {
  static let byteCount = 128

  // A directive of `sprintf`; 32 bits each.
  static let base = 0
  static let flags = 4
  static let prefixByteCount = 8
  static let prefix = 12
  /// 64 bits each; a negative width means left-justified, a negative precision none.
  static let width = 16
  static let precision = 24

  // While a number is printed: 64 bits each.
  static let digitCount = 32
  static let zeroCount = 40
  static let padding = 48
  static let rest = 56
  /// Digits are written from the end of this area.
  static let digits = 64
  static let digitByteCount = 32

  /// Short strings of the caller's, one after the other: a length and 12 bytes each.
  static let character = 96
  static let escaped = 112

  /// Bits of `flags`.
  enum Flag {
    static let left: Int32 = 1
    static let zero: Int32 = 2
    static let signed: Int32 = 4
    static let octal: Int32 = 8
    static let upper: Int32 = 16
    /// The prefix stays when a negative width takes the place of other flags: `%p`.
    static let keepsPrefix: Int32 = 32
    /// A NUL behind a string: `%0s`.
    static let terminated: Int32 = 2
  }
}
