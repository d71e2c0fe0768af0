import ArgumentParser

/// What decides how a script is translated; shared by every command that reads one.
struct TranslationOptions: ParsableArguments {
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

  @Option(
    name: [.customShort("e"), .customLong("script")],
    help: ArgumentHelp("The script itself instead of a file.", valueName: "script")
  )
  var expression: String?

  @Option(
    name: [.customShort("D", allowingJoined: true)],
    help: ArgumentHelp("Set a limit: MAXSTRINGLEN, MAXACTION, MAXMAPENTRIES, …", valueName: "name=value")
  )
  var definitions: [String] = []

  @Option(
    name: [.customShort("I", allowingJoined: true)],
    help: ArgumentHelp("Look for tapset files here too.", valueName: "directory")
  )
  var includes: [String] = []

  @Option(
    name: [.customShort("G", allowingJoined: true)],
    help: ArgumentHelp("Set a global variable of the script.", valueName: "name=value")
  )
  var globals: [String] = []

  @Option(
    name: [.customShort("s", allowingJoined: true), .customLong("buffer-size")],
    help: ArgumentHelp("Megabytes of the buffer between kernel and utrace.", valueName: "megabytes")
  )
  var bufferMegabytes: Int?

  @Flag(name: [.customShort("g"), .customLong("guru")], help: "Allow what can harm the traced system.")
  var guru = false

  @Flag(name: [.customShort("w"), .customLong("no-warnings")], help: "Show no warnings.")
  var hidesWarnings = false

  @Flag(name: [.customShort("W"), .customLong("warnings-are-errors")], help: "Treat warnings as errors.")
  var warningsAreErrors = false

  @Flag(name: [.customShort("u"), .customLong("unoptimized")], help: "Do not optimize.")
  var unoptimized = false

  @Flag(
    name: [.customShort("v"), .customLong("verbose")],
    help: "Say what each pass did and how long it took; twice for more."
  )
  var verbosity: Int

  @Flag(name: .customLong("no-global-var-display"), help: "Do not show unread globals at the end.")
  var hidesGlobals = false

  @Flag(name: .customLong("skip-badvars"), help: "Let target variables that cannot be found read as 0.")
  var skipsBadVariables = false

  @Flag(name: .customLong("json"), help: "Print records, report and messages as JSON lines.")
  var json = false

  @Option(
    name: .customLong("color"),
    help: ArgumentHelp("Colour messages: auto, always or never.", valueName: "when")
  )
  var color: ColorChoice = .auto

  @Argument(
    help: ArgumentHelp("The script (- for standard input; none with -e), then its arguments.")
  )
  var arguments: [String] = []

  mutating func validate() throws {
    if pid != nil, command != nil { throw ValidationError("-p and -c exclude each other") }
    if let command, command.allSatisfy(\.isWhitespace) { throw ValidationError("the command of -c is empty") }
    if let pid, pid <= 0 { throw ValidationError("'\(pid)' is not a process ID") }
    if let bufferMegabytes, !(1...4095).contains(bufferMegabytes) {
      throw ValidationError("-s takes 1 to 4095 megabytes")
    }
    if expression == nil, arguments.isEmpty {
      throw ValidationError("no script: name a file, or give one with -e (utrace --help)")
    }
  }
}

/// When messages are coloured.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable { case auto, always, never }
