import Diagnostics

/// A word of a script, as the lexer gives it and the preprocessor passes it on.
struct Token: Sendable {
  /// What sort of word.
  enum Kind: Hashable, Sendable {
    case identifier
    case keyword
    /// `@name`: an operator such as `@count`, or a macro.
    case atWord
    case number
    /// A literal string; `text` is unescaped.
    case string
    case punctuation
    /// `%{ … %}`; `text` is what stands between.
    case embeddedC
    /// Not a word; the index of its diagnostic in ``TokenList/problems``, told only when the word is used. With -1
    /// it stands where the preprocessor gave up and said why: the parser goes on silently behind it.
    case invalid(Int)
    case endOfFile
  }

  var kind: Kind
  var text: String
  var range: SourceRange
  /// White space or a comment stands before it: pieces of a wildcard name must touch.
  var followsSpace: Bool
  /// Whether it is the first word of its line; error recovery trusts that.
  var startsLine: Bool
  /// Index in ``TokenList/expansions``, or -1 for a word of the file itself.
  var expansion: Int32 = -1

  /// Whether this is the operator or bracket `text`.
  func isPunctuation(_ text: String) -> Bool { kind == .punctuation && self.text == text }

  /// Whether this is the keyword `text`.
  func isKeyword(_ text: String) -> Bool { kind == .keyword && self.text == text }

  /// This word as one that the parser may not take.
  var spoiled: Token {
    var result = self
    result.kind = .invalid(-1)
    return result
  }

  /// How messages call it.
  var description: String {
    switch kind {
    case .identifier, .atWord, .punctuation, .number, .invalid: "'\(text)'"
    case .keyword: "keyword '\(text)'"
    case .string: "a string"
    case .embeddedC: "embedded C"
    case .endOfFile: "the end of the script"
    }
  }
}

/// One use of a macro.
struct Expansion: Sendable {
  let macro: String
  let call: SourceRange
  /// The use that this one came from, or -1.
  let parent: Int32
}

/// What the lexer and then the preprocessor make of a file; the last token is always `.endOfFile`.
struct TokenList: Sendable {
  var tokens: [Token] = []
  var expansions: [Expansion] = []
  /// What is wrong with the `.invalid` tokens.
  var problems: [Diagnostic] = []
  /// What is wrong for certain.
  var diagnostics: [Diagnostic] = []
  /// Script arguments that the text mentions, from 1.
  var usedArguments: Set<Int> = []
  /// Every macro that the text may use, for “did you mean”.
  var macroNames: [String] = []

  /// Whether the text looks at arguments by way of the tapset's `argc` and `argv`.
  var readsArgumentVector: Bool {
    tokens.contains { $0.kind == .identifier && ($0.text == "argv" || $0.text == "argc") }
  }
}

/// Words that cannot name a variable (SystemTap langref, “Reserved words”, and systemtap.md, section 1.1).
private let keywords = [
  "break", "catch", "continue", "delete", "else", "for", "foreach", "function", "global", "if", "in", "limit",
  "long", "next", "private", "probe", "return", "string", "try", "while",
].map { packed($0.utf8) }

/// Whether `word` is a keyword; words of up to eight bytes are compared as numbers.
func isKeyword(_ word: String) -> Bool { word.utf8.count <= 8 && keywords.contains(packed(word.utf8)) }

private func packed(_ bytes: String.UTF8View) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

/// The operators that are spelled as `@word` (systemtap.md, section 1.1).
let atWords: Set<String> = [
  "avg", "cast", "const", "count", "defined", "entry", "enum", "enumname", "hist_linear", "hist_log",
  "kderef",
  "kregister", "max", "min", "perf", "probewrite", "sum", "uderef", "uregister", "var", "variance",
]
