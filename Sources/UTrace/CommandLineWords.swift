import Platform

/// The words of the command line, arranged as swift-argument-parser reads them.
///
/// SystemTap's users have the habits of getopt_long(3): a value in the same word as its option, several flags in one
/// word, options behind the script. The parser takes `-DNAME=VALUE` for an option called `DNAME`, and what follows the
/// script for the script's arguments.
///
///     script.stp -vDMAXACTION=5 x -p 12 -- -y      ⇒      trace -v -D=MAXACTION=5 -p=12 -- script.stp x -y
struct CommandLineWords {
  /// The letters of options that take a value.
  static let lettersWithValue = Set("pxceDIGsor")
  /// The long options that take a value.
  static let namesWithValue: Set<String> = [
    "buffer-size", "color", "command", "kernel-release", "output", "pass", "pid", "script",
  ]
  /// Options whose values add up.
  private static let repeatable: Set<String> = ["-D", "-G", "-I"]
  /// The letters of flags.
  static let flags = Set("gwWuvlLhV")

  private(set) var command: String?
  /// In the order given, each as `-p=12` or `-v`.
  private(set) var options: [String] = []
  /// The script, unless an option gives it, and its arguments.
  private(set) var operands: [String] = []
  private var expression: String?
  /// An option with one value that was given two.
  private(set) var repeated: String?
  private var given: Set<String> = []

  /// Reads `words`, the program's name not among them; `commands` are the names of subcommands.
  init(_ words: [String], commands: [String]) {
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--" {
        operands += rest
        return
      } else if word.hasPrefix("--") {
        readLong(word, &rest)
      } else if word.hasPrefix("-"), word != "-", !isNegativeNumber(word) {
        readLetters(word, &rest)
      } else if command == nil, operands.isEmpty, expression == nil, commands.contains(word) {
        command = word
      } else {
        operands.append(word)
      }
    }
  }

  /// Whether a script or its arguments were among the words.
  var hasOperands: Bool { !operands.isEmpty }

  /// What the help is asked for: nil for nothing, an empty name for the program as a whole.
  var helpTopic: String? {
    if command == "help" { return operands.first ?? "" }
    return options.contains { $0 == "-h" || $0 == "--help" } ? command ?? "" : nil
  }

  var asksForVersion: Bool { options.contains("--version") }

  var asksForJSON: Bool { options.contains("--json") }

  /// Whether probes on programs are likely, told before anything is parsed: a module, or a script that names some.
  var mentionsPrograms: Bool {
    if command == "run" { return true }
    let isOther = options.contains { $0 == "-l" || $0 == "-L" || $0.hasPrefix("--pass") }
    guard command == nil || command == "trace", !isOther else { return false }
    if let expression { return Array(expression.utf8).mentionsPrograms }
    guard let path = operands.first, path != "-", let text = try? readSmallFile(path) else { return false }
    return text.mentionsPrograms
  }

  /// No word at all.
  var isEmpty: Bool { command == nil && options.isEmpty && operands.isEmpty }

  /// What the command's parser reads, in its order.
  var arranged: [String] { options + (operands.isEmpty ? [] : ["--"] + operands) }

  private mutating func readLong(_ word: String, _ rest: inout ArraySlice<String>) {
    let name = word.dropFirst(2).prefix { $0 != "=" }
    guard Self.namesWithValue.contains(String(name)), !word.contains("="), let value = rest.popFirst() else {
      if name == "script" { expression = String(word.drop { $0 != "=" }.dropFirst()) }
      return options.append(word)
    }
    if name == "script" { expression = value }
    options.append("\(word)=\(value)")
    note(word)
  }

  private mutating func readLetters(_ word: String, _ rest: inout ArraySlice<String>) {
    var letters = word.dropFirst()
    while let letter = letters.popFirst() {
      if letter == "V" {
        options.append("--version")
      } else if Self.lettersWithValue.contains(letter) {
        guard let value = letters.isEmpty ? rest.popFirst() : String(letters) else {
          return options.append("-\(letter)")
        }
        if letter == "e" { expression = value }
        note("-\(letter)")
        return options.append("-\(letter)=\(value)")
      } else {
        options.append("-\(letter)")
        // After a letter that is none of ours, the parser may name only that.
        if !Self.flags.contains(letter) { return }
      }
    }
  }

  private mutating func note(_ option: String) {
    guard !Self.repeatable.contains(option), !given.insert(option).inserted else { return }
    repeated = repeated ?? option
  }

  /// `-5` is an argument for the script.
  private func isNegativeNumber(_ word: String) -> Bool {
    word.dropFirst().first.map { $0.isASCII && $0.isNumber } ?? false
  }
}

extension [UInt8] {
  fileprivate var mentionsPrograms: Bool {
    let word = Array("process".utf8)
    return indices.contains { self[$0] == word[0] && self[$0...].starts(with: word) }
  }
}
