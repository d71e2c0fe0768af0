import Foundation
import TestSupport
import Testing

@testable import UTrace

@Suite("The command line")
struct CommandLineTests {
  @Test("the names of commands that are told before the commands are asked are theirs")
  func knowsCommandNames() {
    let names = Array(UTrace.commandsByName.keys)
    #expect(UTrace.commandNames.sorted() == (names + ["help"]).sorted())
  }

  @Test(
    "is arranged for the parser",
    arguments: [
      ("a.stp", "trace -- a.stp"),
      ("a.stp x -p 12", "trace -p=12 -- a.stp x"),
      ("a.stp -p12 x -- -y", "trace -p=12 -- a.stp x -y"),
      ("-DMAXACTION=5 -vwDMAXERRORS=1 a.stp", "trace -D=MAXACTION=5 -v -w -D=MAXERRORS=1 -- a.stp"),
      ("a.stp -5 -", "trace -- a.stp -5 -"),
      ("-v explain ast a.stp", "explain -v -- ast a.stp"),
      ("explain -v ast a.stp", "explain -v -- ast a.stp"),
      ("-e x explain", "trace -e=x -- explain"),
      ("-- explain", "trace -- explain"),
      ("a.stp explain", "trace -- a.stp explain"),
      ("--pass 3 --color=never a.stp", "trace --pass=3 --color=never -- a.stp"),
      ("-l pattern", "trace -l -- pattern"),
      ("a.stp -qv", "trace -q -- a.stp"),
      ("-p", "trace -p"),
    ]
  )
  func arranges(_ line: String, _ expected: String) {
    let words = CommandLineWords(line.split(separator: " ").map(String.init), commands: ["explain"])
    #expect(([words.command ?? "trace"] + words.arranged).joined(separator: " ") == expected)
  }

  @Test(
    "means the same to the quick reader and to the parser",
    arguments: [
      "a.stp", "a.stp x -- -y", "trace a.stp", "-e begin", "-e begin x y", "--script=begin x", "-",
      "a.stp -5", "-p 12 a.stp", "-x 12 a.stp", "--pid 12 a.stp", "-c ls a.stp", "--command=ls -e begin",
      "-o out a.stp", "--output out a.stp", "-v a.stp", "-vv a.stp", "--verbose -v a.stp",
      "-w a.stp", "--no-warnings a.stp", "--json a.stp", "-g a.stp", "--guru a.stp", "--no-cache a.stp",
      "-p 12 --children a.stp", "-DMAXACTION=5 -D MAXERRORS=1 a.stp", "-Iother -I more a.stp",
      "-Gn=1 -G m=2 a.stp", "-D= a.stp", "-e= x", "-o out -p 12 -vw a.stp x y",
    ]
  )
  func readsQuickly(_ line: String) throws {
    let words = CommandLineWords(line.split(separator: " ").map(String.init), commands: ["trace"])
    let quick = try #require(TraceOptions(words))
    #expect(try quick == TraceCommand.parse(words.arranged).options)
  }

  @Test(
    "is the parser's where it is rare or wrong",
    arguments: [
      "", "-v", "-p 0 a.stp", "-p x a.stp", "-p", "-p 1 -p 2 a.stp", "-p 1 -c ls a.stp", "--children a.stp",
      "-l pattern", "-L pattern", "--pass 3 a.stp", "--pass=9 a.stp", "-s 4 a.stp", "-q a.stp", "-h",
      "--help", "--version", "-V a.stp", "--color=never a.stp", "--json=1 a.stp",
      "--script= a.stp", "--pid= a.stp",
      "explain ast a.stp", "run a.o", "help",
    ]
  )
  func leavesToTheParser(_ line: String) {
    let words = CommandLineWords(
      line.split(separator: " ").map(String.init),
      commands: ["explain", "help", "run", "trace"]
    )
    #expect(TraceOptions(words) == nil)
  }

  @Test(
    "of a module means the same to the quick reader and to the parser",
    arguments: ["run a.o", "run -p 12 a.o", "run -o out --json a.o", "run a.o -c ls -vw"]
  )
  func readsRunsQuickly(_ line: String) throws {
    let words = CommandLineWords(line.split(separator: " ").map(String.init), commands: ["run"])
    let quick = try #require(RunOptions(words))
    #expect(try quick == RunCommand.parse(words.arranged).options)
  }

  @Test(
    "of a module is the parser's where it is wrong",
    arguments: ["run", "run a b", "run -q a", "run -p 0 a", "a.o"]
  )
  func leavesRunsToTheParser(_ line: String) {
    let words = CommandLineWords(line.split(separator: " ").map(String.init), commands: ["run"])
    #expect(RunOptions(words) == nil)
  }

  @Test(
    "tells early whether programs are probed",
    arguments: [
      ("-e process", true), ("-eprocess -v", true), ("--script=process", true), ("--script process", true),
      ("run module", true), ("-e begin process", false), ("-l -e process", false),
      ("--pass 2 -e process", false),
      ("explain bpf -e process", false), ("build -e process", false), ("/no/such/file", false), ("-", false),
    ]
  )
  func mentionsPrograms(_ line: String, _ expected: Bool) {
    let words = CommandLineWords(
      line.split(separator: " ").map(String.init),
      commands: ["build", "explain", "run"]
    )
    #expect(words.mentionsPrograms == expected)
  }

