import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Files that a session serves, and what is typed into it; none of this needs a privilege.
  @Suite(.timeLimit(.minutes(1))) struct SessionEventTests {
    /// A session whose files are in a directory of the test's own.
    private final class Session {
      private let scratch: ScratchDirectory
      private let process: RunningProcess
      let files: String

      init(_ script: String, _ options: [String] = []) throws {
        scratch = try ScratchDirectory()
        files = "\(scratch.path)/files"
        process = try startUtrace(
          options + ["-e", script + " probe end { println(\"end\") }"],
          environment: ["UTRACE_FILES": files]
        )
      }

      func read(_ path: String) throws -> String {
        try run("timeout", ["5", "cat", "\(files)/\(path)"]).output
      }

      /// Ends it; gives what it printed.
      func end() -> String {
        process.signal(SIGINT)
        return process.finish(seconds: 10).output
      }

      /// Waits until it ends.
      func wait() -> String { process.finish(seconds: 10).output }
    }

    @Test("each reader of a file gets what the probe makes then")
    func servesReaders() throws {
      let script = """
        global n
        probe procfs("count").read { $value = sprintf("%d", ++n); $value .= "\\n" }
        probe procfs("deep/er").read { $value = "x" if ($value == "x") $value .= "y" }
        """
      let session = try Session(script)
      #expect(try (0..<3).map { _ in try session.read("count") } == ["1\n", "2\n", "3\n"])
      #expect(try session.read("deep/er") == "xy")
      #expect(session.end() == "end\n")
      #expect(!FileManager.default.fileExists(atPath: session.files))
    }

    @Test("one file for readers and writers: each read and each write runs its probe", .requires(.probes))
    func servesBoth() throws {
      let script = """
        global state = "none"
        probe procfs("deep/state").umask(0027).read.maxsize(300) { $value = state . "\\n" }
        probe procfs("deep/state").umask(0027).write { state = tokenize($value, "\\n") println("<", state, ">") }
        """
      let session = try Session(script)
      #expect(try session.read("deep/state") == "none\n")
      func shell(_ command: String) throws -> String {
        let file = "f=\(session.files)/deep/state; "
        return try run("timeout", ["10", "bash", "-c", file + command]).output
      }
      let states = try shell("echo one >$f; cat $f; printf two >>$f; cat $f $f; stat -c '%a %s' $f")
      #expect(states == "one\ntwo\ntwo\n640 0\n")
      let whileOpen = try shell("exec 3<$f; head -c 1 <&3; echo three >$f; cat <&3; cat $f")
      #expect(whileOpen == "two\nthree\n", "who has begun to read goes on with its text")
      #expect(try shell("for i in 1 2 3 4; do cat $f & done; wait") == "three\nthree\nthree\nthree\n")
      #expect(session.end() == "<one>\n<two>\n<three>\nend\n")
      #expect(!FileManager.default.fileExists(atPath: session.files))
      #expect(!text(ofFile: "/proc/mounts").contains(session.files))
    }

    @Test("what is longer than a string comes in several writes", .requires(.probes))
    func dividesWrites() throws {
      let script = """
        probe procfs("f").write { println(strlen($value)) } probe procfs("f").read { $value = "x" }
        """
      let session = try Session(script, ["-DMAXSTRINGLEN=32"])
      let command = "printf '%070d' 5 >\(session.files)/f"
      #expect(try run("timeout", ["5", "sh", "-c", command]).status == 0)
      #expect(session.end() == "31\n31\n8\nend\n")
    }

    @Test("a file for both that cannot be mounted says what it needs")
    func needsMounts() throws {
      let script = "probe procfs(\"f\").write { } probe procfs(\"f\").read { $value = \"x\" }"
      let nobody = ["--reuid", "65534", "--clear-groups"]
      let outcome = try run("setpriv", nobody + [Package.utrace, "-e", script])
      #expect(outcome.output.contains("is a mount, which needs CAP_SYS_ADMIN and FUSE"), "\(outcome.output)")
    }

    @Test("what is written to a file is in $value")
    func takesWrites() throws {
      let script = """
        probe procfs.write { printf("%s", $value) if ($value =~ "^last") exit() }
        """
      let session = try Session(script)
      for text in ["first", "last"] {
        #expect(try run("timeout", ["5", "sh", "-c", "echo \(text) > \(session.files)/command"]).status == 0)
        Thread.sleep(forTimeInterval: 0.1)
      }
      #expect(session.wait() == "first\nlast\nend\n")
    }

    @Test("a file is as long as a string, or as .maxsize says")
    func limitsFiles() throws {
      let script = """
        probe procfs("short").read { for (i = 0; i < 9; i++) $value .= "0123456789" }
        probe procfs("long").read.maxsize(75) { for (i = 0; i < 9; i++) $value .= "0123456789" }
        probe procfs("cut").read.maxsize(7) { $value = "0123456789" println(strlen($value)) }
        """
      let session = try Session(script, ["-DMAXSTRINGLEN=32"])
      #expect(try session.read("short").count == 31)
      #expect(try session.read("long").count == 75)
      #expect(try session.read("cut") == "0123456")
      #expect(session.end() == "7\nend\n")
    }

    @Test("permissions follow the umask")
    func setsPermissions() throws {
      let script = """
        probe procfs("a").umask(0040).read { $value = "" } probe procfs("b").write { }
        """
      let session = try Session(script)
      let modes = try run("stat", ["-c", "%a", "\(session.files)/a", "\(session.files)/b"]).output
      #expect(modes == "604\n600\n")
      _ = session.end()
    }

    @Test("input.line runs for each line, input.char for each character")
    func readsInput() throws {
      let lines = try utrace(
        ["-e", "probe input.line { printf(\"<%s>\", line) if (line == \"end\\n\") exit() }"],
        input: "one\ntwo words\nend\nnever\n"
      )
      #expect(lines.output == "<one\n><two words\n><end\n>")
      let characters = try utrace(
        ["-e", "probe input.char { printf(\"%s.\", char) if (char == \"c\") exit() }"],
        input: "abcd"
      )
      #expect(characters.output == "a.b.c.")
    }

    @Test("a line that is longer than strings loses its end")
    func cutsLines() throws {
      let long = String(repeating: "x", count: 100)
      let outcome = try utrace(
        [
          "-DMAXSTRINGLEN=32", "-e",
          "probe input.line { println(strlen(line)) if (line == \"q\\n\") exit() }",
        ],
        input: "\(long)\nq\n"
      )
      #expect(outcome.output == "31\n2\n")
    }

    @Test("json_data without metrics is an empty list of them")
    func makesNoMetrics() throws {
      let script = "probe json_data { @json_output_data_start @json_output_data_end }"
      let session = try Session(script)
      let metadata = try session.read("metadata.json")
      #expect(metadata == "{\"prefix\":\"utrace\",\"metrics\":[]}\n")
      #expect(try session.read("data.json") == "{}\n")
      _ = session.end()
    }

    @Test("prometheus and json_data make files")
    func makesMetrics() throws {
      let script = """
        global n
        probe begin {
          n["a", 1] = 5 n["b", 2] = 6
          json_set_prefix("p") json_add_numeric_metric("total", "all \\"of\\" it", "count")
          json_add_array("each", "") json_add_array_numeric_metric("each", "value", "", "")
        }
        probe prometheus { @prometheus_dump_array2(n, "hits", "who", "id") }
        probe json_data {
          @json_output_data_start
          @json_output_numeric_value("total", 11)
          foreach ([k, i] in n) @json_output_array_numeric_value("each", k, "value", n[k, i])
          @json_output_data_end
        }
        """
      let session = try Session(script)
      let metrics = try session.read("__prometheus").split(separator: "\n").sorted()
      #expect(metrics == ["hits{who=\"a\",id=\"1\"} 5", "hits{who=\"b\",id=\"2\"} 6"])
      let data = try JSONSerialization.jsonObject(with: Data(try session.read("data.json").utf8))
      let object = try #require(data as? [String: Any])
      #expect(object["total"] as? Int == 11)
      let elements = try #require(object["each"] as? [[String: Any]])
      #expect(Set(elements.compactMap { $0["__id"] as? String }) == ["a", "b"])
      let metadata = try JSONSerialization.jsonObject(with: Data(try session.read("metadata.json").utf8))
      let described = try #require((metadata as? [String: Any])?["metrics"] as? [[String: Any]])
      #expect(described.compactMap { $0["pointer"] as? String } == ["/total", "/each"])
      _ = session.end()
    }

    @Test("switch_file goes on in the next file")
    func switchesFiles() throws {
      let scratch = try ScratchDirectory()
      let script = "probe begin { println(1) switch_file() } probe begin(1) { println(2) exit() }"
      let outcome = try utrace(["-o", "\(scratch.path)/out", "-e", script])
      #expect(outcome.status == 0)
      #expect(text(ofFile: "\(scratch.path)/out") == "1\n" && text(ofFile: "\(scratch.path)/out.1") == "2\n")
    }
  }
}
