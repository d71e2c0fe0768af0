import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Arrays whose keys hold long strings: they have three maps, by the strings' length.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct KeyTests {
    private let program = Package.program("threads")
    private static let count = 900
    /// Around the longest strings of short keys, and far behind.
    private static let lengths = [0, 1, 59, 60, 61, 252, 253, 400]

    private func trace(_ declarations: String = "", _ body: String, end: String) throws -> [String] {
      let script = """
        global n, m, s, t \(declarations)
        function text(i) {
          x = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567"
          if (i % 8 == 0) return ""
          if (i % 8 == 1) return "a"
          if (i % 8 == 2) return substr(x, 0, 59)
          if (i % 8 == 3) return x
          if (i % 8 == 4) return x . "8"
          return substr(x . x . x . x . x . x . x, 0, i % 8 == 5 ? 252 : i % 8 == 6 ? 253 : 400)
        }
        probe process.function("hit").call { k = text($i)\n\(body) }
        probe end { \(end) }
        """
      let traced = try utrace([
        "-w", "--no-global-var-display", "-c", "\(program) 1 \(Self.count)", "-e", script,
      ])
      #expect(traced.status == 0 && traced.messages.count == 1, "\(traced)")
      return traced.scriptLines
    }

    /// What hits of each length give, `of` the numbers of the hits.
    private func expected(_ line: (_ length: Int, _ hits: [Int]) -> String?) -> [String] {
      Self.lengths.enumerated().compactMap { index, length in
        line(length, (0..<Self.count).filter { $0 % 8 == index })
      }
    }

    @Test("each element is found again, whatever the length of its key")
    func counts() throws {
      let lines = try trace(
        "",
        "n[k]++; m[k, 7] += $i; s[3, k] <<< $i; if (k in t) t[k] = t[k] . \".\"; else t[k] = k",
        end: """
          foreach (k in n) printf("%03d %d %d %d %d %d\\n", strlen(k), n[k], m[k, 7], @sum(s[3, k]),
            ([*, k] in s) + ([4, k] in s), strlen(t[k]))
          """
      )
      #expect(
        lines.sorted()
          == expected { length, hits in
            let sum = hits.reduce(0, +)
            return String(format: "%03d", length)
              + " \(hits.count) \(sum) \(sum) 1 \(length + hits.count - 1)"
          }
      )
    }

    @Test("elements are deleted one by one and all at once, by probes and by the user side")
    func deletes() throws {
      let lines = try trace(
        "",
        "n[k]++; m[k] = $i; t[k] = \"x\"; if ($i >= 8 && $i % 2) delete n[k]; if ($i == 800) delete m",
        end: """
          delete t[""]; delete t[text(3)]; delete t[text(4)]
          foreach (k+ in n) printf("n%d ", strlen(k)); println()
          foreach (k in m) if (m[k] > 800) live++; println(live)
          foreach (k+ in t) printf("t%d ", strlen(k)); println()
          delete t; foreach (k in t) println("left")
          """
      )
      #expect(lines == ["n0 n59 n61 n253 ", "8", "t1 t59 t252 t253 t400 "])
    }

    @Test("probes read what statistics of long and of short keys gathered")
    func extracts() throws {
      let lines = try trace(
        "",
        "s[k] <<< $i; if ($i >= \(Self.count) - 8) printf(\"%d %d\\n\", strlen(k), @sum(s[k]))",
        end: ""
      )
      let sums = expected { length, hits in "\(length) \(hits.reduce(0, +))" }
      #expect(Set(lines) == Set(sums))
    }

    @Test("an array of a stated size is full when it holds as many, short and long ones together")
    func fills() throws {
      let script = """
        global n[8]
        probe process.function("hit").call {
          n[$i % 2 ? sprint($i) : sprintf("%100d", $i)] = 1
        }
        """
      let traced = try utrace(["-c", "\(program) 1 9", "-e", script])
      #expect(traced.errors.contains("Array overflow, check size limit (8) near identifier 'n'"), "\(traced)")
    }
  }
}
