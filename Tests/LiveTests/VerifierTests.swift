import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Scripts that the verifier once refused; found at random and cut down.
  @Suite(.requires(.probes)) struct VerifierTests {
    /// In the rounds after `i` was found below 0 and above -4096 it was a known number, and each round another one.
    @Test("a counter may be compared with neighbouring numbers in a loop")
    func neighbouringNumbers() throws {
      let program = Package.program("threads")
      let script = """
        global an, as, ann, st, sts, gn = 1, gs = "a"
        probe process("\(program)").function("hit") {
          n1 = 2; n2 = -256; s1 = "x=1;y=2"; s2 = ""
          an[n1] = 1; as[s1] = "x"; ann[n1 & 7, s1] = 2; st <<< n1; sts[s1] <<< n2
          if (strtol(gs, (n2 > n1) & 31)) {
            for (i = 0; i < 3; i++) {
              try { n1 = 255 / (n2 & 3); n2 += n1 } catch (m) { println(m) }
              foreach (v = t3+ in sts limit 3) { }
            }
          }
          foreach (u = t5 in as+ limit n1) {
            for (i = 0; i < 6; i++) { foreach (k in an) n2 += k * an[k] }
          }
          for (i = 0; i < 5; i++) {
            for (t = tokenize("0x1f" . return_str(gn & 3, i), ""); t != "" && strlen(s2) < 200; t = tokenize(""))
              s2 .= t . ":"
            gs = sprintd(",", gs, 4096, "") .
              sprintf("|%*.0sx=%*.*u", (gn & 63) - 16, s2, ann[2, "ab"], (ann[255, "hello"] & 63) - 16, gn)
          }
          printf("%d %d [%s]\\n", n1, n2, s2)
        }
        """
      let scratch = try ScratchDirectory()
      let output = "\(scratch.path)/out"
      let traced = try utrace(["-w", "--no-cache", "-o", output, "-c", "\(program) 1 1", "-e", script])
      let expected = "2 -244 [0x1f0:0x1f1:0x1f2:0x1f3:0x1f4:]"
      #expect(text(ofFile: output).hasPrefix(expected), "\(traced.errors)")
    }

    @Test("-v says how long the verifier took")
    func saysItsTime() throws {
      let program = Package.program("threads")
      let traced = try utrace([
        "-v", "-c", "\(program) 1 1", "-e", "probe process.function(\"hit\") { next }",
      ])
      let line = /Pass 4: loaded \(verifier: [0-9]+\.[0-9]{3} ms\) and attached in [0-9.]+ ms/
      #expect(traced.errors.contains(line), "\(traced.errors)")
    }
  }
}
