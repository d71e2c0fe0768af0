import Foundation
import TestSupport
import Testing

@Suite("The module cache", .timeLimit(.minutes(1))) struct ModuleCacheTests {
  private let scratch: ScratchDirectory

  init() throws { scratch = try ScratchDirectory() }

  private var modules: String { scratch.path + "/cache/utrace/modules" }

  /// Files that were changed within a tick of the clock are not trusted to be unchanged.
  private func settle() { usleep(40_000) }

  private func trace(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Tool.Outcome {
    settle()
    var all = ["XDG_CACHE_HOME": scratch.path + "/cache"]
    all.merge(environment) { $1 }
    return try Tool.run(["-v"] + arguments, in: scratch, environment: all)
  }

  private func isHit(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Bool {
    let outcome = try trace(arguments, environment)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome.errors.contains("module from cache")
  }

  private func entries() -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: modules)) ?? []).map { modules + "/" + $0 }
  }

  @Test("the second run of a script takes its module from the cache and prints the same")
  func hits() throws {
    let script = try scratch.write("probe begin { printf(\"%s\\n\", @1) exit() }", to: "a.stp")
    let first = try trace([script, "x"])
    let second = try trace([script, "x"])
    #expect(!first.errors.contains("module from cache"))
    #expect(second.errors.contains("Pass 3: module from cache in "))
    #expect(!second.errors.contains("Pass 1"))
    #expect(first.output == "x\n")
    #expect(second.output == "x\n")
  }

  @Test(
    "whatever decides the translation makes another entry",
    arguments: [
      ["-DMAXACTION=77"], ["-g"], ["-u"], ["-Gn=5"], ["-s", "2"], ["-c", "true"], ["--no-global-var-display"],
    ]
  )
  func options(_ options: [String]) throws {
    let script = ["-e", "global n = 1 probe begin { println(n) exit() }"]
    #expect(try !isHit(script))
    #expect(try !isHit(options + script))
    #expect(try isHit(options + script))
    #expect(try isHit(script))
    #expect(try !isHit(["-e", "global n = 2 probe begin { println(n) exit() }"]))
  }

  @Test("what only decides how things are said does not")
  func presentation() throws {
    let script = ["-e", "probe begin { exit() }"]
    #expect(try !isHit(script))
    #expect(try isHit(["--color=never"] + script))
    // Its records say the lines of probes, which others may do without.
    #expect(try !isHit(["--json"] + script))
    #expect(try isHit(["--json", "--color=never"] + script))
  }

  @Test("--no-cache neither asks nor keeps")
  func disabled() throws {
    let script = ["-e", "probe begin { exit() }"]
    #expect(try !isHit(["--no-cache"] + script))
    #expect(entries().isEmpty)
    #expect(try !isHit(script))
    #expect(try !isHit(["--no-cache"] + script))
  }

  @Test("a changed, added or removed library file makes a miss")
  func tapset() throws {
    let library = scratch.path + "/lib"
    try FileManager.default.createDirectory(atPath: library, withIntermediateDirectories: true)
    _ = try scratch.write("function f() { return 1 }\n", to: "lib/f.stp")
    let script = ["-I", library, "-e", "probe begin { println(f()) exit() }"]
    #expect(try trace(script).output == "1\n")
    #expect(try isHit(script))
    _ = try scratch.write("function f() { return 2 }\n", to: "lib/f.stp")
    #expect(try trace(script).output == "2\n")
    #expect(try isHit(script))
    _ = try scratch.write("function g() { return 2 }\n", to: "lib/g.stp")
    #expect(try !isHit(script))
    #expect(try isHit(script))
    try FileManager.default.removeItem(atPath: library + "/g.stp")
    #expect(try !isHit(script))
  }

  @Test("a script that warns warns every time")
  func warnings() throws {
    let script = ["-e", "global unused probe begin { exit() }"]
    let first = try trace(script)
    let second = try trace(script)
    try #require(first.errors.contains("warning"))
    #expect(second.errors.contains("warning"))
    #expect(try !isHit(["-w"] + script))
    #expect(try isHit(["-w"] + script))
  }

  @Test("damaged entries, and those that others could have written, are ignored and replaced")
  func damage() throws {
    let script = ["-e", "probe begin { println(1) exit() }"]
    #expect(try !isHit(script))
    let entry = try #require(entries().first)
    let whole = try Data(contentsOf: URL(filePath: entry))
    var changed = whole
    changed[whole.count / 2] ^= 1
    for bytes in [Data(), whole.prefix(whole.count / 2), changed, Data("text".utf8)] {
      try bytes.write(to: URL(filePath: entry))
      #expect(try !isHit(script))
      #expect(try isHit(script))
    }
    try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: entry)
    #expect(try !isHit(script))
    #expect(try isHit(script))
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: modules)
    #expect(try !isHit(script))
  }

  @Test("a cache that cannot be written does no harm")
  func unwritable() throws {
    let file = try scratch.write("", to: "file")
    let script = ["-e", "probe begin { println(1) exit() }"]
    for place in [file, "/proc/nowhere", "relative"] {
      let outcome = try trace(script, ["XDG_CACHE_HOME": place])
      #expect(outcome.output == "1\n")
      #expect(outcome.status == 0)
    }
  }

  @Test("another process of the same program hits, a changed program misses", .enabled(if: geteuid() == 0))
  func programs() throws {
    let program = try scratch.compileC(BuildAndRunTests.source, to: "victim")
    let script = [
      "-e", "probe process.function(\"work\") { println(1) } probe begin { println(target()) exit() }",
    ]
    let victims = try (0..<2).map { _ in try Victim(program) }
    let first = try trace(["-p", "\(victims[0].pid)"] + script)
    #expect(first.output == "\(victims[0].pid)\n", "\(first.errors)")
    let second = try trace(["-p", "\(victims[1].pid)"] + script)
    #expect(second.errors.contains("module from cache"))
    #expect(second.output == "\(victims[1].pid)\n")
    try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: program)
    #expect(try !isHit(["-p", "\(victims[0].pid)"] + script))
  }

  @Test("a name that leads to another program misses", .enabled(if: geteuid() == 0))
  func names() throws {
    for folder in ["one", "two"] {
      try FileManager.default.createDirectory(
        atPath: "\(scratch.path)/\(folder)",
        withIntermediateDirectories: true
      )
    }
    _ = try scratch.compileC(BuildAndRunTests.source, to: "two/victim")
    let script = ["-e", "probe process(\"victim\").function(\"work\") { println(1) } probe begin { exit() }"]
    let path = ["PATH": "\(scratch.path)/one:\(scratch.path)/two:/usr/bin:/bin"]
    #expect(try !isHit(script, path))
    #expect(try isHit(script, path))
    _ = try scratch.compileC(BuildAndRunTests.source, to: "one/victim")
    #expect(try !isHit(script, path))
  }
}

/// A program that waits.
private final class Victim {
  private let process = Process()

  init(_ program: String) throws {
    process.executableURL = URL(filePath: program)
    process.arguments = ["wait"]
    try process.run()
  }

  deinit {
    // Foundation starts processes with SIGTERM blocked.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  var pid: Int32 { process.processIdentifier }
}
