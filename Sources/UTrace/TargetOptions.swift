import ArgumentParser

/// What is traced.
struct TargetOptions: Hashable {
  var pid: Int32?
  /// `-c`.
  var command: String?

  /// - Throws: `ValidationError` for what contradicts itself.
  func check() throws {
    if pid != nil, command != nil { throw ValidationError("-p and -c exclude each other") }
    if let command, command.allSatisfy(\.isWhitespace) { throw ValidationError("the command of -c is empty") }
    if let pid, pid <= 0 { throw ValidationError("'\(pid)' is not a process ID") }
  }
}

/// The same as the parser reads it.
struct TargetArguments: ParsableArguments {
  @Option(
    name: [.customShort("p"), .customShort("x"), .customLong("pid")],
    help: ArgumentHelp("The process to trace: target(), and the binary of a bare process.", valueName: "pid")
  )
  var pid: Int32?

  @Option(
    name: [.customShort("c"), .customLong("command")],
    help: ArgumentHelp("Start this command, trace it, and end with it.", valueName: "command")
  )
  var command: String?

  var options: TargetOptions { TargetOptions(pid: pid, command: command) }

  func validate() throws { try options.check() }
}
