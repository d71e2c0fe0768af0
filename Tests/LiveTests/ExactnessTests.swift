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

    @Test("counts that a timer reads and deletes while they come: nothing is lost")
    func deletesCounts() throws {
      let script = """
        global n, all, rounds
        probe process.function("hit").call { n[$i % 1500]++ }
        probe timer.ms(3) { foreach (i in n) all += n[i]; delete n; rounds++ }
        probe end { foreach (i in n) all += n[i]; println(all, rounds > 3 ? " deleted" : " not deleted") }
        """
      // Hits do not wait for the timer's probe for ever.
      let traced = try utrace(["-DMAXSKIPPED=1000000", "-c", "\(program) 4 100000", "-e", script])
      let skipped = traced.errors.firstMatch(of: /: ([0-9]+) hits skipped/).flatMap { Int($0.1) } ?? 0
      #expect(traced.lines.contains("\(400_000 - skipped) deleted"), "\(traced.output)\(traced.errors)")
      #expect(traced.status == 0)
    }

    // Where there are more CPUs, the kernel makes the shares of statistics as they come.
    @Test(
      "a histogram for each of many new keys: nothing is lost",
      .enabled(if: ProcessInfo.processInfo.processorCount <= 8)
    )
    func histograms() throws {
      let script = """
        global times
        probe process.function("hit").call { times[$i] <<< $i }
        probe end {
          foreach (i in times) { n++; total += @sum(times[i]) }
          println(n, " ", total)
          print(@hist_log(times[3]))
        }
        """
      let traced = try utrace(["-c", "\(program) 1 2000", "-e", script])
      #expect(traced.lines.contains("2000 1999000"), "\(traced.output)")
      #expect(traced.status == 0)
      #expect(traced.messages.filter { !$0.hasSuffix("ns a call") }.isEmpty, "\(traced.errors)")
    }

    @Test("strings as keys are told apart whole, whatever was read before them", arguments: [512, 200])
    func tellsStringsApart(_ maximumLength: Int) throws {
      let (count, rounds) = (300, 3)
      // In `pairs` two strings of one key are read where they belong; in `mixed` two strings share a field; `copied`
      // takes a variable.
      let script = #"""
        global seen, pairs, mixed, named, copied, bad
        probe process.function("take") {
          try {
            seen[user_string($text)]++
            pairs[user_string_n($text, 3), user_string($text)] <<< 1
            if (user_string_n($text, 2) in mixed) mixed[user_string_n($text, 2)]++
            else mixed[user_string($text)] = 1
            text = user_string($text)
            if (text != "") copied[text] .= "x"
          } catch { bad++ }
          named[execname()]++
        }
        probe end {
          foreach (t in seen) { n++; right += seen[t] == 3; bytes += strlen(t) }
          foreach ([s, t] in pairs) { p++; right += @count(pairs[s, t]) == 3 && substr(t, 0, 3) == s }
          foreach (t in copied) { c++; right += copied[t] == "xxx" }
          foreach (t in mixed) m += mixed[t]
          printf("%d %d %d right %d of %d bytes, %d mixed, %d bad, %d named\n", n, p, c, right, bytes, m, bad,
            named["texts"])
        }
        """#
      let command = "\(Package.program("texts")) \(count) \(rounds)"
      let traced = try utrace(["-D", "MAXSTRINGLEN=\(maximumLength)", "-c", command, "-e", script])
      let texts = (0..<count).map { i in
        let more = i % 2 == 1 ? i * 37 % 600 : i % 7
        return String("\(i).\(String(repeating: "a", count: more))".prefix(maximumLength - 1))
      }
      var mixed: [String: Int] = [:]
      for text in Array(repeating: texts, count: rounds).joined() {
        // The letters differ in the program, but not the first two characters of a key that is there.
        let (short, whole) = (String(text.prefix(2)), text)
        if mixed[short] != nil { mixed[short, default: 0] += 1 } else { mixed[whole] = 1 }
      }
      let bytes = texts.reduce(0) { $0 + $1.count }
      let bad = rounds * ((count + 4) / 5)
      let wanted =
        "\(count) \(count) \(count) right \(3 * count) of \(bytes) bytes, "
        + "\(mixed.values.reduce(0, +)) mixed, \(bad) bad, \(count * rounds + bad) named"
      #expect(traced.lines.contains(wanted), "\(traced.output)\(traced.errors)")
      #expect(traced.messages.isEmpty, "\(traced.errors)")
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
