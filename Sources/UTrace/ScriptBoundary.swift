/// Where utrace's own words end and the script's begin.
///
///     -DMAXACTION=9 -p 7 script.stp -x 5      ⇒      -D MAXACTION=9 -p 7 -- script.stp -x 5
///
/// What follows the script, or the text of `-e`, belongs to the script, whatever it looks like; what comes before
/// it must be an option that utrace knows. argument-parser has no such rule: it captures either nothing or also
/// unknown options before the script. And it reads `-DNAME=VALUE` as an option `DNAME`, hence the split.
enum ScriptBoundary {
  static func mark(_ arguments: [String]) -> [String] {
    var rest = arguments[...]
    var result: [String] = []
    // Words before the script: a command's name, and for `explain` the stage.
    var wordCount = rest.first.map { wordsOfCommands[$0] ?? 0 } ?? 0
    while let word = rest.popFirst() {
      if word == "--" { return result + ["--"] + rest }
      if !word.hasPrefix("-") || word == "-" {
        guard wordCount > 0 else { return result + ["--", word] + rest }
        wordCount -= 1
        result.append(word)
      } else if let (option, value) = joined(word) {
        result += [option, value]
      } else {
        result.append(word)
        if optionsWithValue.contains(word), let value = rest.popFirst() { result.append(value) }
      }
    }
    return result
  }

  private static func joined(_ word: String) -> (option: String, value: String)? {
    let option = String(word.prefix(2))
    guard optionsThatJoin.contains(option), word.count > 2 else { return nil }
    return (option, String(word.dropFirst(2)))
  }

  /// Every option that takes a value; a live test compares with `--help`.
  private static let optionsWithValue: Set<String> = [
    "--buffer-size", "--color", "--command", "--output", "--pass", "--pid", "--script", "-D", "-G", "-I", "-c", "-e",
    "-o", "-p", "-s", "-x",
  ]

  private static let optionsThatJoin: Set<String> = ["-D", "-G", "-I", "-s"]

  private static let wordsOfCommands = ["build": 1, "doctor": 1, "explain": 2, "help": 9, "run": 1, "trace": 1]
}
