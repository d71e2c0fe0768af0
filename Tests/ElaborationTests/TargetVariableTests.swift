import DwarfIndex
import Platform
import TargetModel
import TestSupport
import Testing

@testable import Elaboration

/// `$x` and its kin on a program that the test compiles.
@Suite("Target variables")
struct TargetVariableTests {
  private static let source = """
    #include <stdio.h>
    #include <stdlib.h>
    struct point { int x, y; };
    union word { int number; char letters[4]; };
    struct shape {
      const char *name; struct point corner; struct point *others; unsigned small : 3; int wide : 7;
      union { int id; float ratio; }; enum { RED, GREEN = 5 } colour; char tag[8]; union word word; struct shape *next;
    };
    static int counter = 7;
    struct shape first = { "first" };
    __attribute__((noinline)) int area(struct shape *s, int factor, char letter)
    {
      int sum = factor;
      for (int i = 0; i < factor; i++) sum += s->others[i].x * rand();
      counter += sum;
      printf("%c %d\\n", letter, sum);
      return sum;
    }
    __attribute__((noinline)) void nothing(double d, long a, long b, long c, long e, long f, long g, long h)
    { printf("%f %ld\\n", d, a + b + c + e + f + g + h); }
    int main(int argc, char **argv)
    {
      struct point p[4] = { { argc, 2 } };
      first.others = p;
      nothing(1.5, 1, 2, 3, 4, 5, 6, 7);
      return area(&first, argc, argv[0][0]);
    }
    """

  let programs = SystemPrograms(environment: .current(), options: .init(cacheDirectory: nil))
  let scratch: ScratchDirectory
  let optimised: String
  let plain: String

  init() throws {
    scratch = try ScratchDirectory()
    optimised = try scratch.compileC(Self.source, to: "optimised", flags: ["-g", "-O2"])
    plain = try scratch.compileC(Self.source, to: "plain", flags: ["-g", "-O0", "-no-pie"])
  }

  private func elaborated(_ body: String, at point: String = "area", in path: String? = nil) -> Elaborated {
    let name = path ?? optimised
    return Elaborated("probe process(\"\(name)\").function(\"\(point)\")\(body)", programs: programs)
  }

  @Test(
    "Values become plans",
    arguments: [
      ("$factor", "<r4.i32>"),
      ("$letter", "<r1.i8>"),
      ("$s", "<r5>"),
      ("$s->corner->y", "<i32[(r5 + 12)]>"),
      ("$s->corner->x", "<i32[(r5 + 8)]>"),
      ("$s->others[2]->y", "<i32[(u64[(r5 + 16)] + 20)]>"),
      ("$s->others[$factor]->y", "(<r4.i32>)"),
      ("$s->id", "<i32[(r5 + 28)]>"),
      ("&$s->corner", "<(r5 + 8)>"),
      ("&$s->others[1]", "<(u64[(r5 + 16)] + 8)>"),
      ("$s->next->next->name", "<u64[u64[(u64[(r5 + 48)] + 48)]]>"),
      ("$s->tag[1]", "<i8[(r5 + 37)]>"),
      ("$s->word->letters[3]", "<i8[(r5 + 47)]>"),
      ("$s->small", "<u8[(r5 + 24)]{u0+3}>"),
      ("$s->wide", "{i3+7}>"),
      ("@cast($s, \"struct shape\")->corner->y", "(<r5>)"),
      ("@var(\"counter\")", "<i32[(r16 + "),
      ("@enum(\"GREEN\")", "print(\"%d\\n\", 5)"),
    ]
  )
  func makesPlans(_ expression: String, _ expected: String) {
    let result = elaborated("{ println(\(expression)) }")
    #expect(result.messages == "")
    #expect(result.text.contains(expected), "\(result.text)")
  }

  @Test(
    "Mistakes are named",
    arguments: [
      ("{ println($factr) }", "no-such-variable"),
      ("{ println($s->nam) }", "no-such-member"),
      ("{ println($s->corner) }", "structure-as-value"),
      ("{ println($factor->x) }", "no-members"),
      ("{ println($factor[1]) }", "no-elements"),
      ("{ println(&$factor) }", "no-address"),
      ("{ println($return) }", "no-return-value"),
      (".return { println($sum) }", "local-in-return"),
      ("{ println(@var(\"nosuch\")) }", "no-such-variable"),
      ("{ println(@cast($s, \"struct nosuch\")->x) }", "no-such-type"),
      ("{ $factor = 1 }", "target-read-only"),
      (".inline { }", "no-fitting-function"),
    ]
  )
  func namesMistakes(_ body: String, _ id: String) {
    let result = elaborated(body)
    #expect(result.ids == [id], "\(result.messages)")
  }

