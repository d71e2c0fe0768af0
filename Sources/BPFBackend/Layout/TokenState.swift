/// What `tokenize` remembers during a hit: in scratch memory, all zeros at its beginning.
enum TokenState {
  /// 64 bits: where in the text the next token is looked for.
  static let position = 0
  /// A bit for each byte, set for delimiters.
  static let delimiters = 8
  /// The text: a string.
  static let textOffset = 40
}
