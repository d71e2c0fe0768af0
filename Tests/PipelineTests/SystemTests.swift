import Foundation
import TestSupport
import Testing

@Suite("The tool among files, pipes and users")
struct SystemTests {
  private let hello = ["-e", "probe begin { println(\"hi\") exit() }"]

  @Test(
    "Output that cannot be written ends with status 3",
    arguments: [
      ("-o /dev/full", "No space left"), ("-o /usr", "Is a directory"), ("-o /no/file", "No such file"),
    ]
  )
  func reportsOutput(_ options: String, _ message: String) throws {
    let outcome = try Tool.run(options.split(separator: " ").map(String.init) + hello)
    #expect(outcome.status == 3)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }

  @Test(
    "Standard output that is full or closed ends with status 3",
    arguments: [["--pass", "1"], []],
    ["exec \"$@\" > /dev/full", "exec \"$@\" >&-"]
  )
  func reportsStandardOutput(_ options: [String], _ shell: String) throws {
    let outcome = try Tool.run(options + hello, shell: shell)
    #expect(outcome.status == 3)
    #expect(outcome.errors.contains("standard output"), "\(outcome.errors)")
  }

  @Test("A reader that goes away ends the run in silence")
  func survivesBrokenPipe() throws {
    let outcome = try Tool.run(
      ["-e", "probe timer.ms(1) { println(\"tick\") }"],
      shell: "\"$@\" | head -n 1"
    )
    #expect(outcome.output == "tick\n")
    #expect(outcome.errors == "")
  }

  @Test(
    "A script that cannot be read ends with status 1",
    arguments: [("none.stp", "No such file"), ("/usr", "Is a directory"), ("empty.stp", "no probes")]
  )
  func reportsScripts(_ path: String, _ message: String) throws {
    let scratch = try ScratchDirectory()
    _ = try scratch.write("", to: "empty.stp")
    let outcome = try Tool.run([path], in: scratch)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }

  @Test("Scripts come from standard input, with a byte order mark and any line ends")
  func readsInput() throws {
    let outcome = try Tool.run(
      ["-"],
      input: "\u{feff}probe begin {\r\n  println(\"hi\")\r\n  exit()\r\n}\r\n"
    )
    #expect(outcome.output == "hi\n")
    #expect(outcome.errors == "")
  }

  @Test("Bytes that are not UTF-8 are pointed at")
  func reportsBytes() throws {
    let outcome = try Tool.run(
      [],
      shell: "printf 'probe begin { println(\"\\377\") \\351 }' | exec \"$@\" -"
    )
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("<stdin>:1:28: error: this is not UTF-8"), "\(outcome.errors)")
  }

  @Test(
    "A command that cannot be run is told before anything starts",
    arguments: [("nonesuch", "cannot find"), ("/usr", "directory"), ("./data", "not executable")]
  )
  func reportsCommands(_ command: String, _ message: String) throws {
    let scratch = try ScratchDirectory()
    _ = try scratch.write("", to: "data")
    let outcome = try Tool.run(["-c", command] + hello, in: scratch)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(outcome.output == "")
  }

  @Test("Without privileges everything works but the kernel, and the message says what is needed")
  func worksUnprivileged() throws {
    guard getuid() == 0 else { return }
    let scratch = try ScratchDirectory()
    let program = try scratch.compileC(
      "int f(int n) { return n; } int main(void) { return f(0); }",
      to: "demo"
    )
    let place = try installed(in: scratch)
    // The words are: timeout -k 1 60 utrace …; the copy stands for the one that nobody may reach.
    let nobody = "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"${@:1:4}\" \(place) \"${@:6}\""
    func run(_ arguments: [String]) throws -> Tool.Outcome {
      try Tool.run(arguments, shell: "exec bash -c '\(nobody)' \"$0\" \"$@\"")
    }
    let script = ["-c", program, "-e", "probe process.function(\"f\") { println($n) }"]
    let listed = try run(["-L", "process(\"\(program)\").function(\"f\")"])
    #expect(listed.output.contains("$n:int"), "\(listed.errors)")
    #expect(try run(["explain", "bpf"] + script).status == 0)
    #expect(try run(hello).output == "hi\n")
    let traced = try run(script)
    #expect(traced.status == 3)
    #expect(traced.errors.contains("CAP_BPF, CAP_PERFMON"), "\(traced.errors)")
  }

