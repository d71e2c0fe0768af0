import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// What guru mode allows, and names of enumerators; that writes work is shown by ``OldKernelTests``.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct GuruTests {
    private let watched = Package.program("watched")

    @Test("what cannot be written is refused with the reason")
    func refused() throws {
      let stacks = Package.program("stacks")
      let inRegister = try utrace([
        "-g", "--pass", "2", "-e", "probe process(\"\(stacks)\").function(\"probed\") { $n = 1 }",
      ])
      #expect(inRegister.errors.contains("cannot change registers"), "\(inRegister.errors)")
      let script = "probe process(\"\(watched)\").function(\"bump\") { @var(\"counter\")++ }"
      let plain = try utrace(["--pass", "2", "-e", script])
      #expect(plain.status == 1 && plain.errors.contains("[target-read-only]"), "\(plain.errors)")
    }

    @Test("a kernel that forbids writing says so before anything runs")
    func forbidden() throws {
      let script = "probe process.function(\"bump\") { @var(\"counter\")++ }"
      let traced = try utrace(["-g", "-c", watched, "-e", script])
      let isLockedDown = text(ofFile: "/sys/kernel/security/lockdown").contains("[none]") == false
      if isLockedDown {
        #expect(traced.status == 3 && traced.errors.contains("writing user memory"), "\(traced.errors)")
        #expect(!traced.output.contains("bits"))
      } else {
        #expect(traced.output.contains("400 "), "\(traced.output)\(traced.errors)")
      }
    }

    @Test("functions that need guru mode inside point at the script's call, once each")
    func pointsAtTheCall() throws {
      let script = """
        function poke(where) { set_user_string(where, "x") }
        probe process("\(watched)").function("bump") { poke(1) raise(9) }
        """
      let plain = try utrace(["--pass", "2", "-e", script])
      let changes = "changing memory of the traced program ('set_user_string') needs guru mode (option -g)"
      #expect(plain.errors.contains("<input>:1:24: error: \(changes)"), "\(plain.errors)")
      #expect(plain.errors.contains("error: sending a signal to the traced program needs guru mode"))
      #expect(plain.errors.components(separatedBy: "error:").count == 3, "\(plain.errors)")
    }

    @Test("raise sends the thread a signal, in guru mode only")
    func raises() throws {
      let scratch = try ScratchDirectory()
      let source = """
        #include <signal.h>
        #include <stdio.h>
        static volatile int seen;
        static void note(int number) { seen = number; }
        __attribute__((noinline)) int probed(int n) { return n + seen; }
        int main(void) {
          signal(SIGUSR2, note);
          int n = probed(1);
          printf("%d %d\\n", n > 0, seen);
          return 0;
        }

        """
      let program = try scratch.compileC(source, to: "raised", flags: ["-g", "-O1"])
      let script = "probe process.function(\"probed\") { println(raise(12), \" \", raise(1000) < 0) }"
      let traced = try utrace(["-g", "-c", program, "-e", script])
      #expect(traced.lines.contains("1 12"), "\(traced.output)\(traced.errors)")
      #expect(traced.lines.contains("0 1"), "\(traced.output)")
      let plain = try utrace(["-c", program, "-e", script])
      #expect(plain.status == 1 && plain.errors.contains("[needs-guru-mode]"), "\(plain.errors)")
    }

    @Test("names of enumerators, by the variable's type or a named one, printed and kept")
    func enumerators() throws {
      let script = """
        global seen
        probe process.function("main") {
          printf("%s %s %s %s\\n", @enumname(@var("color")), @enumname(1, "color"), @enumname(2, "enum color"),
            @enumname(@var("color") - 4, "color"))
          seen[@enumname(@var("color"))]++
          println(@const("GREEN"))
        }
        probe end { foreach (name in seen) println(name, seen[name]) }
        """
      let traced = try utrace(["-g", "-c", watched, "-e", script])
      #expect(traced.lines.contains("GREEN RED 2 RED"), "\(traced.output)\(traced.errors)")
      #expect(traced.lines.contains("5"), "\(traced.output)")
      #expect(traced.lines.last == "GREEN1", "\(traced.output)")
    }

    @Test("a copy of the program without its tapset says where it looked")
    func noTapset() throws {
      let scratch = try ScratchDirectory()
      let copy = "\(scratch.path)/bin/utrace"
      let folder = "\(scratch.path)/bin"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: Package.utrace, toPath: copy)
      let script = "probe begin { print_ubacktrace() }"
      let traced = try run("env", ["-u", "UTRACE_TAPSET", copy, "--pass", "2", "-e", script])
      #expect(traced.status == 1)
      #expect(traced.output.contains("no tapset found at"), "\(traced.output)")
      #expect(traced.output.contains("\(scratch.path)/bin/Tapset"), "\(traced.output)")
    }

    @Test("an enumeration that is none is named")
    func noEnumeration() throws {
      let script = "probe process(\"\(watched)\").function(\"main\") { println(@enumname(1, \"long\")) }"
      let traced = try utrace(["--pass", "2", "-e", script])
      #expect(traced.status == 1 && traced.errors.contains("[no-such-type]"), "\(traced.errors)")
    }
  }
}
