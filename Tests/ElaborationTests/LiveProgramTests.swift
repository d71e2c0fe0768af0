import Foundation
import Platform
import TargetModel
import TestSupport
import Testing

@testable import Elaboration

/// Programs of this machine: their marks and symbols.
@Suite("Programs of this machine")
struct LiveProgramTests {
  let programs = SystemPrograms(environment: .current())
  let postgres = "/usr/lib/postgresql/15/bin/postgres"

  @Test("Every marker of postgres lands in few groups")
  func landsPostgresMarks() throws {
    let script = "probe process(\"\(postgres)\").mark(\"*\") { printf(\"%s %s\\n\", $$name, $$parms) }"
    let elaborated = Elaborated(script, programs: programs)
    let program = try #require(elaborated.checked.product, "\(elaborated.messages)")
    let sites = program.probes.flatMap { $0.trigger.sites }
    #expect(sites.count == 71)
    #expect(Set(sites.map(\.description.name)).count == 57)
    #expect(sites.allSatisfy { $0.semaphore != nil && $0.buildID != nil })
    #expect(sites.allSatisfy { $0.description.formats.count == 1 })
  }

  @Test(
    "What other distributions have in /lib64 is found where Debian has it",
    arguments: ["/lib*/libc.so.6", "/lib64/libc.so.6", "/usr/lib*/libc.so.*", "/usr/lib64/libc.so.6"]
  )
  func findsMultiarchLibraries(_ path: String) throws {
    // `/lib32` is there with 32-bit libraries, and matches, too.
    let found = try programs.files(named: path).get().filter { !$0.contains("32/") }
    #expect(found == ["/usr/lib/x86_64-linux-gnu/libc.so.6"])
    #expect((try? programs.files(named: path + ".nowhere").get()) == nil)
  }

  @Test("A build ID names a file that a process executes")
  func findsBuildIDs() throws {
    let scratch = try ScratchDirectory()
    let source = "#include <unistd.h>\nint main(void) { return sleep(60); }"
    let id = "00112233445566778899aabbccddeeff"
    let path = try scratch.compileC(source, to: "asleep", flags: ["-Wl,--build-id=0x\(id)"])
    let nowhere = programs.files(named: id)
    guard case .failure(let problem) = nowhere else {
      Issue.record("nobody executes it yet: \(nowhere)")
      return
    }
    #expect(problem.message == "no file with the build ID '\(id)'")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    try process.run()
    defer { process.terminate() }
    var found = nowhere
    for _ in 0..<200 {
      found = programs.files(named: id.uppercased())
      if case .success = found { break }
      usleep(10_000)
    }
    #expect(try found.get() == [path])
    // Too short, or no hexadecimal number: a name as any other.
    for name in ["0011223344", "00112233445566778899aabbccddeefg", "00112233445566778899aabbccddeef"] {
      guard case .failure(let problem) = programs.files(named: name) else { continue }
      #expect(problem.message.hasPrefix("no program"))
    }
  }

  @Test("A script that a script runs leads to what runs that")
  func followsInterpreters() throws {
    let scratch = try ScratchDirectory()
    let inner = try scratch.write("#!/usr/bin/env sh\n", to: "inner")
    let outer = try scratch.write("#!\(inner)\n", to: "outer")
    for path in [inner, outer] { #expect(chmod(path, 0o755) == 0) }
    #expect(try programs.files(named: outer).get() == programs.files(named: "sh").get())
    let loop = try scratch.write("#!\(scratch.path)/loop\n", to: "loop")
    #expect(try programs.files(named: loop).get() == [loop])
  }

  @Test("A stripped program is probed by its symbols and its arguments read by the ABI")
  func probesStripped() throws {
    let script =
      "probe process(\"\(postgres)\").function(\"exec_simple_q*\"), process(\"\(postgres)\").function(\"pg_strong*\") { println(long_arg(1)) }"
    let elaborated = Elaborated(script, programs: programs)
    #expect(elaborated.ids == ["no-such-function"], "\(elaborated.messages)")
    let exported = Elaborated(
      "probe process(\"\(postgres)\").function(\"pg_strong_random\").exported { println(long_arg(1)) }",
      programs: programs
    )
    let program = try #require(exported.checked.product, "\(exported.messages)")
    #expect(program.probes.count == 1)
    #expect(exported.text.contains("print(\"%d\\n\", <r5>)"))
  }

  @Test("A target variable of a stripped program is an error that tells what works")
  func explainsStripped() {
    let script = "probe process(\"\(postgres)\").function(\"pg_strong_random\") { println($buf) }"
    let elaborated = Elaborated(script, programs: programs)
    #expect(elaborated.ids == ["no-debug-info"])
    #expect(elaborated.messages.contains("pointer_arg(n)"))
  }

  @Test(
    "What is not there is named",
    arguments: [
      ("process(\"nosuchprogram\").function(\"f\")", "no-such-program"),
      ("process(\"/etc/passwd\").function(\"f\")", "no-such-program"),
      ("process(\"/bin/tru*x\").function(\"f\")", "no-such-program"),
      ("process(999999999).function(\"f\")", "no-such-program"),
      ("process.function(\"f\")", "no-such-program"),
      ("process(\"ls\").mark(\"f\")", "no-such-mark"),
      ("process(\"ls\").library(\"nosuch.so\").function(\"f\")", "no-such-program"),
      ("process(\"ls\").library(\"libc.so.6\").function(\"mallco\")", "no-such-function"),
      ("process(\"ls\").functoin(\"f\")", "no-such-component"),
      ("process(\"ls\").statement(\"f\")", "no-such-function"),
      ("process(\"ls\").statement(\"f@a.c:1\")", "no-such-function"),
      ("process(\"ls\").statement", "needs-string"),
      ("process(\"ls\").statement(\"f@a.c:x\")", "malformed-pattern"),
      ("process(\"ls\").insn", "unsupported-probe"),
      ("process(\"ls\").plt(\"mallco\")", "no-such-stub"),
      ("process(\"ls\")", "process-what"),
      ("process(\"ls\").provider(\"f\")", "provider-needs-mark"),
      ("process(\"ls\").function", "needs-string"),
    ]
  )
  func namesWhatIsMissing(_ point: String, _ id: String) {
    let elaborated = Elaborated("probe \(point) { }", programs: programs)
    #expect(elaborated.ids == [id], "\(elaborated.messages)")
  }

  @Test("A library of a program, and its function")
  func findsLibrary() throws {
    let elaborated = Elaborated(
      "probe process(\"ls\").library(\"libc.so*\").function(\"malloc\").return { println(returnval()) }",
      programs: programs
    )
    let program = try #require(elaborated.checked.product, "\(elaborated.messages)")
    let sites = program.probes.flatMap { $0.trigger.sites }
    #expect(sites.count == 1)
    #expect(sites.first?.path.contains("libc.so.6") == true)
  }

  @Test("Optional and sufficient points fall silent")
  func skipsOptional() {
    let script = "probe process(\"nosuch\").function(\"f\") ?, begin { println(1) }"
    #expect(Elaborated(script, programs: programs).messages == "")
  }
}

extension ElaboratedTrigger {
  /// The sites, for those that have some.
  var sites: [ProbeSite] {
    switch self {
    case .userInstruction(let sites, _), .userReturn(let sites, _), .userData(let sites, _): sites
    case .begin, .end, .error, .timer, .never, .event, .tracepoint, .sample, .running: []
    }
  }
}
