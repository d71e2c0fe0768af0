import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Variables that DWARF tells by what a register held when the function was called (`DW_OP_entry_value`), read
  /// where that register holds something else.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct EntryValueTests {
    /// Prints what its functions were called with; the parameters are dead where the probes are.
    private static let source = """
      #include <stdio.h>
      #include <unistd.h>
      struct pair { int first; long second; };
      static volatile int sink;
      __attribute__((noinline)) static void use(long x) { sink += x; __asm__ volatile("" ::: "memory"); }
      static inline __attribute__((always_inline)) int inner(int n, int m) {
        use(n + m);
        use(3);
        sink++; /* inlined */
        return sink;
      }
      __attribute__((noinline)) int outer(int n, struct pair *p, int m) {
        use(n); use(m); use(p->first);
        if (__builtin_expect(n == 101, 0)) { use(1);
          use(2); /* cold */
        }
        int r = inner(n, m);
        use(7);
        sink += r; /* late */
        return sink;
      }
      __attribute__((noinline)) int deep(int n, long d) {
        if (n == 0) return 0;
        int r = deep(n - 1, d * 2);
        use(r);
        sink += 3; /* back */
        return r + 1;
      }
      __attribute__((noinline)) void waits(int n, int m) {
        for (int i = 0; i < 50 && m; i++) usleep(20000);
        use(m);
        use(4);
        sink += 1; /* waited */
      }
      int main(int argc, char **argv) {
        struct pair p = { 5, 6 };
        if (argc > 2) { puts("waits"); fflush(stdout); waits(argc + 40, 1); waits(argc + 50, 0); return 0; }
        for (int i = 0; i < 3; i++) { p.first = i * 10; outer(i + 100, &p, i); }
        deep(3, 1);
        return argv == 0;
      }
      """

    private static func line(_ mark: String) -> Int {
      (source.split(separator: "\n", omittingEmptySubsequences: false).firstIndex {
        $0.contains("/* \(mark) */")
      } ?? 0)
        + 1
    }

    private static func point(_ function: String, _ mark: String) -> String {
      "process.statement(\"\(function)@*:\(line(mark))\")"
    }

    private static func compile(_ compiler: String, in scratch: ScratchDirectory) throws -> String {
      let file = try scratch.write(source, to: "entries.c")
      let program = "\(scratch.path)/entries"
      let made = try run(compiler, ["-g", "-O2", "-o", program, file])
      guard made.status == 0 else { throw CommandFailure(command: compiler, output: made.output) }
      return program
    }

    @Test("a parameter whose register was used again, in every call under way", arguments: ["gcc", "clang"])
    func keepsParameters(_ compiler: String) throws {
      let scratch = try ScratchDirectory()
      let program = try Self.compile(compiler, in: scratch)
      let traced = try utrace([
        "-c", program, "-e",
        """
        function twice() { return $n * 2 }
        probe \(Self.point("outer", "late")) { printf("outer %d %d %s\\n", $n, twice(), $$parms) }
        probe \(Self.point("deep", "back")) { text = $$parms; printf("deep %d %d %s\\n", $n, $d, text) }
        """,
      ])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      let lines = traced.lines.map { $0.split(separator: " ").prefix(3).joined(separator: " ") }
      let expected = [
        "outer 100 200", "outer 101 202", "outer 102 204", "deep 1 4", "deep 2 2", "deep 3 1",
      ]
      #expect(lines == expected, "\(traced.output)")
      #expect(traced.lines.first?.contains(" n=0x64 ") == true, "\(traced.output)")
      #expect(traced.lines.last == "deep 3 1 n=0x3 d=0x1")
    }

    @Test("in inlined code, and in the part of a function that was moved away", arguments: ["gcc", "clang"])
    func keepsParametersElsewhere(_ compiler: String) throws {
      let scratch = try ScratchDirectory()
      let program = try Self.compile(compiler, in: scratch)
      let traced = try utrace([
        "-c", program, "-e",
        """
        probe \(Self.point("inner", "inlined")) { printf("inner %d\\n", $n) }
        probe \(Self.point("outer", "cold")) { printf("cold %d\\n", $n) }
        """,
      ])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.lines == ["inner 100", "cold 101", "inner 101", "inner 102"])
    }

    @Test("a function that was called before the session: a text has '?', a number is no hit")
    func missesEarlierCalls() throws {
      let scratch = try ScratchDirectory()
      let program = try Self.compile("gcc", in: scratch)
      let cases = [("println($$parms)", ["n=? m=0x1", "n=0x35 m=0x0"]), ("println($n)", ["53"])]
      for (body, expected) in cases {
        let target = try RunningProcess(program, ["1", "2"])
        #expect(target.wait { $0.output.contains("waits") })
        let traced = try utrace([
          "-p", "\(target.pid)", "-e", "probe \(Self.point("waits", "waited")) { \(body) }",
        ])
        #expect(traced.lines == expected, "\(traced.output) \(traced.errors)")
      }
    }

    @Test("an index that is known only when the function returns counts from the argument")
    func indexesLate() throws {
      let scratch = try ScratchDirectory()
      let program = try Self.compile("gcc", in: scratch)
      let traced = try utrace([
        "-c", "\(program) word", "-e",
        """
        function text(i) { return user_string($argv[i]) }
        probe process.function("main").return { i = 1; println(user_string($argv[i]), " ", text(i)); println($argv[i]$) }
        """,
      ])
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.lines == ["word word", "\"word\""])
    }

    @Test(
      "texts of thousands of sites take no program for each layout of a frame",
      .requires(.script("build-psql"))
    )
    func sharesPrograms() throws {
      let made = try run("\(Package.root)/Scripts/build-psql", [])
      let psql = made.output.split(separator: "\n").last.map(String.init) ?? ""
      let explained = try utrace([
        "explain", "ir", "-e", "probe process(\"\(psql)\").function(\"*\") { println($$parms) }",
      ])
      #expect(explained.lines.contains { $0.hasPrefix("probe 0 ") && $0.contains("user sites(") })
      #expect(!explained.lines.contains { $0.hasPrefix("entry of probe") })
    }

    @Test("what a pointer points to that the compiler did away with", arguments: ["gcc", "clang"])
    func followsImplicitPointers(_ compiler: String) throws {
      let scratch = try ScratchDirectory()
      let file = try scratch.write(Self.pointers, to: "pointers.c")
      let program = "\(scratch.path)/pointers"
      #expect(try run(compiler, ["-g", "-O2", "-o", program, file]).status == 0)
      let probe = "probe process.statement(\"add@pointers.c:6\")"
      let traced = try utrace([
        "-c", program, "-e",
        """
        \(probe) {
          if (@defined($p->first)) printf("%d %d %d %s\\n", $p->first, $p[0]->second, $k[0], $p$)
          else println("unknown")
        }
        """,
      ])
      let expected = [1, 2].map { "\($0) 20 \($0 * 3) {.first=\($0), .second=20, .third=[...]}" }
      // clang says nothing of them.
      #expect(traced.lines == (compiler == "gcc" ? expected : ["unknown", "unknown"]), "\(traced.errors)")
      guard compiler == "gcc" else { return }
      let value = try utrace(["-c", program, "-e", "\(probe) { println($p) }"])
      #expect(value.errors.contains("'$p' has no value here; only what it points to is known"))
    }

    private static let pointers = """
      struct pair { int first; long second; int third[3]; };
      static volatile int sink;
      __attribute__((noinline)) static void use(long x) { sink += x; __asm__ volatile("" ::: "memory"); }
      static inline __attribute__((always_inline)) int add(struct pair *p, const int *k) {
        use(p->first);
        use(p->second); /* line 6 */
        use(p->first + p->second + *k);
        return sink;
      }
      __attribute__((noinline)) int outer(int n, int m) {
        struct pair q = { n, m * 2L, { n + 1, n + 2, n + 3 } };
        int k = n * 3;
        return add(&q, &k) + n + q.third[1];
      }
      int main(int argc, char **argv) {
        for (int i = 0; i < 2; i++) outer(i + argc, 10);
        return argv == 0;
      }
      """
  }
}
