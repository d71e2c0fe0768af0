import TestSupport
import Testing

extension LiveTests {
  /// Macros and functions of the tapset that belong to the session.
  @Suite(.requires(.probes), .timeLimit(.minutes(1))) struct MacroTests {
    @Test("argc and argv are the script's arguments")
    func readsArguments() throws {
      let script = "probe begin { println(argc, argv[1], argv[2], argv[3] == \"\") exit() }"
      let traced = try utrace(["-e", script, "first", "2nd"])
      #expect(traced.output == "2first2nd1\n")
      #expect(traced.errors == "")
    }

    @Test("@this keeps a value of the thread from one probe to another")
    func keepsValues() throws {
      let script = """
        probe syscall.access { @this1 = mode @this2 = name }
        probe syscall.access.return { if (pid() == target() && @this1 == 5) println(@this2, " ", @this1) }
        """
      let scratch = try ScratchDirectory()
      let source = "#include <unistd.h>\nint main(void) { return access(\"/nowhere\", 5) == 0; }\n"
      let program = try scratch.compileC(source, to: "asks", flags: ["-O1"])
      let traced = try utrace(["-c", program, "-e", script])
      #expect(traced.lines.contains("access 5"), "\(traced.output)\(traced.errors)")
    }

    @Test("speculation: what is committed is shown in order, what is discarded is not")
    func speculates() throws {
      let script = """
        probe begin {
          a = speculation() b = speculation()
          speculate(a, "one ") speculate(b, "never ") speculate(a, "two ")
          discard(b) commit(a) commit(a) commit(b)
          println(a != b)
          exit()
        }
        """
      #expect(try utrace(["-e", script]).output == "one two 1\n")
    }

    @Test("try_assign and prints")
    func assigns() throws {
      let script = """
        probe begin {
          @try_assign(x, user_long_error(1), 7)
          @try_assign(y, 8, 7)
          @prints3(x, " ", y)
          exit()
        }
        """
      #expect(try utrace(["-e", script]).output == "7 8")
    }
  }
}
