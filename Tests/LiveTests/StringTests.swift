import Foundation
import TestSupport
import Testing

/// What an expression over `s`, `n` and other globals is, by SystemTap's manual pages.
struct TextCase: Sendable, CustomTestStringConvertible {
  let expression: String
  let expected: String

  init(_ expression: String, _ expected: String) {
    self.expression = expression
    self.expected = expected
  }

  var testDescription: String { expression }
}

extension LiveTests {
  /// Functions on strings, whose result is stored so that the kernel must compute it.
  @Suite(.requires(.probes)) struct StringTests {
    @Test(
      "every string function gives the same in a kernel-side and in a user-side probe",
      arguments: [64, 512, 65_536]
    )
    func everywhere(_ maximumLength: Int) throws {
      let expected = textCases.map(\.expected)
      let limit = ["-D", "MAXSTRINGLEN=\(maximumLength)"]
      let user = try utrace(limit + ["-w", "-e", textScript(at: "begin") + "probe begin(1) { exit() }"])
      #expect(user.errors.isEmpty)
      check(user.lines, expected)
      let scratch = try ScratchDirectory()
      let output = "\(scratch.path)/out"
      let point = "process(\"\(Package.program("threads"))\").function(\"hit\")"
      let traced = try utrace(
        limit + ["-w", "-o", output, "-c", "\(Package.program("threads")) 1 1", "-e", textScript(at: point)]
      )
      #expect(traced.status == 0, "\(traced.errors)")
      check(text(ofFile: output).split(separator: "\n").map(String.init), expected)
    }

    @Test("arguments and environment are those of the process that was hit")
    func commandLine() throws {
      let program = Package.program("threads")
      let scratch = try ScratchDirectory()
      let output = "\(scratch.path)/out"
      let script = """
        global gs = ""
        probe process("\(program)").function("hit") {
          printf("%s|%s|%s|%s\\n", cmdline_str(), cmdline_arg(1), cmdline_arg(9), cmdline_args(1, 2, "-"))
          gs = env_var("STRINGS") . "<" . env_var("STRING") . ">"
          println(gs)
        }
        """
      let traced = try utrace(
        ["-w", "-o", output, "-c", "\(program) 1 1 push ''", "-e", script],
        environment: ["STRINGS": "a b"]
      )
      let lines = text(ofFile: output).split(separator: "\n").map(String.init)
      #expect(lines == ["\(program) 1 1 push|1||1-1", "a b<>"], "\(traced.errors)")
    }

    @Test("UTF-16 and UTF-32 become UTF-8")
    func unicode() throws {
      let scratch = try ScratchDirectory()
      let program = try scratch.compileC(unicodeSource, to: "unicode", flags: ["-O1", "-g"])
      let output = "\(scratch.path)/out"
      let script = """
        global gs = ""
        probe process("\(program)").function("take") {
          gs = user_string_utf16($a)
          println(gs, user_string_utf32($b), user_string_quoted_utf16($a))
          gs = user_string_utf16($bad, "bad")
          println(gs, user_string_utf32(16, "none"), user_string_quoted_utf32(16))
        }
        """
      let traced = try utrace(["-w", "-o", output, "-c", program, "-e", script])
      let quoted = #""h\303\251\342\202\254\360\237\230\200!""#
      #expect(text(ofFile: output) == "hé€😀!hé€😀!\(quoted)\nbadnone0x10\n", "\(traced.errors)")
    }

    @Test("the zone is where the session began, on both sides")
    func timeZone() throws {
      let zone = ["TZ": "XYZ-5:30"]
      let point = "process(\"\(Package.program("threads"))\").function(\"hit\")"
      let body = """
        { n = gn++; gs = tz_ctime(n); println(gs); gs = tz_name() . sprint(tz_gmtoff()); println(gs) }

        """
      let user = try utrace(
        ["-w", "-e", "global gn, gs = \"\" probe begin \(body) probe begin(1) { exit() }"],
        environment: zone
      )
      #expect(user.lines == ["Thu Jan  1 05:30:00 1970 XYZ", "XYZ-19800"])
      let scratch = try ScratchDirectory()
      let output = "\(scratch.path)/out"
      let script = "global gn, gs = \"\" probe \(point) \(body)"
      let traced = try utrace(
        ["-w", "-o", output, "-c", "\(Package.program("threads")) 1 1", "-e", script],
        environment: zone
      )
      #expect(text(ofFile: output) == user.output, "\(traced.errors)")
    }

    @Test(
      "variables as text are the same stored and printed",
      arguments: ["take_[a-c]*", "take_[e-t]*", "return_*"],
      ["$$parms", "$$parms$", "$$vars$$"]
    )
    func storedVariables(_ functions: String, _ variables: String) throws {
      let program = Package.program("targets-O2")
      let scratch = try ScratchDirectory()
      let output = "\(scratch.path)/out"
      let script = """
        global gs = ""
        probe process("\(program)").function("\(functions)") { gs = \(variables); println(gs); println(\(variables)) }
        """
      let traced = try utrace(["-w", "-o", output, "-c", program, "-e", script])
      if traced.errors.contains("floating-point") { return }
      let lines = text(ofFile: output).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      #expect(traced.status == 0 && lines.count >= 8, "\(traced.errors)")
      for index in stride(from: 0, to: lines.count - 1, by: 2) { #expect(lines[index] == lines[index + 1]) }
    }

    private func check(_ lines: [String], _ expected: [String]) {
      #expect(lines.count == expected.count)
      for (index, line) in lines.enumerated() where index < expected.count {
        #expect(line == "\(index) \(expected[index])", "\(textCases[index].expression)")
      }
    }
  }
}

private let unicodeSource = """
  #include <uchar.h>
  __attribute__((noinline, noclone)) int take(const char16_t *a, const char32_t *b, const char16_t *bad) {
    __asm__ volatile("");
    return a[0] + b[0] + bad[0];
  }
  int main(void) {
    static const char16_t bad[] = {'x', 0xd83d, 'y', 0};
    return take(u"h\\u00e9\\u20ac\\U0001F600!", U"h\\u00e9\\u20ac\\U0001F600!", bad) == 0;
  }
  """

/// All cases in one probe.
func textScript(at point: String) -> String {
  let prints = textCases.enumerated().map { "gs = \($1.expression)\nprintln(\($0), \" \", gs)\n" }
  return """
    global gs = "", s = "hello world", list = "a,b;;c", empty = "", odd = "q\\"\\t\\001"
    global n = 42, m = -7, p = 0x1234abcd
    probe \(point) {
    \(prints.joined())}

    """
}

let textCases: [TextCase] = [
  TextCase("s . \" is \" . sprint(n)", "hello world is 42"),
  TextCase("sprint(n, s, m)", "42hello world-7"),
  TextCase("sprintd(\",\", n, s)", "42,hello world"),
  TextCase("substr(sprintdln(\"|\", n, s), 0, 5)", "42|he"),
  // The examples of stap(1), “PRINTING”.
  TextCase("sprintf(\"%c is %x or %X or %p\", n + 55, p, p, p)", "a is 1234abcd or 1234ABCD or 0x1234abcd"),
  TextCase("sprintf(\"%d or %u\", m + 6, m + 6)", "-1 or 18446744073709551615"),
  TextCase("sprintf(\"%#o %#x %#X\", n - 41, n - 40, n - 39)", "01 0x2 0X3"),
  TextCase("sprintf(\"%#c %#c %#c\", n - 42, n - 33, n)", "\\000 \\t *"),
  TextCase("sprintf(\"%4b\", p + 0xf3dc8a8)", "utr!"),
  // Flags, width and precision.
  TextCase("sprintf(\"%5d|%-5d|%05d|%+d|% d\", n, n, n, n, n)", "   42|42   |00042|+42| 42"),
  TextCase("sprintf(\"%5d|%-5d|%05d|%+d\", m, m, m, m)", "   -7|-7   |-0007|-7"),
  TextCase("sprintf(\"%.4d|%8.4d|%-8.4i|\", n, m, m)", "0042|   -0007|-0007   |"),
  TextCase("sprintf(\"%*d|%.*d|%*d|\", 6, n, 4, n, -6, n)", "    42|0042|42    |"),
  TextCase("sprintf(\"%o|%8o|%#08x|%20p|\", n, n, n, p)", "52|      52|    0x2a|          0x1234abcd|"),
  TextCase("sprintf(\"%14s|%-14s|%.4s|\", s, s, s)", "   hello world|hello world   |hell|"),
  TextCase("sprintf(\"%*.*s|\", 4, 2, s)", "  he|"),
  TextCase("sprintf(\"%*X|%*o|%*p|\", m - 2, p, m, n, m, n)", "1234ABCD |52     |0x2a   |"),
  TextCase("sprintf(\"%3c|%-3c|\", n, n)", "  *|*  |"),
  // tapset::string(3stap).
  TextCase("substr(s, 6, 3)", "wor"),
  TextCase("sprint(strlen(s), isinstr(s, \"wor\"), isinstr(s, \"x\"))", "1110"),
  TextCase("sprint(strpos(s, \"wor\"), strpos(s, \"x\"))", "6-1"),
  TextCase("sprint(stringat(s, 4), stringat(s, 40), isdigit(s), isdigit(sprint(n)))", "111001"),
  TextCase("sprint(strtol(\"1f\", 16), \" \", strtol(\"17\", 8), \" \", strtol(\"-101\", 2))", "31 15 -5"),
  TextCase(
    "sprint(strtol(\"Zz!\", 36), \" \", strtol(\"-0x1f\", 0), \" \", strtol(\"0x1f\", 36))",
    "1295 -31 42819"
  ),
  TextCase("sprint(strtol(\"11\", 37), strtol(\"11\", 1), strtol(\"11\", -2), strtol(\"z\", 35))", "0000"),
  TextCase("str_replace(s, \"o\", \"<0>\")", "hell<0> w<0>rld"),
  TextCase("str_replace(s, \"l\", empty)", "heo word"),
  TextCase("str_replace(s, empty, \"x\")", "hello world"),
  TextCase("tokenize(list, \",;\") . tokenize(\",;\") . tokenize(\",;\") . tokenize(\",;\")", "abc"),
  TextCase("tokenize(list, \";\") . \"|\" . tokenize(empty, \"c\") . \"|\" . tokenize(\";\")", "a,b|;|"),
  TextCase("text_str(odd)", "q\\\"\\t\\001"),
  TextCase("string_quoted(odd)", "\"q\\\"\\t\\001\""),
  TextCase("text_strn(s, 5, 0) . text_strn(s, 9, 1)", "hello\"hell\"..."),
  // tapset::regex(3stap).
  TextCase("s =~ \"l+o\" ? \"match\" : \"none\"", "match"),
  TextCase("s !~ \"^world\" ? \"none\" : \"match\"", "none"),
  TextCase("s =~ \"([a-z]+) (w|x)(.)\" ? matched(0) . matched(1) . matched(3) : empty", "hello wohelloo"),
  TextCase("s =~ \"a|(o)\" ? sprint(ngroups(), matched_str()) : empty", "2o"),
  // tapset::errno(3stap).
  TextCase("syscall_name(n - 42) . syscall_name(n) . syscall_name(4000)", "readconnect4000"),
  TextCase("sprint(syscall_num(\"openat\"), syscall_num(s))", "257-1"),
  // Library macros.
  TextCase("sprint(@cast_module_sizeof(\"kernel\", \"struct list_head\"))", "16"),
  TextCase(
    "sprint(@module_offsetof(\"kernel\", \"struct list_head\", prev), &@cast(n, \"int\", \"kernel\")[-2])",
    "834"
  ),
  TextCase("sprint(@choose_defined(@cast(0, \"struct list_head\", \"kernel\")->nowhere, n + 1))", "43"),
  // tapset::inet(3stap), tapset::signal(3stap).
  TextCase(
    "sprintf(\"%x %x %x\", ntohs(0x1234), htonl(0x12345678), ntohll(0x1122334455667788))",
    "3412 78563412 8877665544332211"
  ),
  TextCase(
    "signal_str(n - 33) . signal_str(n) . sa_flags_str(5) . sigset_mask_str(6)",
    "SIGKILLSIGRTMIN+10SA_NOCLDSTOP|SA_SIGINFOSIGINT,SIGQUIT"
  ),
  TextCase("errno_str(n - 40) . errno_str(3333)", "ENOENTE#3333"),
  TextCase("return_str(1, m) . return_str(2, n) . return_str(3, n)", "-7 (E2BIG)0x2a052"),
  // function::ctime(3stap).
  TextCase("ctime(n - 42)", "Thu Jan  1 00:00:00 1970"),
  TextCase("ctime(n - 2147483690)", "Fri Dec 13 20:45:52 1901"),
  TextCase("ctime(n + 2147483605)", "Tue Jan 19 03:14:07 2038"),
  // tapset::task_time(3stap), tapset::proc_mem(3stap).
  TextCase("msecs_to_string(n * 1458) . usecs_to_string(n + 60999963)", "1m1.236s1m1.000005s"),
  TextCase("nsecs_to_string(n - 41)", "0m0.000000001s"),
  TextCase("bytes_to_string(n) . bytes_to_string(1494 + n) . bytes_to_string(n << 20)", "   42 1.5K42.0M"),
  TextCase("pages_to_string(n)", " 168K"),
]
