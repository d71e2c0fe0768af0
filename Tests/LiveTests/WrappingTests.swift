import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Arrays that wrap know their oldest element, whoever puts elements in, and whatever is deleted between.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct WrappingTests {
    /// What step `i` does: deletes everything, deletes an element, or sets one.
    private enum Step {
      case deleteAll
      case delete(Int)
      case set(Int)

      init(_ i: Int) {
        let random = (i * 1_103_515_245 + 12345) & 0x7fff_ffff
        let key = (random >> 8) % 23
        self = i % 97 == 96 ? .deleteAll : (random >> 16) % 4 == 0 ? .delete(key) : .set(key)
      }
    }

    private static let script = """
      global a%[7], t%[7], s%[7]
      function step(i) {
        x = (i * 1103515245 + 12345) & 0x7fffffff
        k = (x >> 8) % 23
        if (i % 97 == 96) { delete a; delete t; delete s }
        else if ((x >> 16) % 4 == 0) { delete a[k]; delete t[sprintf("%02d", k)]; delete s[k] }
        else { a[k]++; t[sprintf("%02d", k)] = "x"; s[k] <<< i }
        foreach (k+ in a) printf("%d ", k)
        print("|")
        foreach (name+ in t) printf(" %d", strtol(name, 10))
        print(" |")
        foreach (k+ in s) printf(" %d", k)
        println("")
      }
      """

    /// What every step leaves.
    private func expected(_ count: Int) -> [String] {
      var keys: [Int] = []
      return (0..<count).map { i in
        switch Step(i) {
        case .deleteAll: keys = []
        case .delete(let key): keys.removeAll { $0 == key }
        case .set(let key) where !keys.contains(key):
          if keys.count == 7 { keys.removeFirst() }
          keys.append(key)
        case .set: break
        }
        let text = keys.sorted().map(String.init).joined(separator: " ")
        let behind = keys.isEmpty ? "" : " \(text)"
        return (keys.isEmpty ? "" : text + " ") + "|\(behind) |\(behind)"
      }
    }

    @Test("after any steps of either side")
    func bothSides() throws {
      let program = Package.program("threads")
      let script = """
        \(Self.script)
        probe begin { for (i = 0; i < 200; i++) step(i) }
        probe process("\(program)").function("hit").call { step($i + 200) }
        probe end { for (i = 800; i < 1000; i++) step(i) }
        """
      let traced = try utrace(["-w", "-c", "\(program) 1 600", "-e", script])
      #expect(traced.status == 0 && traced.messages.count == 1, "\(traced.errors)")
      let lines = traced.scriptLines
      #expect(lines.count == 1000)
      for (index, (line, wanted)) in zip(lines, expected(1000)).enumerated() where line != wanted {
        Issue.record("step \(index): \(line), not \(wanted)")
        break
      }
    }

    @Test("in a large array, of which some elements live long")
    func large() throws {
      let program = Package.program("threads")
      // 30 elements are put in again whenever they were given up; the others come once.
      let script = """
        global a%[1000]
        probe process("\(program)").function("hit").call { a[$i]++; delete a[$i - 500]; if ($i % 4 == 0) a[$i - 500]++ }
        probe end { foreach (k+ in a limit 2) println(k); foreach (k- in a limit 2) println(k); n = 0
          foreach (k in a) n++; println(n) }
        """
      let traced = try utrace(["-w", "-c", "\(program) 1 20000", "-e", script])
      #expect(traced.status == 0 && traced.messages.count == 1, "\(traced.errors)")
      var keys: [Int] = []
      for i in 0..<20_000 {
        func put(_ key: Int) {
          if keys.contains(key) { return }
          if keys.count == 1000 { keys.removeFirst() }
          keys.append(key)
        }
        put(i)
        keys.removeAll { $0 == i - 500 }
        if i % 4 == 0 { put(i - 500) }
      }
      let wanted = (keys.sorted().prefix(2) + keys.sorted().reversed().prefix(2) + [keys.count]).map(
        String.init
      )
      #expect(traced.scriptLines == wanted)
    }
  }
}
