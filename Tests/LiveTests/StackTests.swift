import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Call chains of user space, in code without frame pointers.
  @Suite(.requires(.probes, .file("/usr/bin/gdb")), .timeLimit(.minutes(4))) struct StackTests {
    private let stacks = Package.program("stacks")

    /// A program whose first hit of a function is deterministic.
    struct Hit: Sendable, CustomTestStringConvertible {
      let command: [String]
      /// The file with the function; nil: the program itself.
      var file: String?
      let function: String
      var testDescription: String { "\(function) in \(command.joined(separator: " "))" }
    }

    private static let libc = "/usr/lib/x86_64-linux-gnu/libc.so.6"

    private static let hits: [Hit] =
      ["", "signal", "callback", "alloca"].map {
        Hit(command: [Package.program("stacks"), $0].filter { !$0.isEmpty }, function: "probed")
      }
      + [
        Hit(command: [Package.program("targets-O2")], function: "take_struct"),
        Hit(command: [Package.program("targets-O3")], function: "factorial"),
        Hit(command: [Package.program("targets-clang-O2")], function: "factorial"),
        Hit(command: [Package.program("targets-stripped")], file: libc, function: "write"),
        Hit(
          command: [Package.program("cxxthrow")],
          file: "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
          function: "__cxa_throw"
        ),
        Hit(command: ["/usr/bin/python3.11", "-S", "-c", "float('1.5')"], function: "PyFloat_FromString"),
        Hit(
          command: ["/usr/bin/python3.11", "-S", "-c", "sorted([3, 1], key=lambda n: float(str(n)))"],
          function: "PyFloat_FromString"
        ),
        Hit(command: ["/usr/lib/postgresql/15/bin/psql", "-h", "/nowhere"], file: libc, function: "connect"),
        Hit(
          command: ["/usr/lib/postgresql/15/bin/postgres", "--describe-config"],
          file: libc,
          function: "write"
        ),
      ].filter { FileManager.default.fileExists(atPath: $0.command[0]) }

    /// What gdb says of each frame that `kinds` leaves, innermost first; `shown` is Python for what is asked.
    private func debugger(_ hit: Hit, leaving kinds: String, _ shown: String) throws -> [String] {
      let scratch = try ScratchDirectory()
      let script = try scratch.write(
        """
        import gdb
        gdb.execute("set pagination off")
        gdb.execute("set breakpoint pending on")
        gdb.execute("set backtrace past-main on")
        gdb.execute("handle SIGUSR1 nostop noprint pass")
        gdb.execute("break \(hit.function)")
        gdb.execute("set inferior-tty /dev/null")
        gdb.execute("run")
        frame = gdb.newest_frame()
        while frame is not None:
          if frame.type() not in (\(kinds)):
            print("frame " + \(shown))
          frame = frame.older()
        gdb.execute("kill")
        """,
        to: "walk.py"
      )
      // Without a terminal to fight over with the tests.
      let shell = [
        "-c", "exec timeout 60 gdb \"$@\" < /dev/null", "gdb", "-q", "-batch", "-nx", "-x", script,
      ]
      let output = try run("sh", shell + ["--args"] + hit.command).output
      return output.split(separator: "\n").filter { $0.hasPrefix("frame ") }.map { String($0.dropFirst(6)) }
    }

    /// What a body prints at the first hit.
    private func traced(_ hit: Hit, _ body: String) throws -> String {
      let file = hit.file ?? hit.command[0]
      let script = """
        global done
        probe process("\(file)").function("\(hit.function)") { if (pid() == target() && !done++) { \(body) } }
        """
      let scratch = try ScratchDirectory()
      let command = hit.command.map { $0.contains(" ") || $0.contains("'") ? "\"\($0)\"" : $0 }
      _ = try utrace(["-o", "\(scratch.path)/out", "-c", command.joined(separator: " "), "-e", script])
      return text(ofFile: "\(scratch.path)/out")
    }

    @Test("addresses are gdb's, up to where the program was started", arguments: hits)
    func agreesWithDebugger(_ hit: Hit) throws {
      // What is inlined into another has no address of its own.
      let wanted = try debugger(hit, leaving: "gdb.INLINE_FRAME, gdb.TAILCALL_FRAME", "'%x' % frame.pc()")
      let found = try traced(hit, "print_ubacktrace(); printf(\"all %s\\n\", ubacktrace())")
      try #require(wanted.count > 1, "\(wanted)")
      let all = found.split(separator: "\n").first { $0.hasPrefix("all ") }?.dropFirst(4) ?? ""
      let addresses = all.split(separator: " ").map { String($0.dropFirst(2)) }
      // A program lies elsewhere every time, but at whole pages; the probe may stand behind the first instruction.
      let tail = { (address: String) in String(address.suffix(3)) }
      #expect(addresses.dropFirst().map(tail) == wanted.dropFirst().map(tail), "\(found)")
    }

    /// Programs with debug information; of PostgreSQL's server only where somebody built it.
    private static let describedHits: [Hit] = {
      let built = (try? run("\(Package.root)/Scripts/build-psql", ["--path"]).output) ?? ""
      let psql = built.trimmingCharacters(in: .whitespacesAndNewlines)
      let server = psql.replacingOccurrences(of: "bin/psql", with: "bin/postgres")
      return [
        Hit(command: [Package.program("stacks")], function: "probed"),
        Hit(command: [Package.program("targets-O2")], function: "take_struct"),
        Hit(command: [Package.program("targets-O3")], function: "factorial"),
        Hit(command: [Package.program("targets-clang-O2")], function: "factorial"),
        Hit(command: [psql, "-X", "-h", "/nowhere"], file: libc, function: "connect"),
        Hit(command: [psql, "--help"], file: libc, function: "write"),
        Hit(command: [server, "--describe-config"], file: libc, function: "write"),
      ].filter { FileManager.default.fileExists(atPath: $0.command[0]) }
    }()

    @Test("functions, inlined ones too, with files and lines are gdb's", arguments: describedHits)
    func namesAreTheDebuggers(_ hit: Hit) throws {
      // Not those of libc: its functions have several names, its lines more than one row for an address.
      let isOther = "sal.symtab and '/libc.so' not in (gdb.solib_name(frame.pc()) or '')"
      let place = "frame.name().split('(')[0] + ' %s:%s' % (sal.symtab.filename.split('/')[-1], sal.line)"
      let shown = "(lambda sal: \(place) if \(isOther) else '')(frame.find_sal())"
      let wanted = try debugger(hit, leaving: "gdb.TAILCALL_FRAME, gdb.SIGTRAMP_FRAME", shown)
        .filter { !$0.isEmpty }
      let found = try traced(hit, "print_ubacktrace_fileline()")
      // ` 0x401136 : outer+0x11/0x22 at /tmp/stacks.c:37 [/tmp/stacks]`; a copy's name has a suffix.
      let frames = found.split(separator: "\n").filter { !$0.contains("/libc.so") }.compactMap { line in
        line.firstMatch(of: /\ : ([^ +.(]+)\S*(?: \(inlined\))? at (?:.*\/)?([^\/:]+:[0-9]+) \[/)
          .map { "\($0.1) \($0.2)" }
      }
      try #require(!wanted.isEmpty)
      // Where exactly a probe of the innermost function stands is another matter.
      let isOwn = hit.file == nil
      #expect(frames.dropFirst(isOwn ? 1 : 0) == wanted.dropFirst(isOwn ? 1 : 0), "\(found)")
    }

    @Test("names, inlined functions and lines are the compiler's")
    func names() throws {
      let script = """
        probe process.function("probed") {
          print_ubacktrace_fileline()
          print_ubacktrace_brief()
          printf("%s|%s|%s\\n", usymname(uaddr()), umodname(uaddr()), usymfileline(uaddr()))
        }
        """
      let traced = try utrace(["-c", stacks, "-e", script])
      let source = "\(Package.root)/TestPrograms/stacks.c"
      let text = try String(contentsOfFile: source, encoding: .utf8).split(
        separator: "\n",
        omittingEmptySubsequences: false
      )
      let line = { (part: String) in (text.firstIndex { $0.contains(part) } ?? -2) + 1 }
      func has(_ name: String, _ part: String) -> Bool {
        traced.lines.contains { $0.contains(" : \(name)") && $0.contains("stacks.c:\(line(part)) ") }
      }
      #expect(has("inlined (inlined)", "return probed(n) * 3"), "\(traced.output)")
      #expect(has("outer+0x", "long result = inlined(n) + 1"))
      #expect(has("main+0x", "total = outer(argc)"))
      #expect(traced.lines.contains { $0.wholeMatch(of: /outer\+0x[0-9a-f]+/) != nil })
      // Its first instruction has a line of the body, too.
      let first = line("PROBED long probed")
      let places = (first...first + 2).map { "probed|stacks|\(source):\($0)" }
      #expect(traced.lines.contains { places.contains($0) }, "\(traced.output)")
      #expect(traced.messages.isEmpty, "\(traced.errors)")
    }

    @Test("functions whose return is probed keep their callers")
    func returns() throws {
      let script = """
        probe process.function("factorial").return { print_ubacktrace_brief(); println() }
        """
      let traced = try utrace(["-c", Package.program("targets-O2"), "-e", script])
      let chains = traced.output.components(separatedBy: "\n\n").map { chain in
        chain.split(separator: "\n").compactMap { $0.split(separator: "+").first.map(String.init) }
          .filter { ["factorial", "main"].contains($0) }
      }
      for depth in 0..<6 {
        #expect(chains.contains(Array(repeating: "factorial", count: depth) + ["main"]), "\(traced.output)")
      }
    }

    @Test("processes that end at once, and libraries that are loaded and unloaded, are known")
    func shortLives() throws {
      let script = """
        probe process("\(Self.libc)").function("_exit") {
          if (execname() == "true") printf("exit %s\\n", ubacktrace())
        }
        probe process("\(Package.program("libplugin.so"))").function("plugin_work") { print_ubacktrace() }
        """
      let command = "/bin/true; \(stacks) plugin \(Package.program("libplugin.so"))"
      let tracer = try startUtrace(["-e", script])
      #expect(try run("sh", ["-c", "for i in 1 2 3 4 5 6 7 8 9 10; do \(command); done"]).status == 0)
      let traced = tracer.interrupt()
      let exits = traced.lines.filter { $0.hasPrefix("exit ") }.map { $0.split(separator: " ").count }
      #expect(exits.count == 10 && Set(exits).count == 1 && exits[0] > 4, "\(traced.output)\(traced.errors)")
      let plugin = traced.lines.filter { $0.contains(" : plugin_work+0x") }
      #expect(plugin.count == 10 && plugin.allSatisfy { $0.hasSuffix("/libplugin.so]") })
      #expect(traced.lines.count { $0.contains(" : main+") } == 10)
    }

    @Test("a chain that does not fit says so, and fits when more is copied")
    func depth() throws {
      let script = "probe process.function(\"probed\") { print_ubacktrace_brief() }"
      let short = try utrace(["-c", "\(stacks) deep", "-e", script])
      #expect(short.lines.last == " ..." && !short.output.contains("main+"))
      let half = try utrace(["-DUTRACE_STACK_BYTES=8192", "-c", "\(stacks) deep", "-e", script])
      #expect(half.lines.count < short.lines.count && half.lines.last == " ...")
    }
  }
}
