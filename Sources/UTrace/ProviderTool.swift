import Diagnostics
import Platform
import USDT

/// What `utrace dtrace` does: provider file → (preprocessor) → header, or C text → compiler → object.
struct ProviderTool {
  let command: DtraceCommand
  let environment: Environment

  /// Writes what was asked for, or nothing.
  /// - Returns: false when the provider file or a tool is at fault, which has then been reported.
  /// - Throws: ``SystemError`` for files that cannot be read or written.
  func run(_ reporter: inout Reporter) throws(SystemError) -> Bool {
    guard let text = try definitionText(&reporter) else { return false }
    var sources = SourceSet()
    let name = command.preprocesses ? "\(command.definition) (preprocessed)" : command.definition
    let source = sources.add(SourceFile(name: name, text: text))
    let checked = ProviderDefinition.parse(source, in: sources)
    reporter.report(checked.diagnostics, in: sources)
    guard let providers = checked.product else { return false }
    if command.makesHeader {
      try writeHeader(ProviderDefinition.header(providers, from: fileName))
      return true
    }
    return try compile(ProviderDefinition.semaphoreSource(providers, from: fileName), &reporter)
  }

  /// Where the product goes: the provider file's name with another ending, in the current directory, as dtrace(1) says.
  private var output: String {
    if let output = command.output { return output }
    let stem = fileName.hasSuffix(".d") ? String(fileName.dropLast(2)) : fileName
    return stem + (command.makesHeader ? ".h" : ".o")
  }

  private var fileName: String {
    command.definition.split(separator: "/").last.map(String.init) ?? command.definition
  }

  private var compiler: String { environment["CC"].flatMap { $0.isEmpty ? nil : $0 } ?? "cc" }

  private func definitionText(_ reporter: inout Reporter) throws(SystemError) -> [UInt8]? {
    let path = command.definition
    guard command.preprocesses else { return try readSmallFile(path) }
    // The preprocessor would name a missing file in its own words, behind its own name.
    _ = try OwnedFD(reading: path)
    let preprocessor = environment["CPP"].flatMap { $0.isEmpty ? nil : $0 } ?? "\(compiler) -E"
    let options = command.includeDirectories.map { "-I\($0)" } + command.macros.map { "-D\($0)" }
    let result = "\(output).dtrace.i"
    defer { if !command.keepsTemporaryFiles { try? removeFile(result) } }
    let words = (options + ["-x", "c", path]).map(shellQuoted).joined(separator: " ")
    guard try shell("\(preprocessor) \(words) > \(shellQuoted(result))", preprocessor, &reporter) else {
      return nil
    }
    return try readSmallFile(result)
  }

  private func writeHeader(_ text: String) throws(SystemError) {
    guard output != "-" else { return StandardStream.output.write(text) }
    try writeFile(output, Array(text.utf8))
  }

  private func compile(_ text: String, _ reporter: inout Reporter) throws(SystemError) -> Bool {
    let source = "\(output).dtrace.c"
    try writeFile(source, Array(text.utf8))
    defer { if !command.keepsTemporaryFiles { try? removeFile(source) } }
    let words = ["-x", "c", "-c", source, "-o", output].map(shellQuoted).joined(separator: " ")
    let flags = environment["CFLAGS"] ?? ""
    return try shell("\(compiler) \(flags) \(words)", compiler, &reporter)
  }

  /// Runs a command whose own messages go to standard error.
  private func shell(
    _ line: String,
    _ tool: String,
    _ reporter: inout Reporter
  ) throws(SystemError) -> Bool {
    let exit = try ChildProcess(line).wait()
    if exit == .status(0) { return true }
    let notes = exit == .status(127) ? ["set CC or CPP to the compiler or preprocessor to use"] : []
    reporter.fail("provider-compiler", "'\(tool)' failed; the command was: \(line)", notes: notes)
    return false
  }
}

/// `text` as one word of sh(1).
private func shellQuoted(_ text: String) -> String { "'\(text.replacing("'", with: "'\\''"))'" }