  @Test(
    "What the system refuses is told with the capability that is missing, status 3",
    arguments: [
      (["-p", "PID", "-e", "probe process.function(\"f\") { exit() }"], "CAP_SYS_PTRACE"),
      (["-e", "probe process(PID).function(\"f\") { exit() }"], "CAP_SYS_PTRACE"),
      (["-l", "process(PID).function(\"f\")"], "CAP_SYS_PTRACE"),
      (["-e", "probe process(\"FILE\").function(\"f\") { exit() }"], "CAP_DAC_READ_SEARCH"),
      (["-c", "FILE", "-e", "probe process.function(\"f\") { exit() }"], "CAP_DAC_READ_SEARCH"),
    ]
  )
  func namesWhatIsRefused(_ arguments: [String], _ capability: String) throws {
    guard getuid() == 0 else { return }
    let scratch = try ScratchDirectory()
    let file = try scratch.compileC("int f(void) { return 1; } int main(void) { return f(); }", to: "demo")
    try #require(chmod(file, 0o711) == 0)
    let place = try installed(in: scratch)
    let nobody = "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"${@:1:4}\" \(place) \"${@:6}\""
    let words = arguments.map { $0.replacing("PID", with: "\(getpid())").replacing("FILE", with: file) }
    let outcome = try Tool.run(words, shell: "exec bash -c '\(nobody)' \"$0\" \"$@\"")
    #expect(outcome.status == 3, "\(outcome)")
    #expect(
      outcome.errors.contains(capability) && outcome.errors.contains("[no-permission]"),
      "\(outcome.errors)"
    )
  }

  @Test("A process that has ended and was not waited for is gone")
  func knowsZombies() throws {
    let shell =
      "sh -c 'sleep 0.05 & echo $!; exec sleep 5' > pid & sleep 0.5; \"$@\" -p $(cat pid); s=$?; kill $!; exit $s"
    let outcome = try Tool.run(hello, in: ScratchDirectory(), shell: shell)
    #expect(outcome.status == 1 && outcome.errors.contains("has ended"), "\(outcome)")
  }

  @Test(
    "What a shell understands is run as one would expect",
    arguments: [
      ("FOO='a b' env | grep FOO", "FOO=a b\n"), ("FOO=1 sh -c 'echo $FOO'", "1\n"), ("cd / && pwd", "/\n"),
      ("echo one | tr o 0", "0ne\n"), ("exit 0", ""), ("for i in 1 2; do echo $i; done", "1\n2\n"),
    ]
  )
  func runsShellCommands(_ command: String, _ output: String) throws {
    let outcome = try Tool.run(["-c", command, "-e", "probe end { println(target() > 1) }"])
    #expect(outcome.output == output + "1\n" && outcome.status == 0, "\(outcome)")
  }

  @Test("target() is the process of a simple command, not of a shell around it", arguments: ["", "A=1 "])
  func knowsTheTarget(_ prefix: String) throws {
    let outcome = try Tool.run([
      "-c", prefix + "sh -c 'echo $$'", "-e", "probe end { println(target()) }",
    ])
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 2 && lines[0] == lines[1], "\(outcome)")
  }

  @Test(
    "Messages in JSON are one object a line",
    arguments: [["-q"], ["-p", "99999999"], ["-e", "probe x { } probe y { }"]]
  )
  func writesJSON(_ arguments: [String]) throws {
    let outcome = try Tool.run(["--json"] + arguments + (arguments.contains("-e") ? [] : hello))
    let lines = outcome.errors.split(separator: "\n")
    #expect(!lines.isEmpty)
    for line in lines {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      #expect(object?["severity"] as? String == "error")
      #expect(object?["id"] is String)
    }
  }

  @Test("Messages have colours on a terminal only, and fit into it")
  func colours() throws {
    let line = "\(Tool.path) -e 'probe process(\"/usr/bin/env\").function(\"no_such_function\") { }'"
    let shown = try Tool.run(
      [],
      environment: ["LINE": line],
      shell: "script -qec \"stty cols 40; $LINE\" /dev/null"
    )
    #expect(shown.output.contains("\u{1b}[1;31merror:"), "\(shown.output)")
    let plain = try Tool.run(["-e", "probe beginn { }"])
    #expect(!plain.errors.contains("\u{1b}"))
    let chosen = try Tool.run(["--color", "always", "-e", "probe beginn { }"])
    #expect(chosen.errors.contains("\u{1b}[1;31merror:"))
  }

  /// A copy of utrace and its tapset where everybody may read it.
  private func installed(in scratch: ScratchDirectory) throws -> String {
    let files = FileManager.default
    try files.createDirectory(atPath: scratch.path + "/bin", withIntermediateDirectories: true)
    try files.createDirectory(atPath: scratch.path + "/share/utrace", withIntermediateDirectories: true)
    try files.copyItem(atPath: Tool.path, toPath: scratch.path + "/bin/utrace")
    try files.copyItem(atPath: Tool.root + "Tapset", toPath: scratch.path + "/share/utrace/tapset")
    return scratch.path + "/bin/utrace"
  }
}
