import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Markers of programs that Debian ships stripped.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct MarkTests {
    private static let jvm = "/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so"

    /// The lines of the example that are about `file`, without times and process: `  inner (…:3)`, `  inner`.
    private func pythonTree(_ output: String, of file: String, names: Set<String>) -> [String] {
      output.split(separator: "\n").compactMap { line -> String? in
        guard let process = line.firstMatch(of: /python3\.11\(\d+\):/) else { return nil }
        let call = line[process.range.upperBound...]
        let name = call.drop { $0 == " " }.prefix { $0 != " " }
        guard names.contains(String(name)) else { return nil }
        if call.hasSuffix(" us") { return String(call.prefix(upTo: name.endIndex)) }
        return call.contains("(\(file):") ? String(call) : nil
      }
    }

    @Test(
      "python: every call of a Python function, indented as they nest",
      .requires(.file("/usr/bin/python3.11")),
      arguments: ["\"\".format", "lambda *a: None"]
    )
    func tracesPythonFunctions(_ profiler: String) throws {
      let scratch = try ScratchDirectory()
      // CPython 3.11 fires function__entry only while a profile or trace function is set.
      let source = """
        import sys; sys.setprofile(\(profiler))
        def inner(n):
            return n + 1
        def fails(n):
            raise ValueError(n)
        def outer(n):
            inner(n)
            try:
                fails(n)
            except ValueError:
                return inner(n) * 2
        print(sum(map(outer, range(50))))
        """
      let file = try scratch.write(source, to: "calls.py")
      let arguments = ["-c", "python3.11 -S \(file)", Package.example("python/function-entry.stp")]
      let traced = try utrace(arguments, environment: searchPath(first: "/usr/bin"))
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.lines.contains("2550"), "the sum that Python prints")
      let one = [
        "outer (\(file):6)", " inner (\(file):2)", " inner", " fails (\(file):4)", " fails",
        " inner (\(file):2)",
        " inner", "outer",
      ]
      let tree = pythonTree(traced.output, of: file, names: ["inner", "fails", "outer"])
      #expect(tree == Array(repeating: one, count: 50).flatMap { $0 }, "\(traced.output.suffix(3000))")
    }

    @Test("libstdc++: thrown and caught as often as the program says")
    func countsExceptions() throws {
      let program = Package.program("cxxthrow")
      let plain = try run(program, ["1000"])
      let traced = try utrace(["-c", "\(program) 1000", Package.example("cxx/exceptions.stp")])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.output.hasPrefix(plain.output))
      let said = try #require(
        plain.output.firstMatch(of: /caught (\d+) runtime, (\d+) int, (\d+) memory; (\d+) rethrown/)
      )
      let (runtime, numbers, memory, rethrown) = (Int(said.1)!, Int(said.2)!, Int(said.3)!, Int(said.4)!)
      let rows = traced.lines.map { $0.split(separator: " ").map(String.init) }.filter { $0.count == 4 }
      #expect(rows.contains(["\(runtime)", "\(runtime + rethrown)", "cxxthrow", "St13runtime_error"]))
      #expect(rows.contains(["\(numbers)", "\(numbers)", "cxxthrow", "i"]))
      #expect(rows.contains(["\(memory)", "\(memory)", "cxxthrow", "St9bad_alloc"]), "\(traced.output)")
    }

    @Test("hotspot: 531 sites", .requires(.file(jvm)))
    func listsHotspotMarkers() throws {
      let script = "global n probe process(\"\(Self.jvm)\").mark(\"*\") { n++ } probe end { println(n) }"
      let elaborated = try utrace(["--pass", "2", "-e", script])
      #expect(elaborated.output.matches(of: /\n  at process/).count == 531)
    }

    @Test("hotspot: a small program's life", .requires(.file(jvm), .file("/usr/bin/java")))
    func tracesJava() throws {
      let scratch = try ScratchDirectory()
      let source = """
        public class Small {
          public static void main(String[] arguments) throws Exception {
            for (int i = 0; i < 3; i++) System.gc();
            Thread thread = new Thread(() -> System.out.println("in a thread"), "my-own-thread");
            thread.start();
            thread.join();
            System.out.println("done");
          }
        }
        """
      let file = try scratch.write(source, to: "Small.java")
      let output = "\(scratch.path)/out"
      let java = "java -XX:+UseSerialGC -Xmx64m \(file)"
      let script = """
        global hits
        probe process("\(Self.jvm)").mark("*") { hits[$$name]++ }
        probe process("\(Self.jvm)").mark("thread__start") { printf("thread %s\\n", user_string_n($arg1, $arg2)) }
        probe end { foreach (name in hits) printf("%d %s\\n", hits[name], name) }
        """
      let counted = try utrace(["-o", output, "-c", java, "-e", script])
      #expect(counted.status == 0 && counted.messages.isEmpty, "\(counted.errors)")
      #expect(counted.output == "in a thread\ndone\n")
      var lines = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n").map(String.init)
      let hits = counts(lines)
      #expect(hits["vm__init__begin"] == 1 && hits["vm__init__end"] == 1, "\(lines)")
      // Three that the program asks for, and those that a small heap needs.
      #expect(hits["gc__begin"] ?? 0 >= 3 && hits["gc__begin"] == hits["gc__end"])
      #expect(hits["class__loaded"] ?? 0 > 400)
      #expect(lines.filter { $0 == "thread my-own-thread" }.count == 1)

      let traced = try utrace(["-o", output, "-c", java, Package.example("java/hotspot-markers.stp")])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.output == "in a thread\ndone\n")
      lines = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n").map(String.init)
      let classes = lines.drop { !$0.hasPrefix("classes loaded") }.dropFirst()
      #expect(
        classes.count == 10 && classes.allSatisfy { $0.wholeMatch(of: /[\w\/$.+]+/) != nil },
        "\(classes)"
      )
    }

    @Test(
      "our own marks: every form of argument",
      arguments: ["marks", "marks-O0", "marks-nopie", "marks-stripped"]
    )
    func readsMarkArguments(_ name: String) throws {
      let program = Package.program(name)
      let plain = try run(program, ["20"])
      let script = """
        global n
        probe process.provider("marks").mark("*") { n[$$name]++; printf("%s %s\\n", $$name, $$parms) }
        probe process.mark("strings") { printf("%s|%s|\\n", user_string2($arg1, "?"), user_string2($arg2, "?")) }
        probe end { foreach (name in n) printf("%d %s\\n", n[name], name) }
        """
      let scratch = try ScratchDirectory()
      let output = "\(scratch.path)/out"
      let traced = try utrace(["-o", output, "-c", "\(program) 20", "-e", script])
      #expect(traced.status == 0, "\(traced.errors)")
      let said = try #require(traced.output.split(separator: "\n").first)
      #expect(plain.output.contains(said), "tracing must change nothing")
      // The only thing that a program can see: its semaphore was raised.
      #expect(traced.errors.contains("guarded probe enabled in 20 rounds"), "\(traced.errors)")
      let lines = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n").map(String.init)
      let hits = counts(lines)
      #expect(hits["sizes"] == 20 && hits["none"] == 20 && hits["sites"] == 60 && hits["ten"] == 20)
      func expectParameters(_ name: String, _ values: [Int64]) {
        let wanted = values.enumerated().map { "arg\($0 + 1)=0x" + String(UInt64(bitPattern: $1), radix: 16) }
        let line = "\(name) " + wanted.joined(separator: " ")
        #expect(lines.contains(line), "\(line), not \(lines.first { $0.hasPrefix(name + " ") } ?? "-")")
      }
      expectParameters("sizes", [-1, 255, -2, 65535, -3, 4_294_967_295, -4, -1])
      expectParameters("constants", [1, -2, 3_000_000_000, -4_000_000_000])
      expectParameters("ten", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      // Operands that name a symbol need it: "arg1=?" once it is stripped.
      if name != "marks-stripped" { expectParameters("memory", [4242, 33, 123, -8]) }
      expectParameters("sites", [5])
      expectParameters("sites", [100])
      // Nobody has touched the page with the literals: it is not in memory.
      #expect(lines.filter { $0 == "some text||" || $0 == "?|?|" }.count == 20)
    }
  }
}
