import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Nothing is lost, or it is counted.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct ExactnessTests {
    private let program = Package.program("threads")

    @Test("4 threads, 250,000 hits each: exactly 1,000,000", arguments: ["push", "stepped", "nop"])
    func countsEveryHit(_ kind: String) throws {
      let function = kind == "push" ? "hit" : "hit_\(kind)"
      let script = """
        global one, each, s, keyed, plain
        probe process.function("\(function)").call {
          one[1]++
          each[tid()]++
          s <<< register("rdi")
          keyed[tid() % 2] <<< 2
          plain++
        }
        probe end {
          foreach (id in each) sum += each[id]
          foreach (id in keyed) { counted += @count(keyed[id]); total += @sum(keyed[id]) }
          printf("%d %d %d %d %d %d %d %d %d\\n", one[1], sum, @count(s), @sum(s), @min(s), @max(s), counted, total, plain)
        }
        """
      let traced = try utrace(["-c", "\(program) 4 250000 \(kind)", "-e", script])
      #expect(traced.lines.contains("1000000 1000000 1000000 124999500000 0 249999 1000000 2000000 1000000"))
      #expect(traced.lines.contains("done 1000000 hits, sum 250000000000, right"), "\(traced.output)")
      #expect(traced.status == 0)
      #expect(traced.messages.filter { !$0.hasSuffix("ns a call") }.isEmpty, "\(traced.errors)")
    }

    @Test("entry and return of 4 threads: as many, each with its own value")
    func pairsReturns() throws {
      let script = """
        global calls, wrong, s
        probe process.function("hit").return {
          calls++
          if ($return != $i * 2 + 1 || @entry(tid()) != tid()) wrong++
          s <<< $i
        }
        probe end { printf("%d %d %d %d\\n", calls, wrong, @count(s), @sum(s)) }
        """
      let traced = try utrace(["-c", "\(program) 4 50000", "-e", script])
      #expect(traced.lines.contains("200000 0 200000 4999900000"), "\(traced.output)\(traced.errors)")
      #expect(traced.messages.filter { !$0.hasSuffix("ns a call") }.isEmpty, "\(traced.errors)")
    }

    @Test("a tiny ring: hits = printed + reported lost", arguments: [4096, 65536])
    func countsLostRecords(_ ringBytes: Int) throws {
      let hits = 100_000
      let script = """
        global n
        probe process.function("hit").call { n++; printf("hit %d\\n", $i) }
        probe end { printf("hits %d\\n", n) }
        """
      let arguments = ["-DUTRACE_RING_BYTES=\(ringBytes)", "-c", "\(program) 4 \(hits / 4)", "-e", script]
      let text = try utrace(arguments)
      #expect(text.lines.contains("hits \(hits)"), "\(text.errors)")
      let printed = text.lines.filter { $0.hasPrefix("hit ") }.count
      let lost = text.messages.compactMap { $0.firstMatch(of: /: (\d+) records lost/).flatMap { Int($0.1) } }
      #expect(printed + lost.reduce(0, +) == hits, "\(printed) \(text.errors)")
      #expect(printed > 0 && lost.count == 1)

      let json = try utrace(["--json"] + arguments)
      let lines = json.lines.compactMap {
        try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
      }
      let records = lines.filter {
        $0["type"] as? String == "print" && $0["text"] as? String != "hits \(hits)\n"
      }
      let losses = lines.filter { $0["type"] as? String == "loss" }
      let count = try #require(losses.first?["count"] as? Int)
      #expect(losses.count == 1 && losses[0]["reason"] as? String == "ring-full")
      #expect(records.count + count == hits)
      #expect(lines.last?["type"] as? String == "end" && lines.last?["lost"] as? Int == count)
    }
  }
}
