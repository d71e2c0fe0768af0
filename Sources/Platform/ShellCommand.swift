/// A command line as sh(1) reads it, so far as it takes to tell which process it becomes.
///
/// Source: POSIX.1-2017, Shell Command Language, sections 2.2 to 2.10.
package struct ShellCommand: Hashable, Sendable {
  /// As the user wrote it.
  package let text: String
  /// The name of the program that the command is, with its quotes undone; nil for what a shell must do itself: several
  /// commands, builtins, a name that only an expansion tells.
  package let program: String?
  /// Assignments before the name, as written.
  private let assignments: [String]
  /// Everything from the name on, as written.
  private let invocation: String

  /// Reads `text`.
  package init(_ text: String) {
    self.text = text
    var scanner = WordScanner(text)
    var assignments: [String] = []
    while let word = scanner.next(), word.isAssignment { assignments.append(word.raw) }
    self.assignments = assignments
    let name = scanner.last.flatMap { $0.isAssignment ? nil : $0 }
    invocation = name.map { String(text[$0.start...]) } ?? ""
    while scanner.next() != nil {}
    let isOne = name != nil && !scanner.hasOperator
    program = isOne ? name?.literal.flatMap { shellWords.contains($0) ? nil : $0 } : nil
  }

  /// The first word that names something, for messages.
  package var firstWord: String { String(text.split(whereSeparator: \.isWhitespace).first ?? "") }

  /// What a shell runs to become the command: `exec`, so that its process is the command's.
  ///
  /// What is not one program becomes a shell of its own, as every command does for SystemTap.
  package var replacement: String {
    guard program != nil else { return "exec /bin/sh -c \(text.shellQuoted)" }
    let exports = assignments.map { assignment in
      "\(assignment); export \(assignment.prefix { $0 != "=" }); "
    }
    return exports.joined() + "exec \(invocation)"
  }
}

extension String {
  /// One word that means these characters to sh(1).
  package var shellQuoted: String {
    "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}

/// Reserved words, and builtins that are no programs: POSIX.1-2017, 2.4 and 2.14, and 1.6 of XCU.
private let shellWords: Set<String> = [
  "!", ".", ":", "[[", "alias", "bg", "break", "case", "cd", "command", "continue", "do", "done", "elif",
  "else",
  "esac", "eval", "exec", "exit", "export", "fc", "fg", "fi", "for", "function", "getopts", "hash", "if",
  "in",
  "jobs", "local", "read", "readonly", "return", "set", "shift", "source", "then", "times", "trap", "type",
  "ulimit", "umask", "unalias", "unset", "until", "wait", "while", "{", "}",
]

/// Splits a command line into words; operators other than redirections are only noticed.
private struct WordScanner {
  struct Word {
    let raw: String
    let start: String.Index
    /// Without quotes; nil when something in it must be expanded.
    let literal: String?

    /// `NAME=value`.
    var isAssignment: Bool {
      let name = raw.prefix { $0 != "=" }
      guard name.count < raw.count, let first = name.first, first == "_" || first.isLetter else {
        return false
      }
      return name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }
  }

  private let text: String
  private var position: String.Index
  private(set) var last: Word?
  /// Several commands, a list, a group, a pipeline, a comment, a quote without its end.
  private(set) var hasOperator = false

  init(_ text: String) {
    self.text = text
    position = text.startIndex
  }

  private var current: Character? { position < text.endIndex ? text[position] : nil }

  private mutating func advance() { position = text.index(after: position) }

  /// The next word; nil at the end.
  mutating func next() -> Word? {
    while let character = current, character == " " || character == "\t" { advance() }
    guard position < text.endIndex else { return nil }
    let start = position
    var literal = ""
    var isLiteral = true
    if current == "#" { hasOperator = true }
    while let character = current, character != " ", character != "\t" {
      advance()
      switch character {
      case "'": literal += quoted(by: "'")
      case "\"":
        let part = quoted(by: "\"")
        if part.contains(where: { "$`\\".contains($0) }) { isLiteral = false }
        literal += part
      case "\\":
        guard let escaped = current else { break }
        literal.append(escaped)
        advance()
      case ">", "<":
        // A redirection is no part of a name; `&` behind it is no list.
        isLiteral = false
        if start == text.index(before: position), last == nil { hasOperator = true }
        while let following = current, "><&|".contains(following) { advance() }
      case ";", "&", "|", "(", ")", "\n": hasOperator = true
      case "$", "`", "*", "?", "[", "~", "{":
        isLiteral = false
        literal.append(character)
      default: literal.append(character)
      }
    }
    last = Word(raw: String(text[start..<position]), start: start, literal: isLiteral ? literal : nil)
    return last
  }

  private mutating func quoted(by quote: Character) -> String {
    var content = ""
    while let character = current, character != quote {
      advance()
      content.append(character)
      guard quote == "\"", character == "\\", let escaped = current else { continue }
      content.append(escaped)
      advance()
    }
    if current == nil { hasOperator = true } else { advance() }
    return content
  }
}
