import TestSupport
import Testing

extension LiveTests {
  /// Parameters in return probes that are in place only behind the prologue of unoptimised code.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct ReturnedParameterTests {
    private static let source = """
      #include <stdio.h>
      double scale(double x, int n, float y) { x *= 2; n++; return x * n + y; }
      double loop(double x, int n) { do { x += 1; n--; } while (n > 0); return x; }
      long factorial(double x, long n) { if (n <= 1) return 1; return n * factorial(x + 1, n - 1); }
      long whole(long n) { n += 5; return n; }
      int main(void) { return scale(1.5, 3, 0.25) + loop(2.5, 4) + factorial(0.5, 3) + whole(7) < 0; }
      """

    /// What a probe at the prologue's end would see again in each round of a loop stays unknown.
    @Test("floating-point parameters show what they were called with, in each call of a recursion")
    func keepsVectors() throws {
      let scratch = try ScratchDirectory()
      let program = try scratch.compileC(Self.source, to: "kept", flags: ["-g", "-O0"])
      let script = """
        probe process.function("scale").return { println($$parms, " ", $n) }
        probe process.function("loop").return { println($$parms) }
        probe process.function("factorial").return { println($$parms, " ", $return) }
        probe process.function("whole").return { println($$parms, " ", $n, " ", $return) }
        """
      let traced = try utrace(["-c", program, "-e", script])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(
        traced.lines == [
          "x=0x3ff8000000000000 n=0x3 y=0x3e800000 3", "x=? n=0x4",
          "x=0x4004000000000000 n=0x1 1", "x=0x3ff8000000000000 n=0x2 2", "x=0x3fe0000000000000 n=0x3 6",
          "n=0x7 7 12",
        ],
        "\(traced.output)"
      )
    }
  }
}
