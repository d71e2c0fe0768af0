import ArgumentParser

/// The main job as it was asked for.
struct TraceOptions: Hashable {
  var translation = TranslationOptions()
  /// `-o`.
  var output: String?
  /// `--pass`.
  var lastPass = 5
  /// `-l`.
  var lists = false
  /// `-L`.
  var listsVariables = false

  /// - Throws: `ValidationError` for what contradicts itself.
  func check() throws {
    if lists || listsVariables, translation.arguments.count != 1 || translation.expression != nil {
      throw ValidationError("-l and -L take one probe point, such as 'process(\"psql\").function(\"*\")'")
    }
    if translation.followsChildren, translation.target.pid == nil, translation.target.command == nil {
      throw ValidationError("--children follows the target of -p or -c; there is neither")
    }
    if translation.kernelRelease != nil, lastPass == 5 {
      throw ValidationError("-r translates for another kernel: use 'utrace build -r', or --pass 1 to 4")
    }
    guard (1...5).contains(lastPass) else { throw ValidationError("--pass takes 1 to 5") }
  }

  /// Does it, until it ends.
  func run() throws {
    var pipeline = try Pipeline(translation)
    if lists || listsVariables {
      return try pipeline.list(translation.arguments[0], withVariables: listsVariables)
    }
    try pipeline.trace(output: output, lastPass: lastPass)
  }
}

/// `utrace script.stp`: the main job, and the default.
struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Trace live programs and the kernel with SystemTap scripts, by eBPF.",
    usage: """
      utrace [<options>] <file.stp> [<arguments> ...]
      utrace [<options>] -e <script> [<arguments> ...]
      utrace -l | -L <probe point>
      """,
    discussion: """
      utrace -e 'probe process("psql").function("SendQuery") { println($$parms) }'
      utrace -p PID script.stp ARGUMENTS…
      utrace -c './program arguments' script.stp
      utrace -l 'process("postgres").mark("*")'

      Exit status: 0 done, 1 the script or its run failed, 2 usage, 3 the system refused something.
      """
  )

  @OptionGroup var translation: TranslationArguments

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

  var options: TraceOptions {
    TraceOptions(
      translation: translation.options,
      output: output,
      lastPass: lastPass,
      lists: lists,
      listsVariables: listsVariables
    )
  }

  func validate() throws { try options.check() }

  func run() throws { try options.run() }
}
