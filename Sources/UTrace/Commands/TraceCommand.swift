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

  mutating func validate() throws {
    guard (1...5).contains(lastPass) else { throw ValidationError("--pass takes 1 to 5") }
  }

  func run() throws {
    var pipeline = try Pipeline(translation)
    try pipeline.trace(output: output, lastPass: lastPass)
  }
}