  @Test("Return probes know the value and, by snapshot, the parameters")
  func readsReturns() {
    let result = elaborated(".return { println($return, $factor, @entry($s->id), $$return, $$parms) }")
    #expect(result.messages == "")
    #expect(result.text.contains("<r0.i32>"), "\(result.text)")
    #expect(result.text.contains("@entry(<r4.i32>)"))
    #expect(result.text.contains("@entry(<i32[(r5 + 28)]>)"))
    #expect(result.text.contains("format 0: return={0:"))
    #expect(result.text.contains("format 1: s={0:x} factor={1:i32x} letter={2:"))
  }

  @Test("Arguments on the stack are counted from the frame, also behind a prologue")
  func readsStackArguments() {
    let source = "{ println(int_arg(2), long_arg(7), long_arg(8)) }"
    let optimised = elaborated(source, at: "nothing").text
    #expect(optimised.contains("<r4.i32>, <i64[(r7 + 8)]>, <i64[(r7 + 16)]>"), "\(optimised)")
    let plain = elaborated(source, at: "nothing", in: plain).text
    #expect(plain.contains("<r4.i32>, <i64[(r6 + 16)]>, <i64[(r6 + 24)]>"), "\(plain)")
  }

  @Test("Structures print as text with holes")
  func printsStructures() {
    let shallow = elaborated("{ println($s$) }")
    #expect(shallow.text.contains(".corner={...}, "), "\(shallow.text)")
    #expect(shallow.text.contains(".name={0:s}"))
    #expect(shallow.text.contains(".colour={6:enum}"))
    let deep = elaborated("{ println($s$$) }")
    #expect(deep.text.contains(".corner={.x={1:d}, .y={2:d}}"), "\(deep.text)")
  }

  @Test("An array that only debug information has: text and elements, but no address")
  func readsConstantArrays() throws {
    let source = """
      #include <stdio.h>
      __attribute__((noinline)) int shout(int n)
      { static const char name[] = "\\"hello\\" said the other"; if (n > 5) putchar(name[1]); return n; }
      int main(int argc, char **argv) { return shout(argc); }
      """
    let program = try scratch.compileC(source, to: "kept", flags: ["-g", "-O2"])
    let whole = elaborated("{ println($name$, $name[1], $name[20]) }", at: "shout", in: program)
    #expect(whole.text.contains(#"format 0: "\"hello\" said the other""#), "\(whole.text)")
    #expect(whole.text.contains("<(0x20226f6c6c656822 >>> 8).i8>, <(0x726568746f20 >>> 32).i8>"))
    for (body, id) in [("$name[24]", "no-elements"), ("$name[$n]", "no-address"), ("&$name", "no-address")] {
      #expect(elaborated("{ println(\(body)) }", at: "shout", in: program).ids == [id], "\(body)")
    }
  }

  @Test("Script values that hold pointers keep their types")
  func keepsTypes() {
    let result = elaborated("{ p = $s->next; println(p->corner->y, p->others[1]->x) }")
    #expect(result.messages == "")
    #expect(result.text.contains("<i32[($0 + 12)]>(p)"), "\(result.text)")
  }

  @Test("Functions of a script see the variables of the probe that calls them")
  func sharesVariables() {
    let script = """
      function shown() { return $factor }
      probe process("\(optimised)").function("area") { println(shown()) }
      probe process("\(plain)").function("area") { println(shown()) }
      """
    let result = Elaborated(script, programs: programs)
    #expect(result.messages == "")
    #expect(result.checked.product?.functions.count == 2)
  }

  @Test("An unknown function is answered by the nearest names")
  func suggestsFunctions() {
    let result = elaborated("{ }", at: "aera")
    #expect(result.ids == ["no-such-function"])
    #expect(result.messages.contains("did you mean 'area'?"), "\(result.messages)")
  }

  @Test("Files and lines narrow functions down")
  func matchesLines() {
    #expect(elaborated("{ }", at: "area@optimised.c").ids == [])
    #expect(elaborated("{ }", at: "area@other.c").ids == ["no-such-function"])
    #expect(elaborated("{ }", at: "*@optimised.c:11").ids == [])
    #expect(elaborated("{ }", at: "area@optimised.c:x").ids == ["malformed-pattern"])
  }

  @Test("Functions of one program share groups when they only print")
  func groups() throws {
    let result = elaborated(".call { log($$parms) }", at: "*")
    let program = try #require(result.checked.product, "\(result.messages)")
    #expect(program.probes.flatMap { $0.trigger.sites }.count > 5)
    #expect(program.probes.count < 8, "\(result.text)")
  }

  @Test("Points are listed with their variables")
  func lists() {
    let listed = listedPoints("process(\"\(optimised)\").function(\"a*\")")
    #expect(listed.count == 1)
    #expect(listed[0].hasSuffix(" $s:struct shape* $factor:int $letter:char $sum:int"), "\(listed)")
  }
}
