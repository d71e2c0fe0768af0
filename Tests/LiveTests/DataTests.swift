import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// `process.data`: accesses to variables, told by the processor's debug registers.
  @Suite(.requires(.probes), .timeLimit(.minutes(3))) struct DataTests {
    private let watched = Package.program("watched")

    @Test(
      "every write of every thread counts once and shows the new value; reads count where they are asked for"
    )
    func counts() throws {
      let script = """
        global n, sum, writes, accesses, from
        probe process("\(watched)").data("counter").write { n++; sum += $counter; from[usymname(uaddr())]++ }
        probe process("\(watched)").data("level").write { writes++ }
        probe process("\(watched)").data("level").rw { accesses++; if ($level == 18) printf("counter %d\\n", @var("counter")) }
        probe process.data("heap_like").rw { printf("%s %d %s\\n", $$name, $heap_like[0], $$vars) }
        probe end { foreach (f in from) println(f, from[f]); printf("%d %d %d %d\\n", n, sum, writes, accesses) }
        """
      let traced = try utrace(["-c", watched, "-e", script])
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.lines.suffix(2) == ["bump200", "200 20100 10 15"], "\(traced.output)")
      // The last write of `level` and five reads of it.
      #expect(traced.lines.count { $0 == "counter 200" } == 6, "\(traced.output)")
      let reads = traced.lines.filter { $0.hasPrefix("heap_like ") }
      #expect(!reads.isEmpty && reads.allSatisfy { $0.contains("heap_like=0x") }, "\(traced.output)")
    }

    @Test("in a running process: by name, in threads that are there and that come, and by address")
    func running() throws {
      let program = try RunningProcess(watched, ["wait"])
      #expect(program.wait { $0.output.hasSuffix("\n") })
      let address = program.output.trimmingCharacters(in: .whitespacesAndNewlines)
      let script = """
        global n
        probe process.data("counter").length(8).write { n++ }
        probe process(\(program.pid)).data(\(address)).length(8).write {
          printf("%s %d %s\\n", usymname(uaddr()), user_long(\(address)), sprint_ubacktrace())
        }
        probe end { println(n) }
        """
      let tracer = try startUtrace(["-p", "\(program.pid)", "-e", script])
      program.send("\n")
      let traced = tracer.finish()
      #expect(program.finish().status == 0)
      #expect(traced.lines.first?.hasPrefix("main 90 main+0x") == true, "\(traced.output)\(traced.errors)")
      #expect(traced.lines.last == "200", "\(traced.output)")
    }

    @Test("children of the watched process are not it")
    func children() throws {
      let script =
        "global n; probe process(\"\(watched)\").data(\"counter\").write { n++ } probe end { println(n) }"
      let traced = try utrace(["-c", "sh -c '\(watched) & wait'", "-e", script])
      #expect(traced.status == 1 && traced.errors.contains("has not mapped"), "\(traced.errors)")
    }

    @Test("a fifth watch finds no debug register, and says so")
    func tooMany() throws {
      let names = ["\"counter\"", "\"level\"", "\"heap_like\"", "\"pairs\").length(8", "\"lock\").length(8"]
      let script = names.map { "probe process.data(\($0)).write { print(\"\") }" }.joined(separator: " ")
      let traced = try utrace(["-c", watched, "-e", script])
      #expect(traced.status == 1 && traced.errors.contains("there are four"), "\(traced.errors)")
    }

    @Test(
      "what cannot be watched is refused with the reason",
      arguments: [
        ("data(\"own\").write", "'own' cannot be watched: every thread has one of its own [no-address]"),
        ("data(\"own\").write", "'process(PID).data(0x…).length(8)'"), ("data(\"pairs\").write", "32 bytes"),
        ("data(3).length(4).rw", "no multiple of 4"), ("data(\"nothing\").rw", "[no-such-variable]"),
        ("data(\"counter\")", "'.write' or '.rw'"), ("data(\"counter\").length(3).rw", "[watch-length]"),
        ("data(\"counter\").read", "[unexpected-component]"),
      ]
    )
    func refused(_ point: String, _ reason: String) throws {
      let traced = try utrace(["--pass", "2", "-c", watched, "-e", "probe process.\(point) {}"])
      #expect(traced.status == 1 && traced.errors.contains(reason), "\(traced.errors)")
    }

    @Test("data of no process in particular is refused")
    func everywhere() throws {
      let traced = try utrace(["--pass", "2", "-e", "probe process(\"\(watched)\").data(\"counter\").rw {}"])
      #expect(traced.errors.contains("[watch-without-process]"), "\(traced.errors)")
    }
  }
}
