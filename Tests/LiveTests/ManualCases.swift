/// What stap(1) and the language reference say of the preprocessor, of names and of printing.
///
/// docs/conformance.md says where.
let manualCases = [
  ConstructCase(
    name: "the preprocessor's conditions, each kind, nested and bound as in C",
    declarations: "",
    body: """
      %( kernel_v >= "6.1" && kernel_v < "99" %? print("v ") %)
      %( kernel_vr == "6.*" %? print("vr ") %: print("no-vr ") %)
      %( kernel_v != "2.6.9" && arch == "x86_64" && arch != "i?86" %? print("arch ") %)
      %( systemtap_v >= "4.0" %? print("stap ") %: print("old ") %)
      %( systemtap_privilege == "stapdev" %? print("dev ") %)
      %( runtime == "kernel" || runtime == "dyninst" %? print("runtime ") %)
      %( guru_mode == 0 %? print("tame ") %: print("guru ") %)
      %( CONFIG_NO_SUCH_THING == "" || 1 > 2 %? print("unset ") %)
      %( "abc" < "abd" && 10 > 9 || 1 == 2 %? %( 1 != 1 %? print("never") %: print("nested ") %) %)
      %( 1 == 1 || 1 == 2 && 3 == 4 %? println("binds") %)
      println(%( 2 <= 2 %? 1 %: 0 %) + 1, %( "b" >= "c" %? "never" %: "other" %))
      """,
    lines: ["v vr arch stap dev runtime tame unset nested binds", "2other"]
  ),
  ConstructCase(
    name: "macros: parameters, macros in arguments and bodies, and none",
    declarations: """
      @define pair(a, b) %( sprintf("%d-%d", @a, @b) %)
      @define outer(x) %( @pair(@x, @inner(@x)) %)
      @define inner(y) %( ((@y) * 10) %)
      @define add(n) %( total += (@n) %)
      @define nothing %( %)
      @define half %( / 2 %)
      global total
      """,
    body: "@add(4) @add(strlen(@pair(1, 2)))\nprintln(@outer(4), \" \", total @half) @nothing",
    lines: ["4-40 3"]
  ),
  ConstructCase(
    name: "arguments of the script: numbers, strings, how many",
    declarations: "",
    body: "println($1 + 1, \" \", @2, \" \", $# * 10, @#, \" \", @1 . @2)",
    lines: ["43 two words 202 42two words"],
    arguments: ["42", "two words"]
  ),
  ConstructCase(
    name: "globals that the command line sets",
    declarations: "global most = 3, name = \"none\", depth",
    body: "println(most * 2, name, depth + 0)",
    lines: ["14xy-5"],
    options: ["-G", "most=7", "-G", "name=xy", "-G", "depth=-5"]
  ),
  ConstructCase(
    name: "private names, functions without types, and what ends without return",
    declarations: """
      private global hidden = 20
      private function three:long() { return 3 }
      function doubled(x) { return x * 2 }
      function shown:string(first:long, second) { return sprint(first) . second }
      function open:string(n) { if (n) return "set" }
      function silent(n) { if (n) return 7 }
      """,
    body:
      "println(doubled(hidden) + three(), shown(1, \"b\"), \"<\", open(0), open(1), \">\", silent(0), silent(1))",
    lines: ["431b<set>07"]
  ),
  ConstructCase(
    name: "literals: glued and escaped strings, hexadecimal, octal, comments, empty statements",
    declarations: "# one\n// two\n/* three\n   probe never { } */",
    body: """
      ;;; { ; }
      println("glued" " " /* between */ "text", "\\x41\\102\\t|\\\\\\"\\q") # the rest
      println(0x1f, " ", 017, " ", 0xffffffffffffffff, " ", 9223372036854775808, " ", - -3, 1 << 65)
      println(1 ? 2 : 3 ? 4 : 5, 0 ? 2 : 0 ? 4 : 5, -7 % 3, -7 / 2, 7 % -3)
      """,
    lines: ["glued textAB\t|\\\"q", "31 15 -1 -9223372036854775808 32", "25-1-31"]
  ),
  ConstructCase(
    name: "printing: the manual's examples",
    declarations: "global id",
    body: """
      a = "alice"; b = "bob"; p = 0x1234abcd; j = -1; id[a] = 1234; id[b] = 4567
      print("hello"); println(b); println(a . " is " . sprint(16))
      foreach (name+ in id) printdln("|", strlen(name), name, id[name])
      printf("%c is %s; %x or %X or %p; %d or %u\\n", 97, a, p, p, p, j, j)
      printf("%#o %#x %#X\\n", 1, 2, 3)
      printf("%#c %#c %#c\\n", 0, 9, 42)
      printf("%2b%1b%4b%8b|\\n", 0x4241, 0x43, 0x47464544, 0x4f4e4d4c4b4a4948)
      """,
    lines: [
      "hellobob", "alice is 16", "5|alice|1234", "3|bob|4567",
      "a is alice; 1234abcd or 1234ABCD or 0x1234abcd; -1 or 18446744073709551615", "01 0x2 0X3",
      "\\000 \\t *",
      "ABCDEFGHIJKLMNO|",
    ]
  ),
  ConstructCase(
    name: "printing: flags, widths, precisions",
    declarations: "global kept",
    body: """
      printf("%-6d|%06d|% d|%+d|%5.3d|%i|%u\\n", 42, -42, 7, 7, 7, 3, 5)
      printf("%s|%8s|%-8s|%.3s|%8.2s|%*d|%-*d|%.*s|%%\\n", "abc", "abc", "abc", "abcdef", "abcdef", 5, 42, 5, 42, 2, "abc")
      kept = sprintf("%-6d|%8.2s|%#x", 42, "abcdef", 255); println(kept, strlen(kept))
      println(sprintln("a", 1), sprintd("::", 1, "x"), sprintdln("-", "y", 2))
      print_char(65); print_char(10)
      """,
    lines: [
      "42    |-00042| 7|+7|  007|3|5", "abc|     abc|abc     |abc|      ab|   42|42   |ab|%",
      "42    |      ab|0xff20", "a1", "1::xy-2", "A",
    ]
  ),
  ConstructCase(
    name: "variance, and the buckets of a linear histogram",
    declarations: "global x, v",
    body: """
      for (i = 1; i <= 5; i++) v <<< i * 10
      println(@variance(v), " ", @count(v), " ", @avg(v))
      x <<< -100; x <<< 1; x <<< 2; x <<< 3; x <<< 100
      foreach (bucket in @hist_linear(x, 1, 3, 1)) printf("%d:%d ", bucket, @hist_linear(x, 1, 3, 1)[bucket])
      println("")
      """,
    lines: ["250 5 30", "0:1 1:1 2:1 3:1 4:1 "]
  ),
  ConstructCase(
    name: "histograms as they are drawn: scaled, negative, with what is left out",
    declarations: "global t, n",
    body: """
      for (i = 0; i < 3000; i += 7) t <<< i % 1000
      print(@hist_log(t))
      n <<< 1; n <<< -5; n <<< 0; n <<< 4096; n <<< 5000
      print(@hist_log(n)); print(@hist_linear(n, 0, 20, 10))
      """,
    lines: [
      "value |-------------------------------------------------- count",
      "    0 |                                                     1",
      "    1 |                                                     1",
      "    2 |                                                     1",
      "    4 |                                                     1",
      "    8 |                                                     4",
      "   16 |@                                                    7",
      "   32 |@@                                                  13",
      "   64 |@@@@@                                               28",
      "  128 |@@@@@@@@@@@                                         55",
      "  256 |@@@@@@@@@@@@@@@@@@@@@                              109",
      "  512 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@          209",
      " 1024 |                                                     0",
      " 2048 |                                                     0",
      "value |-------------------------------------------------- count",
      "  -16 |                                                   0",
      "   -8 |                                                   0",
      "   -4 |@                                                  1",
      "   -2 |                                                   0",
      "   -1 |                                                   0",
      "    0 |@                                                  1",
      "    1 |@                                                  1",
      "    2 |                                                   0",
      "    4 |                                                   0",
      "      ~",
      " 1024 |                                                   0",
      " 2048 |                                                   0",
      " 4096 |@@                                                 2",
      " 8192 |                                                   0",
      "16384 |                                                   0",
      "value |-------------------------------------------------- count",
      "   <0 |@                                                  1",
      "    0 |@@                                                 2",
      "   10 |                                                   0",
      "   20 |                                                   0",
      "  >20 |@@                                                 2",
    ]
  ),
  ConstructCase(
    name: "a global that is written and never read is printed at the end",
    declarations: "global n, text, pairs, sorted, s, each, read = 4, kept",
    body: """
      n = -3; text = "a\\tb"; pairs["k", 1] = "v"; pairs["j", 2] = "w"
      sorted[3] = 30; sorted[1] = 10; sorted[2] = 50; s <<< 4; s <<< 6; each["x"] <<< 1; kept = read
      if (kept) next
      """,
    lines: [
      "n=-3", "text=\"a\tb\"", "pairs[\"j\",2]=\"w\"", "pairs[\"k\",1]=\"v\"", "sorted[2]=50", "sorted[3]=30",
      "sorted[1]=10", "s @count=2 @min=4 @max=6 @sum=10 @avg=5",
      "each[\"x\"] @count=1 @min=1 @max=1 @sum=1 @avg=1",
    ]
  ),
  ConstructCase(
    name: "exit ends the session and not the probe",
    declarations: "probe end { println(\"end\") }",
    body: "println(\"before\"); exit(); println(\"after\")",
    lines: ["before", "after", "end"]
  ),
  ConstructCase(
    name: "aliases: prologues and epilogues, of one another",
    declarations: """
      probe first = POINT { order = "p1 " }, { println(order, "e1") }
      probe second = first { order .= "p2 " }
      probe third += second { order .= "e3 " }
      """,
    body: "order .= \"body \"",
    lines: ["p1 p2 body e3 e1"],
    point: "third"
  ),
  ConstructCase(
    name: "next in an alias leaves out the probe, and probewrite knows what it writes",
    declarations: """
      probe guarded = POINT { if (skip) next; value = 0 }, { if (@probewrite(value)) println("wrote ", value) }
      global skip, seen
      probe guarded { seen = value }
      """,
    body: "value = 1 + seen",
    lines: ["wrote 1"],
    point: "guarded"
  ),
  ConstructCase(
    name: "optional and sufficient points, and those that never come",
    declarations: "",
    body: "println(\"once\")",
    lines: ["once"],
    point: "no.such ?, never, POINT !, POINT"
  ),
  ConstructCase(
    name: "a condition arms a probe or does not",
    declarations: "global on = 1, off\nprobe POINT if (off) { println(\"never\") }",
    body: "println(\"armed\")",
    lines: ["armed"],
    point: "POINT if (on)"
  ),
  ConstructCase(
    name: "a run-time error is located, ends the session, and runs error probes",
    declarations: """
      function half(n) { return 10 / n }
      probe error { println("error probe") }
      probe end { println("never") }
      """,
    body: "println(half(2))\nprintln(half(0))\nprintln(\"never\")",
    lines: ["5", "error probe"],
    errors: ["ERROR: division by 0 near operator '/' at <input>:1:27", "Number of errors: 1"]
  ),
  ConstructCase(
    name: "MAXERRORS errors are reported and end nothing",
    declarations: "global full[1], empty\nprobe end { println(\"end\") }",
    body: "full[1] = 1; println(\"before\"); full[2] = @min(empty); empty <<< 1",
    lines: ["before", "end", "full[1]=1"],
    options: ["-D", "MAXERRORS=1"],
    errors: ["ERROR: empty aggregate", "Number of errors: 1"]
  ),
]
