/// Everyday command lines, read without the parser: it looks at its own types before it reads the first word, which takes
/// 3 ms, a quarter of a start.
///
///     -p=12 -v -- script.stp x      ⇒      what `TraceCommand.parse` makes of it
///
/// Nil for whatever is not in the tables below or is wrong in any way: the parser reads it then, and says what is.
extension TraceOptions {
  init?(_ words: CommandLineWords) {
    guard words.command == nil || words.command == "trace", words.repeated == nil else { return nil }
    for word in words.options where !take(WordOption(word)) { return nil }
    translation.arguments = words.operands
    do {
      try translation.target.check()
      try translation.check()
      try check()
    } catch { return nil }
  }

  private mutating func take(_ option: WordOption) -> Bool {
    switch (option.name, option.value) {
    case ("-o", let path?), ("--output", let path?): output = path
    default: return translation.take(option)
    }
    return true
  }
}

extension RunOptions {
  /// `run MODULE`.
  init?(_ words: CommandLineWords) {
    guard words.command == "run", words.repeated == nil, words.operands.count == 1 else { return nil }
    self.init(module: words.operands[0])
    for word in words.options where !take(WordOption(word)) { return nil }
    do { try target.check() } catch { return nil }
  }

  private mutating func take(_ option: WordOption) -> Bool {
    switch (option.name, option.value) {
    case ("-o", let path?), ("--output", let path?): output = path
    default: return target.take(option) || presentation.take(option)
    }
    return true
  }
}

/// One option of ``CommandLineWords``: `-p=12` or `-v`.
private struct WordOption {
  let name: Substring
  /// Never empty.
  let value: String?

  init(_ word: String) {
    name = word.prefix { $0 != "=" }
    let value = word.dropFirst(name.count + 1)
    self.value = value.isEmpty ? nil : String(value)
  }
}

extension TranslationOptions {
  fileprivate mutating func take(_ option: WordOption) -> Bool {
    switch (option.name, option.value) {
    case ("-e", let script?), ("--script", let script?): expression = script
    case ("-D", let definition?): definitions.append(definition)
    case ("-G", let global?): globals.append(global)
    case ("-I", let directory?): includes.append(directory)
    case ("-g", nil), ("--guru", nil): guru = true
    case ("--children", nil): followsChildren = true
    case ("--no-cache", nil): ignoresCache = true
    default: return target.take(option) || presentation.take(option)
    }
    return true
  }
}

extension TargetOptions {
  fileprivate mutating func take(_ option: WordOption) -> Bool {
    switch (option.name, option.value) {
    case ("-p", let text?), ("-x", let text?), ("--pid", let text?):
      guard let number = Int32(text) else { return false }
      pid = number
    case ("-c", let text?), ("--command", let text?): command = text
    default: return false
    }
    return true
  }
}

extension PresentationOptions {
  fileprivate mutating func take(_ option: WordOption) -> Bool {
    switch (option.name, option.value) {
    case ("-v", nil), ("--verbose", nil): verbosity += 1
    case ("-w", nil), ("--no-warnings", nil): hidesWarnings = true
    case ("--json", nil): json = true
    default: return false
    }
    return true
  }
}
