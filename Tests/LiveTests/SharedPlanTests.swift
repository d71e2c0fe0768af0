import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Sites whose variables lie in different places, in one program.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct SharedPlanTests {
    private static let count = 60

    /// Functions with variables at other places in each: of several sizes, in the frame, behind a pointer.
    private static var source: String {
      let functions = (0..<count).map { index in
        let extra = (0..<(index % 11)).map { "e\($0)" }
        let locals = extra.enumerated().map { "long \($1) = n * \($0 + 7);" }.joined(separator: " ")
        // In the order of the source: parameters, then variables.
        let shown = ["a", "b", "c", "pad"] + extra
        let format = shown.map { "\($0)=0x%lx" }.joined(separator: " ")
        let values = shown.map { "(long)\($0)" }.joined(separator: ", ")
        return """
          extern "C" void f\(index)(int n, T t) {
            int a = -n - \(index); short b = (short)(n * 3); unsigned char c = (unsigned char)n;
            int pad[\(2 * (index % 7) + 2)] = {}; \(locals)
            if (n < 0) goto here;
            t.y++;
            here: printf("f\(index) n=0x%lx t={.x=%d, .y=%ld} \(format)\\n", (long)n, t.x, t.y, \(values));
          }
          """
      }
      let calls = (0..<count).map { "f\($0)(n + \($0), t);" }.joined(separator: "\n")
      return """
        #include <stdio.h>
        // Passed by reference, since it is copied by a function.
        struct T { int x; long y; T(int a) : x(a), y(-a) {} T(const T &o) : x(o.x + 1), y(o.y) {} ~T() {} };
        \(functions.joined(separator: "\n"))
        int main() { for (int n = 1; n < 4; n++) { T t(n * 1000); \(calls) } }
        """
    }

    private func program(_ scratch: ScratchDirectory) throws -> String {
      let file = try scratch.write(Self.source, to: "many.cc")
      let program = "\(scratch.path)/many"
      let built = try run("g++", ["-g", "-O0", "-o", program, file])
      try #require(built.status == 0, "\(built.output)")
      return program
    }

    @Test("they are as few as the forms of their captures, and print what the program does")
    func printsAll() throws {
      let scratch = try ScratchDirectory()
      let program = try program(scratch)
      let point = "process(\"\(program)\").function(\"f[0-9]*\").label(\"here\")"
      let script = "probe \(point) { printf(\"%s %s\\n\", probefunc(), $$vars) }"
      let elaborated = try utrace(["explain", "elaborate", "-e", script])
      #expect(
        elaborated.lines.count { $0.hasPrefix("probe ") } <= 3,
        "\(elaborated.output)\(elaborated.errors)"
      )
      let traced = try utrace(["-o", "\(scratch.path)/out", "-c", program, "-e", script])
      #expect(traced.messages.isEmpty && traced.lines.count == 3 * Self.count, "\(traced.errors)")
      #expect(text(ofFile: "\(scratch.path)/out").split(separator: "\n").map(String.init) == traced.lines)
    }

    @Test("what a function had at its entry is kept for its return")
    func keepsEntries() throws {
      let scratch = try ScratchDirectory()
      let program = try program(scratch)
      let point = "process(\"\(program)\").function(\"f[0-9]*\").return"
      let script = "probe \(point) { printf(\"%s %s\\n\", probefunc(), $$parms) }"
      let traced = try utrace(["-o", "\(scratch.path)/out", "-c", program, "-e", script])
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      let wanted = traced.lines.map { line in
        // Before the function changed it.
        let words = line.split(separator: " ")
        let y = words[3].dropFirst(3).dropLast()
        return "\(words[0]) \(words[1]) \(words[2]) .y=\((Int(y) ?? 0) - 1)}"
      }
      #expect(wanted.count == 3 * Self.count)
      #expect(text(ofFile: "\(scratch.path)/out").split(separator: "\n").map(String.init) == wanted)
    }

    @Test("memory that is not there is an error of the site that reads it")
    func faults() throws {
      let scratch = try ScratchDirectory()
      let functions = (0..<30).map { index in
        """
        __attribute__((noinline)) long g\(index)(struct s *p) {
          long x[\(index + 1)]; x[0] = \(index); struct s *volatile q = p;
          if (p == (void *)-1) goto here;
          here: __asm__ volatile("" :: "r"(x), "r"(q) : "memory"); return x[0];
        }
        """
      }
      let calls = (0..<30).map { "g\($0)(\($0 == 17 ? "(void *)16" : "&s"));" }.joined(separator: "\n")
      let source =
        "struct s { long v; } s = { 5 };\n" + functions.joined(separator: "\n")
        + "\nint main(void) { \(calls) return 0; }\n"
      let program = try scratch.compileC(source, to: "faults", flags: ["-g", "-O0"])
      let point = "process(\"\(program)\").function(\"g*\").label(\"here\")"
      let script =
        "probe \(point) { try { println(probefunc(), \" \", $q$) } catch (e) { println(probefunc(), \"!\") } }"
      let traced = try utrace(["-o", "\(scratch.path)/out", "-c", program, "-e", script])
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      let wanted = (0..<30).map { $0 == 17 ? "g17!" : "g\($0) {.v=5}" }
      #expect(text(ofFile: "\(scratch.path)/out").split(separator: "\n").map(String.init) == wanted)
    }
  }
}
