import Testing

/// A construct of the language: code that any probe may run, and what it prints.
struct ConstructCase: Sendable, CustomTestStringConvertible {
  let name: String
  let declarations: String
  let body: String
  let lines: [String]
  /// Arguments of the script.
  var arguments: [String] = []
  /// Options of utrace.
  var options: [String] = []
  /// The probe point; `POINT` in it and in the declarations stands for the one that the test chooses.
  var point = "POINT"
  /// What standard error says; then the status is 1.
  var errors: [String] = []

  var testDescription: String { name }

  /// All that can be said in every probe.
  static let all = constructCases + languageCases + manualCases

  /// The body in a probe at `point`.
  func script(at place: String) -> String {
    "\(declarations)\nprobe \(point) {\n\(body)\n}\n".replacing("POINT", with: place)
  }
}

let constructCases = [
  ConstructCase(
    name: "foreach by key, up and down, with limits",
    declarations: "global a",
    body: """
      for (i = 0; i < 12; i++) { a[(i * 5) % 12] = (i * 7) % 6 }
      foreach (k+ in a) print(k, ":", a[k], " "); println("")
      foreach (k- in a limit 3) print(k, " "); println("")
      n = 2; foreach (k in a+ limit n) print(k, " "); foreach (k in a limit -1) print("never"); println("")
      """,
    lines: [
      "0:0 1:5 2:4 3:3 4:2 5:1 6:0 7:5 8:4 9:3 10:2 11:1 ",
      "11 10 9 ",
      "0 6 ",
    ]
  ),
  ConstructCase(
    name: "foreach with values, by value",
    declarations: "global a",
    body: """
      for (i = 0; i < 12; i++) { a[(i * 5) % 12] = (i * 7) % 6 }
      foreach (v = k in a-) print(v, "@", k, " "); println("")
      sum = 0; foreach (v = k in a) sum += v * k; println(sum)
      """,
    lines: [
      "5@1 5@7 4@2 4@8 3@3 3@9 2@4 2@10 1@5 1@11 0@0 0@6 ",
      "160",
    ]
  ),
  ConstructCase(
    name: "foreach over strings, in the order of their bytes",
    declarations: "global t",
    body: """
      t["b"] = "x"; t[""] = "x"; t["a\\000"] = "x\\001"; t["ab"] = ""; t["a"] = "wwwwwwwwwwwwwwwwwwwwwww"
      foreach (k+ in t) print(string_quoted(k)); println("")
      foreach (v = k in t-) print(string_quoted(k), "=", string_quoted(v), " "); println("")
      """,
    lines: [
      "\"\"\"a\"\"a\\000\"\"ab\"\"b\"",
      "\"a\\000\"=\"x\\001\" \"\"=\"x\" \"b\"=\"x\" \"a\"=\"wwwwwwwwwwwwwwwwwwwwwww\" \"ab\"=\"\" ",
    ]
  ),
  ConstructCase(
    name: "nine keys, and slices of them",
    declarations: "global nine",
    body: """
      for (i = 0; i < 8; i++) nine[i, i % 2, "c", sprint(i % 4), i * i, 6, "g", -i, "i"] = i
      foreach (v = [a, b, c, d, e, f, g, h+, j] in nine[*, 1, *, "3", *, *, "g", *, *])
        println(v, " ", a, b, c, d, e, f, g, h, j)
      println([*, *, *, "2", *, *, *, *, *] in nine, [*, *, *, "4", *, *, *, *, *] in nine)
      delete nine[*, 0, *, *, *, *, "g", *, *]
      foreach ([a+, b, c, d, e, f, g, h, j] in nine) print(a, " "); println("")
      """,
    lines: [
      "7 71c3496g-7i",
      "3 31c396g-3i",
      "10",
      "1 3 5 7 ",
    ]
  ),
  ConstructCase(
    name: "foreach by what statistics answer",
    declarations: "global s, one",
    body: """
      for (i = 0; i < 12; i++) { s[i % 3, sprint(i % 2)] <<< i * i; one <<< i * 3 - 6 }
      foreach ([n, t] in s @sum -) print(n, t, "=", @sum(s[n, t]), " "); println("")
      foreach ([n, t] in s @avg + limit 2) print(n, t, "=", @avg(s[n, t]), " "); println("")
      foreach ([n, t] in s @max - limit 2) print(n, t, "=", @max(s[n, t]), " "); println("")
      foreach ([n, t] in s @min + limit 2) print(n, t, "=", @min(s[n, t]), " "); println("")
      foreach ([n, t] in s[*, "1"] @variance -) print(n, t, "=", @variance(s[n, t]), " "); println("")
      foreach (v = [n, t+] in s[2, *] limit 1) println(v, n, t)
      """,
    lines: [
      "21=146 10=116 01=90 20=68 11=50 00=36 ",
      "00=18 11=25 ",
      "21=121 10=100 ",
      "00=0 11=1 ",
      "21=4608 01=2592 11=1152 ",
      "220",
      "one @count=12 @min=-6 @max=27 @sum=126 @avg=10",
    ]
  ),
  ConstructCase(
    name: "what statistics answer, and their histograms",
    declarations: "global s, one",
    body: """
      for (i = 0; i < 12; i++) { s[i % 3, sprint(i % 2)] <<< i * i; one <<< i * 3 - 6 }
      println(@count(one), " ", @sum(one), " ", @min(one), " ", @max(one), " ", @avg(one), " ", @variance(one))
      println(@hist_log(one)[64], @hist_log(one)[68], @hist_linear(one, 0, 20, 5)[0], @hist_linear(one, 0, 20, 5)[6])
      foreach (b in @hist_log(one)) if (@hist_log(one)[b]) print(b, ":", @hist_log(one)[b], " "); println("")
      foreach (v = b in @hist_linear(one, 0, 20, 5)- limit 3) print(b, ":", v, " "); println("")
      try { println(@hist_log(one)[128]) } catch (m) { println(m) }
      """,
    lines: [
      "12 126 -6 27 10 117",
      "1323",
      "61:1 62:1 64:1 66:1 67:1 68:3 69:4 ",
      "6:3 0:2 1:2 ",
      "histogram index out of range",
      "s[0,\"0\"] @count=2 @min=0 @max=36 @sum=36 @avg=18",
      "s[0,\"1\"] @count=2 @min=9 @max=81 @sum=90 @avg=45",
      "s[1,\"0\"] @count=2 @min=16 @max=100 @sum=116 @avg=58",
      "s[1,\"1\"] @count=2 @min=1 @max=49 @sum=50 @avg=25",
      "s[2,\"0\"] @count=2 @min=4 @max=64 @sum=68 @avg=34",
      "s[2,\"1\"] @count=2 @min=25 @max=121 @sum=146 @avg=73",
    ]
  ),
  ConstructCase(
    name: "delete and 'in' of statistics, arrays, slices and scalars",
    declarations: "global s, one, n = 7, t",
    body: """
      for (i = 0; i < 12; i++) { s[i % 3, sprint(i % 2)] <<< i * i; one <<< i * 3 - 6 }
      t = "x"; delete n; delete t; println(n, "<", t, ">")
      delete one; println(@count(one)); try { println(@avg(one)) } catch (m) { println(m) }
      delete s[2, "1"]; println([2, "1"] in s, [2, *] in s); try { println(@min(s[2, "1"])) } catch (m) { println(m) }
      delete s[*, "0"]; foreach ([n1+, t1] in s) print(n1, t1, " "); println("")
      delete s; foreach ([n1, t1] in s) print("never"); println([*, *] in s)
      """,
    lines: [
      "0<>",
      "0",
      "empty aggregate",
      "01",
      "empty aggregate",
      "01 11 ",
      "0",
    ]
  ),
  ConstructCase(
    name: "break, continue, next and return from nested foreach",
    declarations: """
      global a
      function find(x) { foreach (k+ in a) { if (k == x) return k * 100 } return -1 }
      function pair(n) { foreach (k+ in a) foreach (j+ in a) { if (k * j == n) return k * 100 + j } return 0 }
      function odd(x) { foreach (k+ in a) { if (k == x) next } return 5 }
      function odd(x) { return 6 }
      """,
    body: """
      for (i = 0; i < 12; i++) { a[(i * 5) % 12] = (i * 7) % 6 }
      println(find(3), " ", find(77), " ", pair(6), " ", pair(121), " ", pair(13), " ", odd(3), odd(30))
      foreach (k+ in a) { foreach (j- in a limit 4) { if (j == 10) continue; if (j < k) break; print(k, ".", j, " ") } } println("")
      foreach (k in a) { if (k == 1) next }
      println("never")
      """,
    lines: [
      "300 -1 106 1111 0 65",
      "0.11 0.9 0.8 1.11 1.9 1.8 2.11 2.9 2.8 3.11 3.9 3.8 4.11 4.9 4.8 5.11 5.9 5.8 6.11 6.9 6.8 7.11 7.9 7.8 8.11 8.9 8.8 9.11 9.9 10.11 11.11 ",
    ]
  ),
  ConstructCase(
    name: "try and catch around and inside foreach",
    declarations: "global a, n",
    body: """
      for (i = 0; i < 12; i++) { a[(i * 5) % 12] = (i * 7) % 6 }
      try {
        foreach (k+ in a) { foreach (j- in a limit 3) { if (j == k + 9) error(sprintf("at %d %d", k, j)); n += j } }
      } catch (m) { println(m, " ", n) }
      foreach (k+ in a) {
        try { if (k == 3) error("three"); if (k == 5) break; print(100 / (k - 1), " ") } catch (m) { println(m); continue }
      }
      println("")
      """,
    lines: [
      "at 0 9 21",
      "-100 division by 0",
      "100 three",
      "33 ",
    ]
  ),
  ConstructCase(
    name: "each round of a foreach counts against MAXACTION",
    declarations: "global a",
    body: """
      for (i = 0; i < 120; i++) a[i] = i
      try { foreach (k in a) foreach (j in a) n++ } catch (m) { println(m) }
      println(n)
      """,
    lines: [
      "MAXACTION exceeded",
      "9798",
    ]
  ),
  ConstructCase(
    name: "a full array that wraps gives up its oldest element",
    declarations: "global a%[5], t%[3], s%[3]",
    body: """
      for (i = 0; i < 23; i++) a[i] = i
      foreach (k+ in a) print(k, " "); delete a[20]; a[100] = 1; a[19] += 7; a[101] = 1
      foreach (k+ in a) print(k, ":", a[k], " "); println("")
      for (i = 0; i < 9; i++) { t[sprint(i)] = sprint(i); t["7"] = "y"; s[i % 5] <<< i }
      foreach (x+ in t) print(x, t[x], " "); foreach (k+ in s) print(k, ":", @count(s[k]), " "); println("")
      """,
    lines: [
      "18 19 20 21 22 19:26 21:21 22:22 100:1 101:1 ",
      "66 7y 88 1:1 2:1 3:1 ",
    ]
  ),
  ConstructCase(
    name: "an array that wraps knows its oldest element, whatever was deleted between",
    declarations: "global a%[6], t%[6], s%[6], born",
    body: """
      for (i = 0; i < 250; i++) {
        x = (x * 1103515245 + 12345) & 0x7fffffff
        k = (x >> 8) % 19
        if ((x >> 16) % 4 == 0) { delete a[k]; delete t[sprint(k)]; delete s[k]; delete born[k] }
        else {
          if (!(k in born)) {
            n = 0; foreach (j in born+) { if (!n++) oldest = j }
            if (n == 6) { delete born[oldest]; gone++ }
            born[k] = i + 1
          }
          a[k]++; t[sprint(k)] = "x"; s[k] <<< 1
        }
        foreach (j in born) if (!(j in a) || !(sprint(j) in t) || !(j in s)) wrong++
        foreach (j in a) if (!(j in born)) wrong++
      }
      println(wrong, " ", gone)
      """,
    lines: ["0 100"]
  ),
  ConstructCase(
    name: "a full array is an error that names its size",
    declarations: "global a[4]",
    body: """
      try { for (i = 0; i < 9; i++) a[i] = i } catch (m) { println(m) }
      foreach (k+ in a) print(k, " "); delete a[0]; a[77] = 1; println(77 in a)
      """,
    lines: ["Array overflow, check size limit (4)", "0 1 2 3 1"]
  ),
  ConstructCase(
    name: "a histogram as a string is what it was then",
    declarations: "global s, e, kept",
    body: """
      s <<< 3; e[1, "a"] <<< 12; kept = sprint(@hist_linear(s, 0, 20, 10)); s <<< 12; first = sprintln(@hist_log(s))
      e[1, "a"] <<< 14; print(kept . sprint(@hist_linear(e[1, "a"], 0, 10, 10)))
      println(strlen(kept) > 100, kept == first, strlen(sprint(@hist_log(e[2, "b"]))))
      """,
    lines: [
      "value |-------------------------------------------------- count",
      "    0 |@                                                  1",
      "   10 |                                                   0",
      "   20 |                                                   0",
      "value |-------------------------------------------------- count",
      "    0 |                                                   0",
      "   10 |                                                   0",
      "  >10 |@@                                                 2",
      "100",
    ]
  ),
  ConstructCase(
    name: "the value of a foreach over statistics is one itself",
    declarations: "global s",
    body: """
      for (i = 0; i < 20; i++) s[i & 3, "k"] <<< i
      foreach (v = [k+, t] in s limit 2) println(k, t, ":", v, " ", @count(v), @avg(v), @sum(v), @min(v), @max(v))
      foreach (v = [k+, t] in s limit 1) foreach (w = [k2-, t2] in s limit 1) println(@variance(v), @hist_log(w)[67])
      """,
    lines: ["0k:5 5840016", "1k:5 5945117", "401"]
  ),
  ConstructCase(
    name: "statistics of a foreach value are the element's, also when the body changes the keys",
    declarations: "global s",
    body: """
      for (i = 0; i < 20; i++) s[i & 3, "k"] <<< i
      foreach (v = [k+, t] in s limit 2) {
        k += 2; t = "other"
        println(k, t, ":", @count(v), @sum(v), " ", @max(v), " ", @hist_log(v)[67])
      }
      foreach (v = [k-, t] in s limit 1) foreach (k in @hist_linear(v, 0, 20, 10)) sum += k * @count(v)
      println(sum)
      """,
    lines: ["2other:540 16 1", "3other:545 17 1", "50"]
  ),
  ConstructCase(
    name: "walks inside of walks that want fewer elements than there are leave their rows alone",
    declarations: "global a, s",
    body: """
      for (i = 0; i < 9; i++) { a[i] = i * i; s <<< i * 10 }
      foreach (k+ in a limit 3) { foreach (j- in a limit 2) print(j); print(k, " ") }
      foreach (v = k in a- limit 3) { foreach (v2 = j in a+ limit 2) print(j); print(k, " ") }
      foreach (v = b in @hist_linear(s, 0, 80, 10)- limit 4) foreach (w = j in @hist_linear(s, 0, 80, 10)) n += b * w
      println(n)
      """,
    lines: ["870 871 872 018 017 016 \(9 * (1 + 2 + 3 + 4))"]
  ),
  ConstructCase(
    name: "a histogram is printed as it is then",
    declarations: "global s",
    body: """
      s <<< 3; print(@hist_linear(s, 0, 20, 10)); s <<< 12; s <<< 14; print(@hist_linear(s, 0, 20, 10))
      """,
    lines: [
      "value |-------------------------------------------------- count",
      "    0 |@                                                  1",
      "   10 |                                                   0",
      "   20 |                                                   0",
      "value |-------------------------------------------------- count",
      "    0 |@                                                  1",
      "   10 |@@                                                 2",
      "   20 |                                                   0",
    ]
  ),
  ConstructCase(
    name: "a negative width leaves capitals as they are",
    declarations: "global text",
    body: "text = sprintf(\"%*X|%*.3x\", -4, 171, -4, 171); println(text, strlen(text))",
    lines: ["AB  |0ab 9"]
  ),
]
