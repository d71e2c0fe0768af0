import ArgumentParser
import KernelBridge

/// What decides how a script is translated.
struct TranslationOptions: Hashable {
  var target = TargetOptions()
  /// `--children`.
  var followsChildren = false
  /// The script of `-e`.
  var expression: String?
  /// `-D`.
  var definitions: [String] = []
  /// `-I`.
  var includes: [String] = []
  /// `-G`.
  var globals: [String] = []
  var bufferMegabytes: Int?
  var guru = false
  var warningsAreErrors = false
  var unoptimized = false
  var hidesGlobals = false
  var skipsBadVariables = false
  var suppressesErrors = false
  var ignoresCache = false
  /// `-r`; nil: the running kernel.
  var kernelRelease: String?
  var presentation = PresentationOptions()
  /// The script's path, unless there is an expression, then its arguments.
  var arguments: [String] = []

  /// - Throws: `ValidationError` for what contradicts itself or is missing.
  func check() throws {
    if let bufferMegabytes, !(1...4095).contains(bufferMegabytes) {
      throw ValidationError("-s takes 1 to 4095 megabytes")
    }
    if expression == nil, arguments.isEmpty {
      throw ValidationError("no script: name a file, or give one with -e")
    }
    if let kernelRelease, LinuxVersion(release: kernelRelease) == nil {
      throw ValidationError("-r takes the release of a kernel, such as 6.1, not '\(kernelRelease)'")
    }
  }
}

/// The same as the parser reads it; shared by every command that reads a script.
struct TranslationArguments: ParsableArguments {
  @OptionGroup var target: TargetArguments

  @Flag(name: .customLong("children"), help: "Trace the processes that the target of -p or -c starts, too.")
  var followsChildren = false

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

  @Flag(name: [.customShort("W"), .customLong("warnings-are-errors")], help: "Treat warnings as errors.")
  var warningsAreErrors = false

  @Flag(name: [.customShort("u"), .customLong("unoptimized")], help: "Do not optimize.")
  var unoptimized = false

  @Flag(name: .customLong("no-global-var-display"), help: "Do not show unread globals at the end.")
  var hidesGlobals = false

  @Flag(name: .customLong("skip-badvars"), help: "Let target variables that cannot be found read as 0.")
  var skipsBadVariables = false

  @Flag(
    name: .customLong("suppress-handler-errors"),
    help: "Count run-time errors, and end nothing because of them or of skipped probes."
  )
  var suppressesErrors = false

  @Flag(name: .customLong("no-cache"), help: "Neither use nor keep translated modules.")
  var ignoresCache = false

  @Option(
    name: [.customShort("r", allowingJoined: true), .customLong("kernel-release")],
    help: ArgumentHelp(
      "Translate for this release of Linux and later ones, such as 6.1; for 'utrace build' and --pass 1 to 4.",
      valueName: "release"
    )
  )
  var kernelRelease: String?

  @OptionGroup var presentation: PresentationArguments

  @Argument(
    help: ArgumentHelp("The script (- for standard input; none with -e), then its arguments.")
  )
  var arguments: [String] = []

  var options: TranslationOptions {
    TranslationOptions(
      target: target.options,
      followsChildren: followsChildren,
      expression: expression,
      definitions: definitions,
      includes: includes,
      globals: globals,
      bufferMegabytes: bufferMegabytes,
      guru: guru,
      warningsAreErrors: warningsAreErrors,
      unoptimized: unoptimized,
      hidesGlobals: hidesGlobals,
      skipsBadVariables: skipsBadVariables,
      suppressesErrors: suppressesErrors,
      ignoresCache: ignoresCache,
      kernelRelease: kernelRelease,
      presentation: presentation.options,
      arguments: arguments
    )
  }

  func validate() throws { try options.check() }
}
