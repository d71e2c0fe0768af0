import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Types that no debug information has but a header.
  @Suite(.requires(.probes, .tool("cc")), .timeLimit(.minutes(2))) struct HeaderTests {
    private static let source = """
      #include <stdio.h>
      #include <sys/stat.h>
      __attribute__((noinline)) void look(void *p) { __asm__ volatile("" :: "r"(p) : "memory"); }
      int main(int argc, char **argv) {
        struct stat s;
        if (argc < 1 || stat(argv[0], &s)) return 1;
        printf("%ld %d\\n", (long)s.st_size, (int)s.st_mode);
        fflush(stdout);
        look(&s);
        return 0;
      }
      """

    @Test("a cast to a type of a header, also behind a module that is not there")
    func casts() throws {
      let scratch = try ScratchDirectory()
      let program = try scratch.compileC(Self.source, to: "look", flags: ["-O2", "-g0"])
      let script = """
        probe process.function("look") {
          p = pointer_arg(1)
          printf("%d %d\\n", @cast(p, "struct stat", "<sys/stat.h>")->st_size,
                 @cast(p, "stat", "nosuch:<sys/stat.h>")->st_mode)
        }
        """
      // A path that means something to a shell.
      let home = "\(scratch.path)/it's $(touch gone)"
      try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
      let compiler = "\(home)/it's cc"
      let found = try run("sh", ["-c", "command -v cc"]).output.split(separator: "\n").first.map(String.init)
      try FileManager.default.createSymbolicLink(atPath: compiler, withDestinationPath: found ?? "")
      let traced = try utrace(
        ["-c", program, "-e", script],
        environment: ["XDG_CACHE_HOME": home, "CC": compiler]
      )
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.lines.count == 2 && traced.lines[0] == traced.lines[1], "\(traced.output)")
      let kept = try FileManager.default.contentsOfDirectory(atPath: "\(home)/utrace/headers")
      #expect(kept.count == 1 && kept[0].hasPrefix("sys-stat.h-"))
    }

    @Test("what is missing is said: the header, the type, the compiler")
    func problems() throws {
      let scratch = try ScratchDirectory()
      let program = try scratch.compileC(Self.source, to: "look", flags: ["-O2", "-g0"])
      func errors(_ header: String, _ environment: [String: String] = [:]) throws -> String {
        let script =
          "probe process.function(\"look\") { println(@cast(1, \"struct none\", \"\(header)\")->x) }"
        return try utrace(["-c", program, "-e", script], environment: environment).errors
      }
      #expect(try errors("<no/such.h>").contains("no/such.h: No such file or directory"))
      #expect(try errors("<stdio.h>").contains("no type 'struct none' in <stdio.h> [no-such-type]"))
      #expect(try errors("<a'; touch x>").contains("is no name of a header"))
      #expect(
        try errors("<stdio.h>", ["CC": "no-such-compiler"]).contains("need a C compiler, and there is none")
      )
      #expect(try errors("no-such-library.so").contains("no-such-library.so"))
    }
  }
}
