import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Functions of our own programs, whose arguments and results they print themselves.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct FunctionTests {
    /// `name(1, -2, 3ul) = 4`: a call whose arguments are all literals.
    private struct PrintedCall {
      let name: String
      let arguments: [Int64]
      let result: Int64

      init?(_ line: String) {
        guard let parts = line.wholeMatch(of: /(\w+)\(([^()"{}]*)\) = (-?\d+)/), let result = Int64(parts.3)
        else {
          return nil
        }
        var arguments: [Int64] = []
        for text in parts.2.split(separator: ",") {
          let digits = text.trimmingCharacters(in: .whitespaces).trimmingCharacters(in: .letters)
          if let value = Int64(digits) {
            arguments.append(value)
          } else if let value = UInt64(digits) {
            arguments.append(Int64(bitPattern: value))
          } else {
            return nil
          }
        }
        (name, self.arguments, self.result) = (String(parts.1), arguments, result)
      }
    }

    @Test(
      "parameters are what the program prints",
      arguments: [
        "O0", "O2", "O3", "nopie", "static", "static-pie", "clang-O0", "clang-O2", "dwarf4", "dwarf5",
        "types", "types4", "split", "split4", "split-types", "clang-split", "dwp", "dwp5", "zlib", "zlib-gnu",
        "debuglink", "dwz-a",
        "frame-pointer", "lto",
      ]
    )
    func parametersAreWhatTheProgramPrints(_ variant: String) throws {
      let program = Package.program("targets-\(variant)")
      let scratch = try ScratchDirectory()
      let output = "\(scratch.path)/out"
      let plain = try run(program, [])
      let traced = try utrace([
        "-o", output, "-c", program, Package.example("functions/trace-calls.stp"), program,
      ])
      #expect(traced.output == plain.output, "tracing must change nothing")
      // A static program holds functions of libc that cannot be probed: those are named.
      #expect(variant.hasPrefix("static") || traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.status == 0)
      let calls = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n")

      let printed = traced.lines.compactMap(PrintedCall.init)
      #expect(printed.count == 13)
      for call in printed {
        let seen = calls.first { $0.hasPrefix("\(call.name) ") }.map(String.init)
        let values = seen.map { $0.matches(of: /=(0x[0-9a-f]+|\?)/).map { String($0.1) } } ?? []
        // What is passed on the stack or unused may be optimized away: "?", never a wrong value.
        let wanted = call.arguments.map { "0x" + String(UInt64(bitPattern: $0), radix: 16) }
        let matches = zip(values, wanted).allSatisfy { $0 == $1 || (variant != "O0" && $0 == "?") }
        #expect(matches && values.count <= wanted.count && seen != nil, "\(call) but \(seen ?? "no call")")
      }
      #expect(
        calls.filter { $0.hasPrefix("factorial n=") }.map { $0.last } == ["5", "4", "3", "2", "1", "0"]
      )
      #expect(
        calls.contains("take_struct p={.x=6, .y=7} f={.ready=1, .level=-2, .code=300, .wide=78187493530}")
      )
    }

    @Test("return values are what the program prints", arguments: ["O0", "O2", "clang-O2"])
    func resultsAreWhatTheProgramPrints(_ variant: String) throws {
      let program = Package.program("targets-\(variant)")
      let script = """
        probe process.function("take_nothing").return, process.function("take_signed").return,
              process.function("take_unsigned").return, process.function("take_fixed").return,
              process.function("take_enum").return, process.function("take_many").return,
              process.function("factorial").return, process.function("change_parameter").return,
              process.function("take_variadic").return, process.function("return_narrow").return { printf("%s %d\\n", probefunc(), $return) }
        """
      let scratch = try ScratchDirectory()
      let output = "\(scratch.path)/out"
      let traced = try utrace(["-o", output, "-c", program, "-e", script])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      let returns = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n").map(
        String.init
      )
      for call in traced.lines.compactMap(PrintedCall.init)
      where call.name != "factorial" && script.contains("\"\(call.name)\"") {
        #expect(returns.contains("\(call.name) \(call.result)"), "\(call)")
      }
      let factorials = returns.filter { $0.hasPrefix("factorial ") }
      #expect(factorials == [1, 1, 2, 6, 24, 120].map { "factorial \($0)" })
    }

    @Test("a parameter in a return probe is what came in", arguments: ["O0", "O2", "clang-O0", "split"])
    func returnProbesSeeEntryValues(_ variant: String) throws {
      let script = """
        probe process.function("change_parameter").return { printf("%d %d\\n", $n, $return) }
        probe process.function("take_string").return { printf("%s %d\\n", user_string($text), $return) }
        """
      let program = Package.program("targets-\(variant)")
      let traced = try utrace(["-c", "\(program) 3", "-e", script])
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.lines.filter { $0 == "7 17" }.count == 3, "\(traced.output)")
      #expect(traced.lines.filter { $0 == "hello, tracer 13" }.count == 3)
      #expect(traced.lines.filter { $0 == " 0" }.count == 3)
    }

    @Test(
      "arguments of every class are in place at the entry",
      arguments: ["O0", "O0-rsp", "O2", "dwarf4", "clang-O0", "clang-O0-rsp", "clang-O2"]
    )
    func argumentsOfEveryClass(_ variant: String) throws {
      let program = Package.program("arguments-\(variant)")
      let names = [
        "widths", "reals", "nine", "pairs", "overflow", "mixes", "memory", "wide", "nothing", "by_reference",
        "returns_large", "returns_owner", "returns_pair", "counter::add",
      ]
      let points = names.map { "process.function(\"\($0)\").return" }.joined(separator: ",\n")
      let scratch = try ScratchDirectory()
      let output = "\(scratch.path)/out"
      let traced = try utrace([
        "-o", output, "-c", program, "-e", "probe \(points) { println(probefunc(), \" \", $$parms) }",
      ])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      let seen = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n")
      #expect(traced.lines.count == names.count)
      for call in traced.lines {
        let words = call.split(separator: " ", maxSplits: 1)
        guard let line = seen.first(where: { $0.hasPrefix(words[0] + " ") }) else {
          Issue.record("\(words[0]) was not seen to return")
          continue
        }
        // What optimisation leaves out may be missing, but never be wrong.
        for value in words[1].matches(of: /([a-z]+=)(\{[^}]*\}|[^ ]+)/) {
          let shown = line.contains(" " + value.0)
          let isMissing = value.2 == "?" || line.contains(" \(value.1)?")
          #expect(shown || isMissing && variant.hasSuffix("O2"), "\(value.0) but \(line)")
        }
      }
    }

    @Test(
      "a global variable in a return probe is what the function left",
      arguments: ["O0", "O2", "nopie", "split"]
    )
    func returnProbesSeeGlobalsAsTheyAre(_ variant: String) throws {
      let script = """
        probe process.function("take_nothing").call { printf("call %d\\n", @var("static_counter")) }
        probe process.function("take_nothing").return {
          printf("return %d entry %d result %d\\n", @var("static_counter@targets.c"), @entry(@var("static_counter")), $return)
        }
        """
      let program = Package.program("targets-\(variant)")
      let traced = try utrace(["-c", "\(program) 2", "-e", script])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      let lines = traced.lines.filter { $0.hasPrefix("call 1") || $0.hasPrefix("return 1") }
      #expect(
        lines == [
          "call 1000", "return 1001 entry 1000 result 1000", "call 1001",
          "return 1002 entry 1001 result 1001",
        ],
        "\(traced.output)"
      )
    }

    @Test(
      "inlined instances have their variables",
      arguments: ["O2", "O3", "clang-O2", "split", "dwz-a", "lto"]
    )
    func seesVariablesOfInlinedInstances(_ variant: String) throws {
      let script = "probe process.function(\"inlined_square\").inline { println(\"side \", $side) }"
      let traced = try utrace(["-c", Package.program("targets-\(variant)"), "-e", script])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.lines.filter { $0.hasPrefix("side ") } == ["side 3", "side 5"], "\(traced.output)")
    }

    @Test("a return probe leaves alone what is not called")
    func returnProbesSparePartsAndStart() throws {
      let program = Package.program("targets-O2")
      let plain = try run(program, ["2"])
      let script = "global n probe process.function(\"*\").return { n++ }"
      let traced = try utrace(["-c", "\(program) 2", "-e", script])
      #expect(traced.output.hasPrefix(plain.output))
      #expect(traced.messages.contains { $0.contains("refused-site") }, "\(traced.errors)")
      let started = try utrace(["-c", program, "-e", "probe process.function(\"_start\").return { next }"])
      #expect(started.status == 1 && started.errors.contains("refused-site"), "\(started.errors)")
    }

    @Test("C++ names, recursion and a wildcard over 10,000 functions change nothing")
    func tracesManyFunctions() throws {
      let program = Package.program("manyfuncs")
      let plain = try run(program, [])
      let script = "global n probe process.function(\"*\").call { n++ } probe end { println(\"calls \", n) }"
      let traced = try utrace(["-c", program, "-e", script])
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.output.hasPrefix(plain.output))
      let calls = traced.lines.last?.split(separator: " ").last.flatMap { Int($0) }
      #expect(calls ?? 0 >= 10_000, "\(traced.lines.last ?? "")")
    }

    @Test("a histogram for each function")
    func showsLatencies() throws {
      let program = try RunningProcess(Package.program("threads"), ["2", "400", "push", "1000"])
      #expect(program.wait { $0.output.contains("ready") })
      let arguments = ["-p", "\(program.pid)", Package.example("latency/function-latency.stp"), "h*t"]
      let tracer = try startUtrace(arguments)
      program.send("\n")
      // The tracer ends with the program.
      let traced = tracer.finish()
      #expect(program.finish().output.contains("done 800 hits, sum 320000, right"))
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.lines.first?.hasPrefix("hit: 800 calls, ns min ") == true, "\(traced.output)")
      #expect(traced.output.contains("value |--------"))
      let rows = traced.lines.compactMap { $0.firstMatch(of: /\|@* +(\d+)$/).flatMap { Int($0.1) } }
      #expect(rows.reduce(0, +) == 800)
    }
  }
}
