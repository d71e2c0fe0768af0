import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// A traced program exits, forks, execs, loads libraries.
  @Suite(.requires(.probes), .timeLimit(.minutes(1))) struct FollowTests {
    private let forker = Package.program("forker")
    private var plugin: String { Package.program("libplugin.so") }
    private var script: String {
      """
      probe process("\(forker)").function("work").call { printf("work %d %d\\n", $value, pid() == target()) }
      probe process("\(forker)").mark("work") { printf("mark %d\\n", $arg1) }
      probe process("\(plugin)").function("plugin_work").call { printf("plugin %s\\n", $$parms) }
      probe end { println("over") }
      """
    }

    @Test("-c: ends with the command, sees what it loads later")
    func followsACommand() throws {
      let scratch = try ScratchDirectory()
      let output = "\(scratch.path)/out"
      let plain = try run(forker, ["3"])
      let traced = try utrace(["-o", output, "-c", "\(forker) 3", "-e", script])
      #expect(traced.output == plain.output, "tracing must change nothing")
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      let lines = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n").map(String.init)
      // The process of the command, not those that it starts.
      for line in ["work 1 1", "mark 1", "plugin value=0x4"] {
        #expect(lines.filter { $0 == line }.count == 3, "\(lines)")
      }
      #expect(lines.count == 10 && lines.last == "over")
    }

    @Test("-p: ends with the process, sees what it loads later")
    func followsAProcess() throws {
      let program = try RunningProcess(forker, ["--wait", "2"])
      #expect(program.wait { $0.output.contains("ready") })
      let tracer = try startUtrace(["-p", "\(program.pid)", "-e", script])
      program.send("\n")
      let traced = tracer.finish(seconds: 10)
      let outcome = program.finish()
      #expect(outcome.output.hasSuffix("plugin 40\nhere 100\nforked 200\nexeced 300\nplugin 40\ndone\n"))
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(
        traced.lines.filter { $0 == "work 1 1" }.count == 2 && traced.lines.count == 7,
        "\(traced.output)"
      )
      #expect(traced.lines.last == "over")
    }

    @Test("without a target every process is seen, also forked and executed ones")
    func seesEveryProcess() throws {
      let tracer = try startUtrace(["-e", script])
      _ = try run(forker, ["2"])
      let traced = tracer.interrupt()
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      for value in 1...3 {
        #expect(traced.lines.filter { $0.hasPrefix("work \(value) ") }.count == 2, "\(traced.output)")
        #expect(traced.lines.filter { $0 == "mark \(value)" }.count == 2)
      }
      #expect(traced.lines.filter { $0 == "plugin value=0x4" }.count == 2)
    }

    @Test("a command that executes another program stays the target")
    func followsExec() throws {
      let targets = Package.program("targets-O2")
      let script =
        "probe process(\"\(targets)\").function(\"triple\").call { printf(\"triple %d\\n\", $value) }"
      let traced = try utrace(["-c", "sh -c 'exec \(targets)'", "-e", script])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(
        traced.lines.filter { $0.hasPrefix("triple ") } == ["triple 14", "triple 64"],
        "\(traced.output)"
      )
    }

    @Test("a command that fails is reported")
    func reportsFailure() throws {
      let failed = try utrace(["-c", "sh -c 'exit 3'", "-e", "probe end { println(\"over\") }"])
      #expect(failed.output == "over\n" && failed.messages == ["WARNING: Child process exited with status 3"])
      #expect(failed.status == 1)
      let killed = try utrace(["-c", "sh -c 'kill -9 $$'", "-e", "probe end { println(\"over\") }"])
      #expect(killed.output == "over\n" && killed.messages == ["WARNING: Child process exited with signal 9"])
    }
  }
}
