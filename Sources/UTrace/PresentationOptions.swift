import ArgumentParser
import Platform

/// How things are said.
struct PresentationOptions: Hashable {
  /// `-w`.
  var hidesWarnings = false
  /// How often `-v` was given.
  var verbosity = 0
  var json = false
  var color = ColorChoice.auto
}

/// The same as the parser reads it; shared by every command that says much.
struct PresentationArguments: ParsableArguments {
  @Flag(name: [.customShort("w"), .customLong("no-warnings")], help: "Show no warnings.")
  var hidesWarnings = false

  @Flag(
    name: [.customShort("v"), .customLong("verbose")],
    help: "Say what each pass did and how long it took; twice for more."
  )
  var verbosity: Int

  @Flag(name: .customLong("json"), help: "Print records, report and messages as JSON lines.")
  var json = false

  @Option(
    name: .customLong("color"),
    help: ArgumentHelp("Colour messages: auto, always or never.", valueName: "when")
  )
  var color: ColorChoice = .auto

  var options: PresentationOptions {
    PresentationOptions(hidesWarnings: hidesWarnings, verbosity: verbosity, json: json, color: color)
  }
}

/// When messages are coloured.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, always, never

  /// Whether messages are to be coloured; `auto` means on a terminal that does not forbid it (no-color.org).
  func applies(_ environment: Environment) -> Bool {
    switch self {
    case .always: true
    case .never: false
    case .auto:
      StandardStream.error.isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
        && environment["TERM"] != "dumb"
    }
  }
}
