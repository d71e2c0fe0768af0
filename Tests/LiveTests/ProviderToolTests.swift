import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Headers and objects of `utrace dtrace`, built into programs and traced.
  @Suite struct ProviderToolTests {
    /// A compiler, its options and the language it is to read.
    struct Build: CustomTestStringConvertible {
      let words: [String]

      init(_ words: String) { self.words = words.split(separator: " ").map(String.init) }

      var testDescription: String { words.joined(separator: " ") }
    }

    private static let builds = [
      Build("gcc -O0"), Build("gcc -O2 -std=c99 -pedantic"), Build("gcc -O2 -fPIC -shared-libgcc -fpie -pie"),
      Build("g++ -O0 -xc++"), Build("g++ -O2 -xc++ -std=c++98"), Build("clang -O0"), Build("clang -O2"),
    ]

    @Test("marks pass what the macros were given, and raise their semaphores", arguments: builds)
    func marksPassArguments(_ build: Build) throws {
      let scratch = try ScratchDirectory()
      let program = try self.program(build, in: scratch)
      let script = """
        probe process("\(program)").provider("shop").mark("order__start") { printf("%d %s\\n", $arg1, user_string($arg2)) }
        probe process("\(program)").mark("order-done") {
          printf("%d %d %d %d\\n", $arg1, $arg2, $arg3, user_int($arg4))
        }
        probe process("\(program)").mark("order__flags") { printf("%d %d %s\\n", $arg1, $arg2, user_string($arg3)) }
        """
      let traced = try utrace(["-c", "\(program) 2", "-e", script])
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      #expect(
        traced.output == """
          traced
          traced
          1 Ann
          251 -1 100 1
          3 0 text
          2 Ann
          252 -2 200 2
          3 1 text

          """
      )
      // Nobody traces: the semaphores are down.
      #expect(try run(program, ["2"]).output.isEmpty)
    }

    @Test("an untraced probe is one nop")
    func probeIsOneNop() throws {
      let scratch = try ScratchDirectory()
      let file = try scratch.write("provider p { probe q(int); };", to: "p.d")
      #expect(try utrace(["dtrace", "-h", "-s", file, "-o", "\(scratch.path)/p.h"]).status == 0)
      #expect(try utrace(["dtrace", "-G", "-s", file, "-o", "\(scratch.path)/p.o"]).status == 0)
      let source = "#include \"p.h\"\nvoid f(int x) { P_Q(x); }\n"
      let object = try scratch.write(source, to: "f.c")
      let flags = ["-O2", "-fcf-protection=none", "-c", object, "-o", "\(scratch.path)/f.o"]
      #expect(try run("gcc", flags).status == 0)
      let listing = try run("objdump", ["-d", "--no-show-raw-insn", "\(scratch.path)/f.o"]).output
      let instructions = listing.split(separator: "\n").compactMap { line in
        line.contains(":\t") ? line.split(separator: "\t").last?.trimmingCharacters(in: .whitespaces) : nil
      }
      #expect(instructions == ["nop", "ret"])
    }

    @Test(
      "mistakes are told with their place",
      arguments: [
        ("probe q();", "p.d:1:11: error: there is no 'provider' in this file"),
        ("provider p { probe q(int }", "p.d:1:26: error: ')' is expected, not '}'"),
        ("provider p { probe q(int,); };", "p.d:1:26: error: a type is expected, not ')'"),
        ("provider p { probe q(); probe q(); };", "p.d:1:31: error: probe 'q' is already defined"),
        ("provider p {\n#define A int\n};", "p.d:2:1: error: '#define' needs the preprocessor: give '-C'"),
        ("provider p { /* probe", "p.d:1:14: error: the comment has no end"),
        ("provider p", "p.d:1:11: error: '{' is expected, not the end of the file"),
      ]
    )
    func mistakesAreLocated(_ text: String, _ message: String) throws {
      let scratch = try ScratchDirectory()
      let file = try scratch.write(text, to: "p.d")
      let outcome = try utrace(["dtrace", "-h", "-s", file, "-o", "-"])
      #expect(outcome.status == 1)
      #expect(outcome.output.isEmpty)
      #expect(outcome.lines.isEmpty)
      let first = outcome.errors.split(separator: "\n").first.map(String.init) ?? ""
      #expect(first.hasSuffix("\(message) [provider-syntax]"), "\(outcome.errors)")
    }

    @Test("no file, no compiler, no choice of -h or -G: each says what is wrong")
    func failuresAreTold() throws {
      let scratch = try ScratchDirectory()
      let file = try scratch.write("provider p { probe q(int); };", to: "p.d")
      let missing = try utrace(["dtrace", "-h", "-s", "/nonexistent/p.d", "-o", "-"])
      #expect(missing.status == 3 && missing.errors.contains("/nonexistent/p.d: No such file"))
      let neither = try utrace(["dtrace", "-s", file])
      #expect(neither.status == 2 && neither.errors.contains("give either '-h' or '-G'"))
      let object = "\(scratch.path)/p.o"
      let compiler = try utrace(
        ["dtrace", "-G", "-s", file, "-o", object],
        environment: ["CC": "no-such-compiler"]
      )
      #expect(compiler.status == 1 && compiler.errors.contains("'no-such-compiler' failed"))
      #expect(!FileManager.default.fileExists(atPath: object))
    }

    /// Makes header and object of shop.d and builds shop.c with them, warnings being errors.
    private func program(_ build: Build, in scratch: ScratchDirectory) throws -> String {
      let folder = "\(Package.root)/TestPrograms/provider"
      let header = "\(scratch.path)/shop.h"
      let object = "\(scratch.path)/shop.o"
      for (option, output) in [("-h", header), ("-G", object)] {
        let made = try utrace(["dtrace", "-C", option, "-s\(folder)/shop.d", "-o", output])
        guard made.status == 0 else { throw CommandFailure(command: "utrace dtrace", output: made.errors) }
      }
      let program = "\(scratch.path)/shop"
      let strict = ["-Wall", "-Wextra", "-Werror", "-g", "-I\(scratch.path)"]
      let source = ["-c", "\(folder)/shop.c", "-o", "\(scratch.path)/main.o"]
      let compiled = try run(build.words[0], build.words.dropFirst() + strict + source)
      guard compiled.status == 0 else {
        throw CommandFailure(command: build.testDescription, output: compiled.output)
      }
      let linked = try run("g++", ["\(scratch.path)/main.o", object, "-o", program])
      guard linked.status == 0 else { throw CommandFailure(command: "g++", output: linked.output) }
      return program
    }
  }
}
