/// From text to tree: the first stage of the translator.
///
/// In: UTF-8 text of a ``SourceSet`` and the facts that `%( … %)` may ask (``PreprocessorEnvironment``). Out: a ``Script``,
/// or every mistake found. The way is `Lexer` (bytes to words) → `Preprocessor` (words to fewer or more words) →
/// `Parser` (words to a tree). May import `Diagnostics` and `Platform` (for globs); reads no file and
/// asks no clock.
package import Diagnostics

/// Whose text it is; a tapset may use what a script needs guru mode for.
package enum ScriptOrigin: Sendable { case user, tapset }

/// Parses a whole file.
///
/// Script arguments that it does not use are warned about when `origin` is `.user`.
package func parse(
  _ file: SourceID,
  in sources: SourceSet,
  environment: PreprocessorEnvironment,
  origin: ScriptOrigin = .user
) -> Checked<Script> {
  let words = preprocess(file, in: sources, environment: environment)
  var parser = Parser(words, sources: sources, environment: environment, origin: origin)
  let script = parser.parseScript()
  let checked = Checked(script, inOrder(words.diagnostics + parser.diagnostics))
  guard checked.product != nil, origin == .user, !words.readsArgumentVector else { return checked }
  return Checked(script, checked.diagnostics + unusedArguments(environment.arguments, words.usedArguments))
}

/// Parses a list of probe points and nothing else, as `-l` and `-L` take it.
package func parseProbePoints(
  _ file: SourceID,
  in sources: SourceSet,
  environment: PreprocessorEnvironment
) -> Checked<[ProbePoint]> {
  let words = preprocess(file, in: sources, environment: environment)
  var parser = Parser(words, sources: sources, environment: environment, origin: .user)
  let points = parser.parseOnlyProbePoints()
  return Checked(points, inOrder(words.diagnostics + parser.diagnostics))
}

/// Reads the macros of a `.stpm` file, which may hold nothing else.
package func parseMacroLibrary(
  _ file: SourceID,
  in sources: SourceSet,
  environment: PreprocessorEnvironment
) -> Checked<MacroLibrary> {
  let words = Lexer.tokens(of: sources[file].text, source: file, arguments: [])
  var preprocessor = Preprocessor(words, environment: environment, isLibrary: true)
  preprocessor.run()
  var diagnostics = preprocessor.list.diagnostics
  if let stray = preprocessor.list.tokens.first, stray.kind != .endOfFile {
    diagnostics.append(.onlyMacros(stray))
  }
  return Checked(MacroLibrary(preprocessor.macros), diagnostics)
}

/// The words that stand behind an `@` in `text`, wherever it is; numbers (`@1`) are none.
package func wordsBehindAt(in text: [UInt8]) -> [String] {
  var words: [String] = []
  var position = text.startIndex
  while let at = text[position...].firstIndex(of: UInt8(ascii: "@")) {
    let end = text[(at + 1)...].firstIndex { !Byte.isWord($0) } ?? text.endIndex
    let word = text[(at + 1)..<end]
    if let first = word.first, !Byte.isDigit(first) {
      words.append(String(decoding: word, as: UTF8.self))
    }
    position = end
  }
  return words
}

/// The words that stand behind an `@` as words of a script do: not in comments (`name@example.org`) and strings (`"f@file.c"`).
package func atWordsOfCode(in text: [UInt8], _ arguments: [String]) -> [String] {
  Lexer.tokens(of: text, source: SourceID(index: 0), arguments: arguments).tokens
    .filter { $0.kind == .atWord }.map { String($0.text.dropFirst()) }
}

/// Whether `@word` is an operator of the language, or `@define`.
package func isOperator(behindAt word: String) -> Bool { word == "define" || atWords.contains(word) }

/// The words that the parser sees.
private func preprocess(
  _ file: SourceID,
  in sources: SourceSet,
  environment: PreprocessorEnvironment
) -> TokenList {
  let words = Lexer.tokens(of: sources[file].text, source: file, arguments: environment.arguments)
  var preprocessor = Preprocessor(words, environment: environment)
  preprocessor.run()
  return preprocessor.list
}

/// The findings of two stages in the order of the text; those in other files (macros) come first.
private func inOrder(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
  diagnostics.enumerated().sorted { left, right in
    let places = [left, right].map { $0.element.range?.bytes.lowerBound ?? -1 }
    return (places[0], left.offset) < (places[1], right.offset)
  }.map(\.element)
}

private func unusedArguments(_ arguments: [String], _ used: Set<Int>) -> [Diagnostic] {
  arguments.indices.filter { !used.contains($0 + 1) }.map { .unusedArgument($0 + 1, arguments[$0]) }
}

extension Diagnostic {
  fileprivate static func onlyMacros(_ found: Token) -> Diagnostic {
    Diagnostic(
      .error,
      "only-macros",
      "a macro library may hold '@define' only, found \(found.description)",
      at: found.range
    )
  }

  fileprivate static func unusedArgument(_ number: Int, _ text: String) -> Diagnostic {
    Diagnostic(
      .warning,
      "unused-argument",
      "the script uses neither $\(number) nor @\(number) (\"\(text)\")",
      at: nil
    )
  }
}
