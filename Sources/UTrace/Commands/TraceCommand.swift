import ArgumentParser

/// `utrace script.stp`: the main job, and the default.
struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Run a script (the default command)."
  )

  @OptionGroup var translation: TranslationOptions

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("Write the script's output to this file.", valueName: "file")
  )
  var output: String?

  @Option(
    name: [.customLong("pass")],
    help: ArgumentHelp("Stop after pass 1 parse, 2 elaborate, 3 translate, 4 build, 5 run.", valueName: "n")
  )
  var lastPass = 5

  @Flag(name: [.customShort("l")], help: "List the probe points that the argument matches.")
  var lists = false

  @Flag(name: [.customShort("L")], help: "List them with their variables.")
  var listsVariables = false

  @Flag(name: .customLong("no-cache"), help: "Neither use nor store compiled modules.")
  var skipsCache = false

  mutating func validate() throws {
    guard (1...5).contains(lastPass) else { throw ValidationError("--pass takes 1 to 5") }
    if lists || listsVariables, lastPass != 5 { throw ValidationError("-l and --pass exclude each other") }
  }

  func run() throws {
    var pipeline = Pipeline(translation)
    if lists || listsVariables { try pipeline.list(withVariables: listsVariables) }
    try pipeline.trace(output: output, lastPass: lastPass, usesCache: !skipsCache)
  }
}
