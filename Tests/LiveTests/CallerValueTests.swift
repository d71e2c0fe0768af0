import TestSupport
import Testing

extension LiveTests {
  /// Parameters that gcc passes no more (`.isra`, `.constprop`): only the call site tells what the source passes
  /// (`DW_OP_GNU_parameter_ref`).
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct CallerValueTests {
    private static let source = """
      struct item { int id; long price; };
      static volatile int sink;
      __attribute__((noinline, noipa)) void use(long x) { sink += x; }
      static __attribute__((noinline)) int sell(int shop, const struct item *item, int count) {
        use(count);
        use(count + 1);
        sink++; /* line 7 */
        use(count + 2);
        return sink;
      }
      __attribute__((noinline)) int first(int n, const struct item *item) {
        int r = sell(7, item, n);
        use(item->id);
        return r + 1;
      }
      __attribute__((noinline)) int second(int n, const struct item *item) {
        int local = n * 3;
        use(local);
        int r = sell(local, item, n + 1);
        use(local); use(item->id);
        return r + 2;
      }
      __attribute__((noinline)) int third(int n) {
        struct item own = { n, 30 };
        use((long)&own);
        use(n);
        int r = sell(n * 5, &own, n + 2);
        use(own.id);
        return r + 2;
      }
      #ifdef HIDDEN
      /* A call that the compiler does not know of. */
      __attribute__((noinline)) void hidden(long n) {
        __asm__ volatile("sub $128, %%rsp; call sell.constprop.0; add $128, %%rsp" : "+D"(n) :
          : "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
      }
      #endif
      int main(int argc, char **argv) {
        struct item a = { 1, 10 }, b = { 2, 20 };
        use((long)&a); use((long)&b);
        first(argc, &a);
        second(argc, &b);
        third(50);
      #ifdef HIDDEN
        hidden(9);
        first(argc + 1, &a);
      #endif
        return argv == 0;
      }
      """

    private static func compile(_ options: [String], in scratch: ScratchDirectory) throws -> String {
      let file = try scratch.write(source, to: "callers.c")
      let program = "\(scratch.path)/callers"
      let made = try run("gcc", ["-g", "-O2", "-o", program, file] + options)
      guard made.status == 0 else { throw CommandFailure(command: "gcc", output: made.output) }
      return program
    }

    @Test(
      "at the entry, behind it and in return probes, which replace the return address",
      arguments: [[], ["-gdwarf-4"], ["-no-pie", "-fno-omit-frame-pointer"]]
    )
    func asksCallers(_ options: [String]) throws {
      let scratch = try ScratchDirectory()
      let program = try Self.compile(options, in: scratch)
      let traced = try utrace([
        "-c", program, "-e",
        """
        function text() { return sprintf("%d %d %d", $shop, $item->id, $count) }
        probe process.function("sell") { println("entry ", text()) }
        probe process.statement("sell@*:7") { println("inside ", text(), " ", $item->price, " ", $shop$) }
        probe process.function("sell").return { println("return ", $shop, " ", $count) }
        """,
      ])
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      let expected = [(7, 1, 1, 10), (3, 2, 2, 20), (250, 50, 52, 30)].flatMap { shop, id, count, price in
        [
          "entry \(shop) \(id) \(count)", "inside \(shop) \(id) \(count) \(price) \(shop)",
          "return \(shop) \(count)",
        ]
      }
      #expect(traced.lines == expected)
    }

    @Test("a call that nobody knows of: a text has '?', a number is a fault")
    func missesHiddenCalls() throws {
      let scratch = try ScratchDirectory()
      let program = try Self.compile(["-DHIDDEN"], in: scratch)
      let point = "probe process.function(\"sell\")"
      let text = try utrace(["-c", program, "-e", "\(point) { println($shop$, \" \", $count) }"])
      #expect(text.lines == ["7 1", "3 2", "250 52", "? 9", "7 2"], "\(text.errors)")
      let number = try utrace([
        "-c", program, "-e", "\(point) { try { println($shop) } catch (why) { println(why) } }",
      ])
      #expect(number.lines == ["7", "3", "250", "user read fault at 0x0", "7"], "\(number.errors)")
    }

    @Test("what a caller has forgotten is not made up")
    func refusesPartialKnowledge() throws {
      let scratch = try ScratchDirectory()
      let file = try scratch.write(
        Self.source.replacing("sell(n * 5, &own", with: "sell(own.id, &own"),
        to: "forgotten.c"
      )
      let program = "\(scratch.path)/forgotten"
      #expect(try run("gcc", ["-g", "-O2", "-o", program, file]).status == 0)
      let point = "probe process.function(\"sell\")"
      let value = try utrace(["-c", program, "-e", "\(point) { println($shop) }"])
      let reason = "it is passed nowhere: only callers know it, and 1 of 3 calls of this copy cannot tell it"
      #expect(value.errors.contains(reason), "\(value.errors)")
      let text = try utrace(["-c", program, "-e", "\(point) { println($$parms) }"])
      #expect(text.lines.allSatisfy { $0.contains("shop=?") && !$0.contains("item=?") }, "\(text.output)")
      #expect(text.lines.count == 3)
    }
  }
}
