import TestSupport
import Testing

extension LiveTests {
  /// 32-bit programs on a 64-bit kernel: arguments on the stack, results in eax and edx.
  @Suite(.timeLimit(.minutes(2))) struct Programs32Tests {
    private static let program = """
      #include <stdio.h>
      struct pair { int x; short y; char name[6]; };
      struct node { int value; const char *name; struct node *next; };
      static int total = 40;
      #define KEEP __attribute__((noinline, noclone))
      KEEP int mixed(signed char c, short s, long l, const char *text, struct node *n, double d) {
        __asm__ volatile("" ::: "memory");
        total += c;
        return c + s + l + text[0] + n->next->value + (int)d;
      }
      KEEP long long wide(long long value, struct pair by, unsigned char last) {
        __asm__ volatile("" ::: "memory");
        total++;
        return value + by.x + by.y + last;
      }
      KEEP struct pair make(int x, int y) {
        __asm__ volatile("" ::: "memory");
        struct pair result = {x, (short)y, "made"};
        return result;
      }
      KEEP int negative(long *places) { __asm__ volatile("" ::: "memory"); return -(int)places[0]; }
      KEEP int outer(int n) { __asm__ volatile("" ::: "memory"); return (int)wide(n, make(n, 2), 3) + 1; }
      int main(void) {
        struct node second = {7, "second", 0}, first = {5, "first", &second};
        int sum = mixed(-1, -2, -3, "text", &first, 2.5);
        long places[] = {5, -1};
        sum += negative(places);
        sum += (int)wide(-(1ll << 40), make(8, 9), 200) + outer(6);
        return sum == 0;
      }
      """

    @Test(
      "arguments, results and statics",
      .requires(.probes, .file("/usr/lib32/crt1.o")),
      arguments: [
        ["-O0"], ["-O2"], ["-O2", "-no-pie"], ["-O0", "-fno-pic", "-static"],
        ["-O1", "-fcf-protection=full"],
      ]
    )
    func readsVariables(_ flags: [String]) throws {
      let scratch = try ScratchDirectory()
      let source = try scratch.write(Self.program, to: "program.c")
      let path = "\(scratch.path)/program"
      let made = try run("gcc", ["-m32", "-g", "-o", path, source] + flags)
      #expect(made.status == 0, "\(made.output)")
      let script = """
        probe process.function("mixed") {
          printf("mixed %d %d %d %s %d %s\\n", $c, $s, $l, user_string($text), $n->next->value,
            user_string($n->next->name))
          printf("%s total %d\\n", $n$, @var("total"))
        }
        probe process.function("mixed").return { printf("mixed gave %d\\n", $return) }
        probe process.function("mixed").return {
          printf("mixed had %d %d %s, %d %d, total %d\\n", $c, $l, user_string($text), @entry($n->next->value),
            int_arg(2), @var("total"))
        }
        probe process.function("mixed") {
          printf("mixed args %d %d %d %s %d\\n", int_arg(1), int_arg(2), long_arg(3), user_string(pointer_arg(4)),
            uint_arg(1) == 0xffffffff)
        }
        function place(n) { return pointer_arg(1) + 4 * n }
        probe process.function("negative") {
          printf("negative of %d %d %x\\n", user_long(place(0)), user_long_error(place(1)), user_ulong(place(1)))
        }
        probe process.function("negative").return { printf("negative gave %d %s\\n", returnval(), returnstr(1)) }
        probe process.function("wide") { printf("wide arg %d\\n", longlong_arg(1)) }
        probe process.function("wide").return { printf("wide had %d %d\\n", $value, $last) }
        probe process.function("make").return { printf("make had %d %d\\n", $x, @entry($y)) }
        probe process.function("outer").return { printf("outer had %d\\n", $n) }
        probe process.function("wide") { printf("wide %d %d %d %d\\n", $value, $by->x, $by->y, $last) }
        probe process.function("wide").return { printf("wide gave %d\\n", $return) }
        probe process.function("make").return { printf("make gave %s\\n", $return$$) }
        probe process.function("outer").callee("wide")? {
          printf("from outer %d\\nby %s %s\\n", $value, usymname(ustack(1)), usymname(ustack(2)))
        }
        """
      let traced = try utrace(["-c", path, "-e", script])
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      let lines = traced.lines.map { $0.replacing(/0x[0-9a-f]+/, with: "ADDRESS") }
      // Unoptimised code does not say what it calls.
      let callee = flags.contains("-O0") ? [] : ["from outer 6", "by outer main"]
      #expect(
        lines.sorted()
          == ([
            "mixed -1 -2 -3 text 7 second",
            "{.value=5, .name=\"first\", .next=ADDRESS} total 40",
            "negative of 5 -1 ffffffff", "negative gave -5 -5 (EIO)",
            "mixed gave 119", "mixed had -1 -3 text, 7 -2, total 39", "mixed args -1 -2 -3 text 1",
            "wide arg -1099511627776", "wide had -1099511627776 200", "wide arg 6", "wide had 6 3",
            "make had 8 9", "make had 6 2", "outer had 6",
            "make gave {.x=8, .y=9, .name=\"made\"}",
            "wide -1099511627776 8 9 200", "wide gave -1099511627559",
            "make gave {.x=6, .y=2, .name=\"made\"}",
            "wide 6 6 2 3", "wide gave 17",
          ] + callee).sorted(),
        "\(traced.output)"
      )
    }

    @Test(
      "x32 is refused: its registers are as wide as those of x86-64, its addresses are not",
      .requires(.file("/usr/libx32/crt1.o"))
    )
    func refusesX32() throws {
      let scratch = try ScratchDirectory()
      let source = try scratch.write(Self.program, to: "program.c")
      let made = try run("gcc", ["-mx32", "-g", "-o", "\(scratch.path)/program", source])
      #expect(made.status == 0, "\(made.output)")
      let listed = try utrace(["-l", "process(\"\(scratch.path)/program\").function(\"*\")"])
      #expect(listed.status == 1 && listed.errors.contains("is an x32 program"), "\(listed.errors)")
    }
  }
}
