import ArgumentParser

/// `utrace build`: translate now, run later.
struct BuildCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build",
    abstract: "Translate a script into a module file, for 'utrace run'."
  )

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("Write the module to this file.", valueName: "file")
  )
  var output: String

  @OptionGroup var translation: TranslationArguments

  func run() throws {
    var pipeline = try Pipeline(translation.options)
    try pipeline.build(to: output)
  }
}
