/// 600 characters, more than MAXSTRINGLEN.
private let longLiteral = "\"" + String(repeating: "0123456789", count: 60) + "\""

/// Constructs of the language, without `foreach` and statistics: expressions, statements, functions, errors.
///
/// What they print is what stap(1) and the language reference say.
let languageCases = [
  ConstructCase(
    name: "operators of numbers, their precedence, and what overflows",
    declarations: "",
    body: """
      a = 7; b = -3; big = 9223372036854775807
      printf("%d %d %d %d %d\\n", a + b, a - b, a * b, a / b, a % b)
      printf("%d %d %d %d %d %d\\n", a & 5, a | 8, a ^ 2, ~a, a << 3, b >> 1)
      printf("%d %d %d %d\\n", b >>> 60, 1 << 63, big + 1 < 0, -big - 1)
      printf("%d %d %d %d %d\\n", 2 + 3 * 4, (2 + 3) * 4, 10 - 4 - 3, 1 | 2 == 2, !a + 1)
      printf("%d %d %d %d %d %d\\n", a < b, a > b, a <= 7, a >= 8, a == 7, a != 7)
      printf("%d %d %d %d\\n", a && 0, a || 0, 0 && a / 0, 1 || a / 0)
      printf("%d %s\\n", a > 3 ? 1 : 2, a < 3 ? "x" : "y")
      """,
    lines: [
      "4 10 -21 -2 1", "5 15 5 -8 56 -2", "15 -9223372036854775808 1 -9223372036854775808",
      "14 20 3 1 1", "0 1 1 0 1 0", "0 1 0 1", "1 y",
    ]
  ),
  ConstructCase(
    name: "assignments are expressions",
    declarations: "global g, ga, gs",
    body: """
      x = y = 5; x += 2; y -= 1; x *= 3; y <<= 2; x ^= 1; y |= 1; x /= 2; y %= 10; x >>= 1; y &= 6
      printf("%d %d\\n", x, y)
      printf("%d %d %d %d\\n", x++, ++x, y--, --y)
      printf("%d %d %d %d %d\\n", g++, ++g, g--, --g, g += 5)
      printf("%d %d %d %d\\n", ga["k"]++, ++ga["k"], ga["k"] *= 7, ga["none"])
      s = "a"; s .= "b"; gs = s .= "c"; gs .= "d"; printf("%s %s\\n", s, gs)
      """,
    lines: ["5 6", "5 7 6 4", "0 2 2 0 5", "0 2 14 0", "abc abcd"]
  ),
  ConstructCase(
    name: "while, for, break, continue, nested",
    declarations: "",
    body: """
      for (i = 0; i < 5; i++) { if (i == 1) continue; if (i == 4) break; print(i, " ") } println(i)
      for (;;) { if (++n > 3) break } println(n)
      while (n-- > 0) { m = 3; while (1) { if (m-- == 0) break; if (m == 1) continue; t += n * 10 + m } }
      println(n, " ", t, " ", m)
      if (n < 0) if (t) print("a"); else print("b"); else print("c"); println("")
      """,
    lines: ["0 2 3 4", "4", "-1 128 -1", "a"]
  ),
  ConstructCase(
    name: "functions: recursion, through each other, with strings",
    declarations: """
      function fib:long(n:long) { if (n < 2) return n; return fib(n - 1) + fib(n - 2) }
      function fact(n) { return n <= 1 ? 1 : n * fact(n - 1) }
      function even(n) { if (n == 0) return 1; return odd(n - 1) }
      function odd(n) { if (n == 0) return 0; return even(n - 1) }
      function reversed:string(s:string) {
        if (strlen(s) == 0) return ""
        return reversed(substr(s, 1, 100)) . substr(s, 0, 1)
      }
      function swap(a, b, n) { if (n == 0) return a * 100 + b; return swap(b, a, n - 1) }
      function hanoi(n, a, b, c) {
        if (n == 0) return 0
        x = hanoi(n - 1, a, c, b)
        printf("%d:%d>%d ", n, a, c)
        return x + 1 + hanoi(n - 1, b, a, c)
      }
      """,
    body: """
      printf("%d %d %d %d %s %d\\n", fib(8), fact(9), even(7), odd(9), reversed("abcdefg"), swap(1, 2, 5))
      for (i = 0; i < 4; i++) s += fib(i) * fact(i)
      println(s)
      println(hanoi(3, 1, 2, 3))
      """,
    lines: ["21 362880 0 1 gfedcba 201", "15", "1:1>3 2:1>2 1:3>2 3:1>3 1:2>1 2:2>3 1:1>3 7"]
  ),
  ConstructCase(
    name: "MAXNESTING ends recursion, and try catches it and what is raised below",
    declarations: """
      function endless:long(n:long) { return endless(n + 1) }
      function steps(n) { return n == 0 ? 0 : 1 + steps(n - 1) }
      function deep(n) { if (n == 0) error("bottom"); deep(n - 1); return 0 }
      function guarded(n) {
        if (n == 0) error("bottom")
        if (n == 2) { try { guarded(n - 1) } catch (m) { return 70 } } else return guarded(n - 1) + 1
        return 5
      }
      function safe(n) { try { if (n == 0) return 1 / n; return safe(n - 1) + 1 } catch (m) { return 1000 + n } }
      """,
    body: """
      println(steps(9))
      try { println(steps(10)) } catch (m) { println(m) }
      try { println(endless(0)) } catch (m) { println(m) }
      try { deep(3) } catch (m) { println(m) }
      println(guarded(5), " ", safe(3))
      """,
    lines: ["9", "MAXNESTING exceeded", "MAXNESTING exceeded", "bottom", "73 1003"]
  ),
  ConstructCase(
    name: "recursion from inside foreach, each activation with a walk of its own",
    declarations: """
      global kids, names
      function tree(node, depth) {
        print(sprintf("%*s%s ", depth, "", names[node]))
        foreach ([parent, kid-] in kids[node, *]) {
          if (kid == 9) continue
          tree(kid, depth + 1)
          if (kid == 8) break
        }
        print("/")
      }
      function total(n) {
        sum = n
        foreach (node+ in names limit n) { if (node % 2) sum += total(n - 1) }
        return sum
      }
      """,
    body: """
      for (i = 1; i < 12; i++) { names[i] = sprintf("n%d", i); kids[i / 2, i] = 1 }
      foreach ([root, first] in kids limit 1) tree(1, 0)
      println("")
      delete names; names[1] = "x"; names[3] = "y"; names[5] = "z"
      println(total(3))
      try { foreach (node in names) total(30) } catch (m) { println(m) }
      """,
    lines: ["n1  n3   n7 /  n6 // n2   n5    n11 /   n10 //  n4    n8 ////", "15", "MAXNESTING exceeded"]
  ),
  ConstructCase(
    name: "overloads: by arity, by next, by priority",
    declarations: """
      function area(x) { return x * x }
      function area(x, y) { return x * y }
      function kind:string(n:long):1 { if (n < 10) next; return "large" }
      function kind:string(n:long):2 { if (n < 5) next; return "middle" }
      function kind:string(n:long):3 { return "small" }
      function last(n):5 { return 5 }
      function last(n):1 { if (n) next; return 1 }
      function none(n) { next }
      function none(n) { next }
      """,
    body: """
      println(area(3), " ", area(3, 4), " ", kind(50), " ", kind(7), " ", kind(1), " ", last(0), last(1))
      try { none(1) } catch (m) { println(m) }
      """,
    lines: ["9 12 large middle small 15", "all functions exhausted"]
  ),
  ConstructCase(
    name: "errors are caught, nested, rethrown, with and without a message",
    declarations: "global full[2], array",
    body: """
      z = 0
      try { println(1 / z) } catch (m) { println(m) }
      try { println(1 % z) } catch { println("caught") }
      try { try { error("inner") } catch (m) { error("again " . m) } } catch (m) { println(m) }
      try { error("") } catch (m) { println("<", m, ">") }
      try { full[1] = 1; full[2] = 2; full[3] = 3 } catch (m) { println(m) }
      try { while (1) n++ } catch (m) { println(m) }
      printf("%d<%d>\\n", array[5], strlen(m) > 0)
      """,
    lines: [
      "division by 0", "caught", "again inner", "<>", "Array overflow, check size limit (2)",
      "MAXACTION exceeded", "0<1>", "full[2]=2", "full[1]=1",
    ]
  ),
  ConstructCase(
    name: "strings: operators and comparison",
    declarations: "global keyed",
    body: """
      s = "abc" . "def"; printf("%s %d %d %d\\n", s, s == "abcdef", s < "abd", "" < s)
      printf("%d %d %d %d\\n", "a" != "b", "b" >= "b", "B" < "a", "ab" > "abc")
      printf("%s|%5s|%-5s|%.2s|%c|%%\\n", s, "x", "y", s, 65)
      printf("%d|%5d|%-5d|%05d|%x|%#x|%o|%+d\\n", 42, 42, 42, 42, 255, 255, 8, 7)
      println(sprintf("%d-%s", 3, "x"), sprint(1, "a", 2), sprintd(",", 1, "b", 3))
      keyed["a", 1] = "one"; keyed["a", 2] .= "two"; println(keyed["a", 1], keyed["a", 2], ["a", 3] in keyed)
      printd(":", "x", 1, "y"); println(""); printdln("-", 1, 2)
      """,
    lines: [
      "abcdef 1 1 1", "1 1 1 0", "abcdef|    x|y    |ab|A|%", "42|   42|42   |00042|ff|0xff|10|+7",
      "3-x1a21,b,3", "onetwo0", "x:1:y", "1-2",
    ]
  ),
  ConstructCase(
    name: "a literal is cut where every string is, unless it is only printed",
    declarations: "global kept = \(longLiteral), keyed",
    body: """
      s = \(longLiteral); keyed[\(longLiteral)] = "x"; keyed["a" . \(longLiteral)] = \(longLiteral)
      println(strlen(s), " ", strlen(kept), " ", s == kept, keyed[s], " ", strlen(\(longLiteral)), " ", s == \(longLiteral))
      foreach (k+ in keyed) println(strlen(k), " ", strlen(keyed[k]))
      println(\(longLiteral))
      """,
    lines: ["511 511 1x 511 1", "511 1", "511 511", String(repeating: "0123456789", count: 60)]
  ),
  ConstructCase(
    name: "regular expressions and their groups",
    declarations: "",
    body: """
      s = "key=value; x=42"
      println(s =~ "x=[0-9]+$", s =~ "^x", s !~ "zzz", "" =~ "^$")
      if (s =~ "([a-z]+)=([a-z]+);") println(matched(0), "|", matched(1), "|", matched(2), "|", ngroups())
      """,
    lines: ["1011", "key=value;|key|value|3"]
  ),
  ConstructCase(
    name: "a call that gives nothing is false behind && and ||",
    declarations: "global n function nothing(text) { println(text) }",
    body: """
      n > 0 && warn("never")
      n == 0 && nothing("seen"); println(n == 0 && nothing("too"))
      println(n == 0 || error("never"), " ", n++ > 0 && error("never"))
      try { n && error("said") } catch (m) { println(m) }
      """,
    lines: ["seen", "too", "0", "1 0", "said"]
  ),
  ConstructCase(
    name: "floating point, rounded as IEEE 754 says",
    declarations: "",
    body: """
      third = fp_div(long_to_fp(1), long_to_fp(3)); tenth = string_to_fp("0.1")
      printf("%x %x %x\\n", third, tenth, fp_sqrt(long_to_fp(2)))
      printf("%x %x\\n", fp_add(tenth, string_to_fp("0.2")), fp_mul(0x1a56e1fc2f8f359, 0xbbc79ca10c924223))
      println(fp_to_string(fp_sub(third, tenth), 5), " ", fp_to_string(string_to_fp("-12.75e2"), 0))
      println(fp_to_string(fp_rem(long_to_fp(5), long_to_fp(3)), 1), " ", fp_to_string(fp32_to_fp64(0x40490fdb), 6))
      println(fp_lt(third, tenth), fp_le(tenth, tenth), fp_eq(0, 0x8000000000000000), " ",
        fp_to_long(string_to_fp("2.5"), 0, 0), fp_to_long(string_to_fp("-2.5"), 2, 0))
      """,
    lines: [
      "3fd5555555555555 3fb999999999999a 3ff6a09e667f3bcd", "3fd3333333333334 80000000000007e8",
      "0.23333 -1275", "-1.0 3.141593", "011 2-3",
    ]
  ),
  ConstructCase(
    name: "unset values, next, and globals with initial values",
    declarations: """
      global n = -5, s = "init", a, sa
      function nothing() { }
      function empty:string() { }
      """,
    body: """
      printf("%d %s %d<%s>%d<%s>\\n", n, s, a[1], sa[1], unset, empty())
      nothing()
      a[7] = 0; println(7 in a, 8 in a)
      if (n) next
      println("never")
      """,
    lines: ["-5 init 0<>0<>", "10"]
  ),
  ConstructCase(
    name: "preprocessor: conditions, macros",
    declarations: """
      @define twice(x) %( ((@x) * 2) %)
      @define seven %( 7 %)
      """,
    body: """
      %( 1 == 1 %? println("yes") %: println("no") %)
      %( "abc" < "abd" && 2 > 1 %? println(@twice(4 + 1), " ", @seven) %)
      %( arch == "*" %? %: println("never") %)
      """,
    lines: ["yes", "10 7"]
  ),
]