  @Test("The arranger knows which options take a value")
  func knowsOptions() throws {
    let dump = try Tool.run(["--experimental-dump-help"])
    let help = try JSONSerialization.jsonObject(with: Data(dump.output.utf8)) as? [String: Any]
    var (letters, flags, names): (Set<Character>, Set<Character>, Set<String>) = ([], [], [])
    for argument in arguments(of: help?["command"] as? [String: Any] ?? [:]) {
      for name in argument["names"] as? [[String: String]] ?? [] {
        let text = name["name"] ?? ""
        switch (argument["kind"] as? String, name["kind"]) {
        case ("option", "short"): letters.formUnion(text)
        case ("option", _): names.insert(text)
        case ("flag", "short"): flags.formUnion(text)
        default: break
        }
      }
    }
    #expect(letters == CommandLineWords.lettersWithValue)
    #expect(names == CommandLineWords.namesWithValue)
    #expect(flags.union("V") == CommandLineWords.flags)
  }

  @Test(
    "Wrong usage leaves with status 2 and says what is wrong",
    arguments: [
      ("", "usage: utrace"),
      ("-l", "error: no script"),
      ("--pas 3 a.stp", "error: unknown option '--pas'; did you mean '--pass'? [usage]"),
      ("a.stp -q", "arguments of the script that begin with '-' go behind '--'"),
      ("-p abc a.stp", "error: the value 'abc' is invalid for '-p <pid>' [usage]"),
      ("-p 0 a.stp", "error: '0' is not a process ID [usage]"),
      ("-p 1 -c ls a.stp", "error: -p and -c exclude each other [usage]"),
      ("-p 1 -p 2 a.stp", "error: '-p' is given twice [usage]"),
      ("--pass 9 a.stp", "error: --pass takes 1 to 5 [usage]"),
      ("-s 0 a.stp", "error: -s takes 1 to 4095 megabytes [usage]"),
      ("-DMAXACTON=5 a.stp", "error: no limit 'MAXACTON'; did you mean 'MAXACTION'? [usage]"),
      ("-DMAXACTION=x a.stp", "error: -DMAXACTION takes a number from 1 to 1000000000, not 'x' [usage]"),
      ("-D= a.stp", "error: -D takes NAME=VALUE, not '=' [usage]"),
      ("explain bogus a.stp", "see 'utrace help explain'"),
      ("explain", "error: missing expected argument '<stage>' [usage]"),
    ]
  )
  func refuses(_ line: String, _ message: String) throws {
    let outcome = try Tool.run(line.split(separator: " ").map(String.init))
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }

  @Test(
    "A wrong -G leaves with status 2",
    arguments: [
      ("x", "-G takes NAME=VALUE, not 'x'"), ("=1", "-G takes NAME=VALUE"),
      ("counr=1", "did you mean 'count'?"),
      ("q=1", "no global 'q'"), ("count=a", "'a' is none"), ("count=", "'' is none"),
      ("count=08", "'08' is none"),
      ("list=1", "'list' is an array"), ("spread=1", "'spread' is a statistic"),
    ]
  )
  func refusesGlobals(_ setting: String, _ message: String) throws {
    let script = """
      global count = 1, list, spread
      probe begin { list[count] = 1; spread <<< 1; println(list[1], @count(spread)); exit() }
      """
    let outcome = try Tool.run(["-G", setting, "-e", script])
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }

  @Test("-G sets globals as the script uses them")
  func setsGlobals() throws {
    let script = """
      global count = 1, low, text = "x", digits, unread, unused
      probe begin { printf("%d %d %s %s\\n", count, low, text, digits . ""); unread = 5; exit() }
      """
    let settings = [
      "count=0x10", "low=-9223372036854775808", "text=a=b é", "digits=5", "unread=7", "unused=x",
    ]
    let outcome = try Tool.run(settings.flatMap { ["-G", $0] } + ["-w", "-e", script])
    #expect(outcome.output == "16 -9223372036854775808 a=b é 5\nunread=5\n", "\(outcome)")
    #expect(outcome.status == 0)
  }

  @Test("Every name of SystemTap's limits is accepted", arguments: limitNames)
  func acceptsLimits(_ name: String) throws {
    let outcome = try Tool.run(["-D", "\(name)=500", "-e", "probe begin { exit() }"])
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
  }

  /// stap(1), "SAFETY AND SECURITY", and those of its runtime that scripts are run with.
  private static let limitNames = [
    "INTERRUPTIBLE", "KRETACTIVE", "MAPHASHBIAS", "MAXACTION", "MAXACTION_INTERRUPTIBLE", "MAXBACKTRACE",
    "MAXERRORS",
    "MAXMAPENTRIES", "MAXNESTING", "MAXSKIPPED", "MAXSTRINGLEN", "MAXTRYLOCK", "MAXUPROBES", "MINSTACKSPACE",
    "STP_MAXMEMORY",
    "STP_NO_BUILDID_CHECK", "STP_NO_OVERLOAD", "STP_OVERLOAD_INTERVAL", "STP_OVERLOAD_THRESHOLD",
    "STP_PROCFS_BUFSIZE",
    "TASK_FINDER_VMA_ENTRY_ITEMS", "TRYLOCKDELAY",
  ]

  @Test("Help fits a terminal of 80 columns", arguments: ["--help", "help explain", "help", ""])
  func helpFits(_ line: String) throws {
    let outcome = try Tool.run(line.split(separator: " ").map(String.init), environment: ["COLUMNS": "80"])
    let text = outcome.output + outcome.errors
    #expect(text.contains("-p"))
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(text)")
  }

  @Test("The version is shown", arguments: ["-V", "--version"])
  func showsVersion(_ option: String) throws {
    let outcome = try Tool.run([option])
    #expect(outcome.output == "utrace \(Release.version)\n")
    #expect(outcome.status == 0)
  }

  private func arguments(of command: [String: Any]) -> [[String: Any]] {
    let own = command["arguments"] as? [[String: Any]] ?? []
    return (command["subcommands"] as? [[String: Any]] ?? []).reduce(own) { $0 + arguments(of: $1) }
  }
}
