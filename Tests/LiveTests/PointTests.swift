import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Every kind of place in code, on a program that tells how often each is passed.
  @Suite(.requires(.probes), .timeLimit(.minutes(3))) struct PointTests {
    static let rounds = 50

    /// The line of points.c that ends in such a comment.
    static func line(_ mark: String) throws -> Int {
      let source = try String(contentsOfFile: "\(Package.root)/TestPrograms/points.c", encoding: .utf8)
      let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
      let index = try #require(lines.firstIndex { $0.hasSuffix("// @\(mark)") }, "@\(mark)")
      return index + 1
    }

    /// Counts the hits of `point` in one run of `program`; nil with a failure noted when tracing changed something.
    static func count(_ point: String, _ program: String, _ sum: String = "1") throws -> (hits: Int, sum: Int)
    {
      let path = Package.program(program)
      let traced = try utrace([
        "-w", "-c", "\(path) \(rounds)", "-e",
        "global n, s probe \(point) { n++; s += \(sum) } probe end { printf(\"hits %d %d\\n\", n, s) }",
      ])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.lines.first == "rounds \(rounds) letters \(rounds * 64) done", "\(traced.output)")
      let fields = traced.lines.last?.split(separator: " ") ?? []
      return (fields.count == 3 ? Int(fields[1]) ?? -1 : -1, fields.count == 3 ? Int(fields[2]) ?? -1 : -1)
    }

    @Test("a statement is passed as often as its line", arguments: ["points", "points-O0", "points-clang"])
    func countsStatements(_ program: String) throws {
      let leaf = try Self.line("leaf")
      let square = try Self.line("square")
      // Each round passes 0, 1, 2, 3 from first, 3 from second, i from middle and i + 1 from tail.
      let sum = (1...Self.rounds).reduce(0) { $0 + 6 + 3 + $1 + $1 + 1 }
      for place in [":\(leaf)", "+1", ":+1", ":\(leaf)-\(leaf)", ":\(leaf - 2),\(leaf)"] {
        let found = try Self.count("process.statement(\"leaf@points.c\(place)\")", program, "$value")
        #expect(found.hits >= 7 * Self.rounds, "\(program) \(place)")
        if found.hits == 7 * Self.rounds { #expect(found.sum == sum, "\(program) \(place)") }
      }
      let exact = try Self.count("process.statement(\"leaf@points.c:\(leaf)\")", program, "$value")
      #expect(exact.hits == 7 * Self.rounds && exact.sum == sum, "\(program) \(exact)")
      let inlined = try Self.count("process.statement(\"square@TestPrograms/points.c:\(square)\")", program)
      #expect(inlined.hits == 5 * Self.rounds, "\(program) \(inlined)")
      let any = try Self.count("process.statement(\"*@points.c:\(square)\")", program)
      #expect(any.hits == 5 * Self.rounds, "\(program) \(any)")
    }

    @Test("the nearest line is taken when asked, and named when not", arguments: ["points", "points-clang"])
    func findsNearestLines(_ program: String) throws {
      let gap = try Self.line("leaf-gap")
      let path = Package.program(program)
      let found = try Self.count("process.statement(\"leaf@points.c:\(gap)\").nearest", program)
      #expect(found.hits == 7 * Self.rounds)
      let listed = try utrace(["-l", "process(\"\(path)\").statement(\"leaf@points.c:\(gap)\").nearest"])
      #expect(listed.lines.count == 1 && listed.output.contains("points.c:\(gap + 1)\")"), "\(listed.output)")
      let plain = try utrace(["-e", "probe process(\"\(path)\").statement(\"leaf@points.c:\(gap)\") { }"])
      let leaf = try Self.line("leaf")
      #expect(plain.status == 1 && plain.errors.contains("[no-such-line]"), "\(plain.errors)")
      #expect(plain.errors.contains("try :\(leaf) or :\(gap + 1)"), "\(plain.errors)")
    }

    @Test("statements list with lines and variables")
    func listsStatements() throws {
      let path = Package.program("points-O0")
      let listed = try utrace(["-L", "process(\"\(path)\").statement(\"leaf@points.c:*\")"])
      let first = try Self.line("leaf-start")
      let numbers = listed.lines.compactMap {
        $0.firstMatch(of: /points\.c:(\d+)"\) \$value:int/).flatMap { Int($0.1) }
      }
      #expect(numbers == [first, first + 1, first + 4, first + 5], "\(listed.output)")
    }

    @Test("an address is probed where an instruction begins, and only there")
    func probesAddresses() throws {
      let path = Package.program("points")
      let symbols = try run("nm", [path]).output.split(separator: "\n")
      let line = try #require(symbols.first { $0.hasSuffix(" leaf") })
      let entry = try #require(Int(line.prefix(16), radix: 16))
      let hex = "0x" + String(entry, radix: 16)
      #expect(try Self.count("process.statement(\(hex))", "points").hits == 7 * Self.rounds)
      #expect(try Self.count("process.statement(\(hex)).absolute", "points").hits == 7 * Self.rounds)
      #expect(try Self.count("process.function(\(hex))", "points", "$value").hits == 7 * Self.rounds)
      func message(_ point: String) throws -> String {
        let tried = try utrace(["-e", "probe process(\"\(path)\").\(point) { }"])
        #expect(tried.status == 1)
        return tried.errors
      }
      #expect(try message("statement(\(entry + 1))").contains("[inside-instruction]"))
      #expect(try message("statement(\(entry + 1)).absolute").contains("[inside-instruction]"))
      #expect(try message("statement(16)").contains("[no-code]"))
      #expect(try message("function(16)").contains("[no-code]"))
    }

    @Test("an absolute address of a process is one of its memory")
    func probesLoadAddresses() throws {
      let path = Package.program("points")
      let program = try RunningProcess(path, ["20", "wait"])
      #expect(program.wait { $0.output.isEmpty && $0.isRunning })
      let symbols = try run("nm", [path]).output.split(separator: "\n")
      let line = try #require(symbols.first { $0.hasSuffix(" leaf") })
      let entry = try #require(UInt64(line.prefix(16), radix: 16))
      var base: UInt64 = 0
      #expect(
        program.wait { process in
          let maps = text(ofFile: "/proc/\(process.pid)/maps").split(separator: "\n")
          guard let first = maps.first(where: { $0.hasSuffix("/points") }) else { return false }
          base = UInt64(first.prefix { $0 != "-" }, radix: 16) ?? 0
          return base > 0
        }
      )
      let address = "0x" + String(base + entry, radix: 16)
      let script = """
        global n probe process(\(program.pid)).statement(\(address)).absolute { n++ }
        probe end { println(n) }
        """
      let tracer = try startUtrace(["-p", "\(program.pid)", "-e", script])
      program.send("\n")
      _ = program.finish()
      let traced = tracer.finish()
      #expect(traced.lines == ["20"], "\(traced.output)\(traced.errors)")
    }

    @Test("a label is passed as often as it is reached", arguments: ["points", "points-O0"])
    func countsLabels(_ program: String) throws {
      let found = try Self.count("process.function(\"second\").label(\"again\")", program)
      #expect(found.hits == 3 * Self.rounds, "\(program)")
      let wild = try Self.count("process.function(\"*\").label(\"ag*\")", program)
      #expect(wild.hits == 3 * Self.rounds, "\(program)")
      let path = Package.program(program)
      let listed = try utrace(["-l", "process(\"\(path)\").function(\"second\").label(\"*\")"])
      #expect(listed.lines.count == 1 && listed.output.contains(").label(\"again\")"), "\(listed.output)")
      let missing = try utrace(["-e", "probe process(\"\(path)\").function(\"second\").label(\"agian\") { }"])
      #expect(missing.errors.contains("did you mean 'again'"), "\(missing.errors)")
    }

    @Test(
      "a callee is seen when its caller calls it",
      arguments: [
        ("first", ".callee(\"leaf\")", 4), ("second", ".callee(\"leaf\")", 1),
        ("middle", ".callee(\"le*\")", 1),
        ("first", ".callee(\"leaf\").return", 4), ("outer", ".callee(\"middle\").call", 1),
        ("outer", ".callees", 1), ("outer", ".callees(2)", 2), ("first", ".callee(\"square\")", 4),
        ("first", ".callees", 8), ("main", ".callees(1).call", 4),
      ]
    )
    func countsCallees(_ caller: String, _ callee: String, _ each: Int) throws {
      let found = try Self.count("process.function(\"\(caller)\")\(callee)", "points")
      #expect(found.hits == each * Self.rounds, "\(caller)\(callee)")
    }

    @Test("a callee's variables and result are its own")
    func readsCallees() throws {
      let value = try Self.count("process.function(\"first\").callee(\"leaf\")", "points", "$value")
      #expect(value.sum == 6 * Self.rounds)
      let result = try Self.count("process.function(\"first\").callee(\"leaf\").return", "points", "$return")
      #expect(result.sum == 18 * Self.rounds)
    }

    @Test("callees that are not there, or hidden by a tail call, are told")
    func tellsCallees() throws {
      let path = Package.program("points")
      func errors(_ point: String) throws -> String {
        try utrace(["-e", "probe process(\"\(path)\").\(point) { }"]).errors
      }
      let typo = try errors("function(\"first\").callee(\"laef\")")
      #expect(typo.contains("[no-such-callee]") && typo.contains("did you mean 'leaf'"), "\(typo)")
      let tail = try errors("function(\"tail\").callee(\"leaf\")")
      #expect(tail.contains("a tail call leaves no trace of its caller: leaf"), "\(tail)")
      let depth = try errors("function(\"first\").callees(0)")
      #expect(depth.contains("[callee-depth]"), "\(depth)")
    }

    @Test(
      "calls into libraries pass their stubs",
      arguments: ["points", "points-ibt", "points-now", "points-clang"]
    )
    func countsStubs(_ program: String) throws {
      let call = try Self.count("process.plt(\"a64l\")", program, "(pointer_arg(1) != 0) * 2")
      #expect(call.hits == Self.rounds && call.sum == 2 * Self.rounds, "\(program) \(call)")
      let result = try Self.count("process.plt(\"a64*\").return", program, "returnval()")
      #expect(result.hits == Self.rounds && result.sum == 64 * Self.rounds, "\(program) \(result)")
      let path = Package.program(program)
      let listed = try utrace(["-l", "process(\"\(path)\").plt"])
      let shown = try run("objdump", ["-d", path]).output.split(separator: "\n").compactMap {
        $0.firstMatch(of: /<([a-z_0-9]+)@plt>:$/).map { String($0.1) }
      }
      for name in Set(shown) { #expect(listed.output.contains(".plt(\"\(name)\")"), "\(name) of \(program)") }
      let missing = try utrace(["-e", "probe process(\"\(path)\").plt(\"a46l\") { }"])
      #expect(
        missing.errors.contains("[no-such-stub]") && missing.errors.contains("a64l"),
        "\(missing.errors)"
      )
    }

    @Test("a stub knows its name and no variables")
    func namesStubs() throws {
      let path = Package.program("points")
      let traced = try utrace([
        "-c", "\(path) 2", "-e", "probe process.plt(\"a64l\") { printf(\"%s %s\\n\", $$name, pp()) }",
      ])
      let line = "a64l process(\"\(path)\").plt(\"a64l\")"
      #expect(traced.lines.filter { $0 == line }.count == 2, "\(traced.output)\(traced.errors)")
      let variable = try utrace(["-e", "probe process(\"\(path)\").plt(\"a64l\") { println($s) }"])
      #expect(variable.errors.contains("long_arg(n)"), "\(variable.errors)")
    }

    @Test("copies of a function are told apart, and how many are probed")
    func tellsCopies() throws {
      let scratch = try ScratchDirectory()
      let clones = try scratch.write(
        """
        static __attribute__((noinline)) int scale(int v, int by) { __asm__ volatile(""); return v * by + v / by; }
        int main(int n, char **a) { return scale(n, 3) + scale(n + 1, 3) + (a == 0); }
        """,
        to: "clones.c"
      )
      let program = scratch.path + "/clones"
      #expect(try run("gcc", ["-g", "-O2", "-o", program, clones]).status == 0)
      let listed = try utrace(["-l", "-v", "process(\"\(program)\").function(\"scale\")"])
      #expect(listed.lines.count == 1 && listed.output.contains(" (scale.constprop.0)"), "\(listed.output)")

      let one = try scratch.write(
        ".type f, @function\nf: push %rax\n pop %rax\n ret\n.size f, .-f\n",
        to: "one.s"
      )
      let other = try scratch.write(
        ".type f, @function\nf: lock incq (%rsp)\n ret\n.size f, .-f\n.globl main\nmain: ret\n",
        to: "other.s"
      )
      let pair = scratch.path + "/pair"
      #expect(try run("gcc", ["-o", pair, one, other]).status == 0)
      let point = "probe process(\"\(pair)\").function(\"f\") { }"
      let checked = try utrace(["--pass", "2", "-e", point])
      #expect(
        checked.status == 0 && checked.errors.contains("1 of 2 copies of 'f' are probed"),
        "\(checked.errors)"
      )
    }

    @Test("inlined instances see their variables")
    func readsInlined() throws {
      let found = try Self.count("process.function(\"square\").inline", "points", "$value")
      #expect(found.hits == 5 * Self.rounds)
      // 0, 1, 2, 3 in first, 0 in second.
      #expect(found.sum == 6 * Self.rounds)
    }
  }
}
