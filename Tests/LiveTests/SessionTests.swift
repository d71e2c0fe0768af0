import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// How a session begins, ends and says what happened; none of this needs a privilege.
  @Suite(.timeLimit(.minutes(1))) struct SessionTests {
    @Test("begin, timer, end in this order, never never")
    func runsProbesInOrder() throws {
      let script = """
        probe end(2) { println("end 2") }
        probe end { println("end") }
        probe begin(1) { println("begin 1") }
        probe begin { println("begin") }
        probe begin(-1) { println("begin -1") }
        probe never { println("never") }
        probe error { println("error") }
        global n
        probe timer.ms(5) { if (++n == 3) exit(); printf("timer %d\\n", n) }
        """
      let outcome = try utrace(["-e", script])
      let wanted = ["begin -1", "begin", "begin 1", "timer 1", "timer 2", "timer 3", "end", "end 2"]
      #expect(outcome.lines == wanted)
      #expect(outcome.status == 0 && outcome.errors.isEmpty)
    }

    @Test("a pattern in the first component means every kind of probe")
    func expandsFirstComponent() throws {
      let script = "probe beg*, en*(1) { println(pn()) } probe begin(2) { exit() }"
      #expect(try utrace(["-w", "-e", script]).output == "begin\nend(1)\n")
    }

    @Test("a read that fails names the function that the script calls")
    func namesFailedReads() throws {
      let script = """
        probe begin { println(kernel_int(8)) }
        probe begin(1) { println(user_string(9)) }
        probe begin(2) { exit() }
        """
      let outcome = try utrace(["-DMAXERRORS=2", "-e", script])
      #expect(outcome.errors.contains("ERROR: kernel read fault at 0x8 near identifier 'kernel_int' at "))
      #expect(outcome.errors.contains("near identifier 'user_string' at"))
    }

    @Test("oneshot runs and ends")
    func runsOneshot() throws {
      let outcome = try utrace([Package.example("hello/hello.stp")])
      #expect(outcome.output == "hello, world\n" && outcome.status == 0 && outcome.errors.isEmpty)
    }

    @Test("a run-time error runs error probes instead of end probes, status 1")
    func runsErrorProbes() throws {
      let script =
        "probe begin { error(\"boo\") } probe error { println(\"error\") } probe end { println(\"end\") }"
      let outcome = try utrace(["-e", script])
      #expect(outcome.output == "error\n" && outcome.status == 1)
      #expect(outcome.messages.first?.hasPrefix("ERROR: boo near ") == true, "\(outcome.errors)")
    }

    @Test("Ctrl-C and SIGTERM print the report", arguments: [SIGINT, SIGTERM, SIGHUP])
    func reportsOnSignals(_ signal: Int32) throws {
      let tracer = try startUtrace(["-e", "probe timer.s(100) {} probe end { println(\"report\") }"])
      tracer.signal(signal)
      let outcome = tracer.finish(seconds: 10)
      #expect(outcome.output == "report\n" && outcome.status == 0)
    }

    @Test(
      "exit statuses: 1 the script, 2 the command line, 3 the system",
      arguments: [
        (1, ["-e", "probe begin { foo( }"]), (1, ["-e", "probe process(\"/nowhere\").function(\"f\") {}"]),
        (1, ["/nowhere/script.stp"]), (1, ["-p", "4194304", "-e", "probe begin { exit() }"]),
        (2, ["--bogus"]),
        (2, []), (2, ["-p"]), (2, ["-p", "x", "-e", "probe begin {}"]),
        (2, ["-DNOSUCH=1", "-e", "probe begin {}"]),
        (3, ["-o", "/nowhere/out", "-e", "probe begin { exit() }"]),
        (3, ["-o", "/dev/full", "-e", "probe begin { println(1) exit() }"]),
      ] as [(Int32, [String])]
    )
    func leavesWithStatus(_ status: Int32, _ arguments: [String]) throws {
      let outcome = try utrace(arguments)
      #expect(outcome.status == status && !outcome.errors.isEmpty && outcome.output.isEmpty, "\(outcome)")
    }

    @Test("without privilege: which capability, status 3", .requires(.probes))
    func namesCapabilities() throws {
      let script = "probe process(\"\(Package.program("threads"))\").function(\"hit\") { next }"
      let outcome = try run(
        "setpriv",
        [
          "--reuid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", Package.utrace, "-e",
          script,
        ]
      )
      #expect(outcome.status == 3 && outcome.output.contains("CAP_BPF"), "\(outcome)")
    }

    @Test("-o writes the script's output to a file, messages stay")
    func writesToAFile() throws {
      let scratch = try ScratchDirectory()
      let file = "\(scratch.path)/out"
      let outcome = try utrace([
        "-o", file, "-e", "probe begin { println(\"text\") warn(\"careful\") exit() }",
      ])
      #expect(outcome.output.isEmpty && outcome.messages == ["WARNING: careful"])
      #expect(try String(contentsOfFile: file, encoding: .utf8) == "text\n")
    }

    @Test("--json: every line of output is an object")
    func printsJSON() throws {
      let script = """
        probe begin { printf("a \\"quoted\\"\\n\\ttext \\377 é") warn("w") }
        probe timer.ms(1) { println("t") error("e") }
        """
      let outcome = try utrace(["--json", "-e", script])
      let objects = try outcome.lines.map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
      }
      #expect(
        objects.compactMap { $0["type"] as? String } == [
          "print", "warning", "print", "error", "warning", "end",
        ]
      )
      #expect(objects[0]["text"] as? String == "a \"quoted\"\n\ttext \u{fffd} é")
      #expect(objects.last?["status"] as? Int == 1 && objects.last?["errors"] as? Int == 1)
      #expect(outcome.status == 1)
    }

    @Test("a process that ends before its probes are live is gone", .requires(.probes))
    func saysThatTheProcessIsGone() throws {
      let scratch = try ScratchDirectory()
      let process = try RunningProcess(Package.program("threads"), ["1", "1"])
      #expect(process.wait { $0.output.contains("ready") })
      let module = "\(scratch.path)/module"
      let built = try utrace([
        "build", "-o", module, "-e", "probe process(\(process.pid)).function(\"hit\") { next }",
      ])
      #expect(built.status == 0, "\(built.errors)")
      process.send("\n")
      _ = process.finish()
      let outcome = try utrace(["run", module])
      #expect(outcome.status == 1, "\(outcome)")
      #expect(
        outcome.errors.contains("process \(process.pid) ended before its probes were live"),
        "\(outcome)"
      )
    }

    @Test("a closed pipe ends the session quietly")
    func endsWithItsReader() throws {
      let script = "probe timer.ms(1) { println(\"line\") }"
      let command = "timeout 10 \"$0\" -e '\(script)' | head -n 2; echo ${PIPESTATUS[0]}"
      let outcome = try run("bash", ["-c", command, Package.utrace])
      #expect(outcome.output == "line\nline\n0\n")
    }

    @Test("a reader that has stopped keeps nobody: a signal ends the session within seconds")
    func endsWithoutItsReader() throws {
      let script = "probe timer.ms(1) { for (i = 0; i < 50; i++) printf(\"%0500d\\n\", i) }"
      let command = """
        mkfifo "$1/pipe"; sleep 30 < "$1/pipe" & reader=$!
        "$0" -e '\(script)' > "$1/pipe" & tracer=$!
        sleep 1; kill -INT $tracer
        for i in $(seq 50); do kill -0 $tracer 2>/dev/null || break; sleep 0.1; done
        kill -9 $tracer 2>/dev/null && echo stuck
        wait $tracer; echo $?; kill $reader
        """
      let scratch = try ScratchDirectory()
      let outcome = try run("bash", ["-c", command, Package.utrace, scratch.path])
      #expect(outcome.output == "0\n")
    }

    @Test("a slow reader gets everything")
    func waitsForItsReader() throws {
      let script = "probe begin { for (i = 0; i < 5000; i++) printf(\"%0100d\\n\", i) exit() }"
      let command = "\"$0\" -e '\(script)' | (sleep 1; cat) | md5sum; seq -f %0100.0f 0 4999 | md5sum"
      let outcome = try run("bash", ["-c", command, Package.utrace])
      let sums = outcome.output.split(separator: "\n")
      #expect(sums.count == 2 && sums[0] == sums[1], "\(outcome)")
    }

    @Test("closed standard output: told, and nothing else gets its number")
    func saysThatOutputIsClosed() throws {
      let scratch = try ScratchDirectory()
      let script = "probe begin { println(\"line\") exit() }"
      let closed = try run("bash", ["-c", "\"$0\" -e '\(script)' 2>&1 >&-", Package.utrace])
      #expect(closed.status == 3, "\(closed)")
      let file = "\(scratch.path)/out"
      let all = "\"$0\" -o \(file) -e '\(script)' <&- >&- 2>&-"
      #expect(try run("bash", ["-c", all, Package.utrace]).status == 0)
      #expect(text(ofFile: file) == "line\n")
    }

    @Test(
      "colours on a terminal, unless NO_COLOR forbids them",
      arguments: ["", "NO_COLOR=1 ", "TERM=dumb "]
    )
    func obeysNoColor(_ setting: String) throws {
      let command = "env -u NO_COLOR TERM=xterm \(setting)\(Package.utrace) -e \"probe begin { x( }\""
      let outcome = try run("script", ["-qec", command, "/dev/null"])
      #expect(outcome.output.contains("error"), "\(outcome)")
      #expect(outcome.output.contains("\u{1b}[") == setting.isEmpty, "\(outcome)")
    }

    @Test("a full disk is said, status 3")
    func saysThatTheDiskIsFull() throws {
      let script = "probe timer.ms(1) { println(\"line\") } probe end { println(\"end\") }"
      let outcome = try run("bash", ["-c", "timeout 10 \"$0\" -e '\(script)' >/dev/full", Package.utrace])
      #expect(outcome.status == 3 && outcome.output.contains("No space left on device"), "\(outcome)")
    }

    @Test("arguments of the script are its own, whatever they look like")
    func leavesArgumentsAlone() throws {
      let script = "probe begin { printf(\"%d %s\\n\", $#, @2) exit() }"
      let outcome = try utrace(["-DMAXACTION=100", "-e", script, "--", "-p", "--bogus"])
      #expect(outcome.output == "2 --bogus\n" && outcome.status == 0, "\(outcome)")
    }
  }
}
