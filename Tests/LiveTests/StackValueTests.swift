import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Call chains and names of addresses as values: keys, contents of globals, what an `if` asks.
  @Suite(.requires(.probes), .timeLimit(.minutes(4))) struct StackValueTests {
    private let stacks = Package.program("stacks")

    private func trace(_ script: String, _ way: String = "many") throws -> Outcome {
      let traced = try utrace(["-c", "\(stacks) \(way)", "-e", script])
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      return traced
    }

    @Test("chains are keys; every hit is counted under its own")
    func counts() throws {
      let script = """
        global n, sizes
        probe process.function("probed") { n[ubacktrace()]++; sizes[ubacktrace(), pid() == target()] <<< $n }
        probe end {
          foreach (chain in n-) printf("%d %d\\n", n[chain], length(chain, 3))
          foreach ([chain, mine] in sizes-)
            printf("%d %d %d\\n", @count(sizes[chain, mine]), @sum(sizes[chain, mine]), mine)
        }
        function length(chain, depth) {
          name = tokenize(chain, " ")
          for (i = 1; i < depth; i++) name = tokenize("", " ")
          return strlen(name)
        }
        """
      let traced = try trace(script)
      let sums = (0..<80).reduce(into: [0, 0]) { $0[$1 % 8 < 5 ? 0 : 1] += $1 }
      #expect(traced.lines.suffix(4).map { $0.prefix(2) } == ["50", "30", "50", "30"], "\(traced.output)")
      #expect(traced.lines.suffix(2) == ["50 \(sums[0]) 1", "30 \(sums[1]) 1"], "\(traced.output)")
    }

    @Test("names of callers are keys, and decide")
    func names() throws {
      let script = """
        global n, hits, others
        probe process.function("probed") {
          caller = usymname(ustack(2))
          n[caller, usymname(ustack(0))]++
          if (caller == "second") { hits++; if ($n == 79) printf("last %d %s", $n, sprint_ubacktrace()) }
          else others += $n
        }
        probe end {
          foreach ([a, b] in n-) printf("%s %s %d\\n", a, b, n[a, b])
          printf("%d %d\\n", hits, others)
        }
        """
      let traced = try trace(script)
      #expect(traced.lines.contains { $0.hasPrefix("last 79 probed+0x") }, "\(traced.output)")
      let others = (0..<80).filter { $0 % 8 < 5 }.reduce(0, +)
      let wanted = ["first probed 50", "second probed 30", "30 \(others)"]
      #expect(traced.lines.suffix(3) == wanted, "\(traced.output)")
    }

    @Test("a probe that leaves early for its caller does nothing of what follows")
    func leaves() throws {
      let script = """
        global seen, n
        probe process.function("probed") {
          if (!isinstr(sprint_ubacktrace(), "second+0x")) next
          n++
          if (n in seen) exit()
          seen[$n] = n
          printf("%d %s %d\\n", $n, pp() == "" ? "?" : "there", user_long(&$n) == $n)
        }
        probe end { printf("%d\\n", n) }
        """
      let traced = try utrace(["-c", "\(Package.program("stacks-O0")) many", "-e", script])
      let wanted = (0..<80).filter { $0 % 8 >= 5 }.map { "\($0) there 1" }
      let lines = traced.lines.filter { $0.contains(" there ") || $0.count == 1 }
      #expect(lines.first == wanted.first, "\(traced.output)\(traced.errors)")
      // `n` grows by one from 1, $n from 5 in steps of 1 and 6: the first n that was seen as $n is 5.
      #expect(lines.last == "5" && lines.dropLast() == wanted.prefix(5), "\(traced.output)")
    }

    @Test("each distinct chain is shown once, and contents of globals are compared later")
    func distinct() throws {
      let script = """
        global seen, last, changes, at
        probe process.function("probed") {
          chain = ubacktrace()
          if (chain in seen) { seen[chain]++ } else { seen[chain] = 1; print_ubacktrace_brief(); println("-") }
          if (last != chain) changes++
          last = chain
          at[$n] = ucallers(3)
        }
        probe process.function("first").return { if ($n in at) delete at[$n] }
        probe end {
          foreach (n in at+ limit 1) printf("first %d %d\\n", n, strlen(at[n]) > 20)
          left = 0
          foreach (n in at) left++
          printf("%d changes, %d left\\n", changes, left)
        }
        """
      let traced = try trace(script)
      let chains = traced.output.components(separatedBy: "-\n").dropLast()
      #expect(chains.count == 2 && chains[0].contains("first+0x") && chains[1].contains("second+0x"))
      #expect(traced.lines.suffix(2) == ["first 5 1", "20 changes, 30 left"], "\(traced.output)")
    }

    @Test("errors come where the script would have got them, and only there")
    func faults() throws {
      let script = """
        global caught, n
        probe process.function("probed") {
          if (usymname(ustack(2)) == "second") {
            try { n += user_long_error(($n != 79) * &$n) - $n } catch (message) { caught++; println(message) }
          } else if ($n == 400) user_long_error(0)
          n++
        }
        probe end { printf("%d %d\\n", caught, n) }
        """
      let traced = try utrace(["-c", "\(Package.program("stacks-O0")) many", "-e", script])
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.lines.last == "1 80", "\(traced.output)")
      #expect(traced.lines.contains { $0.contains("fault") }, "\(traced.output)")
    }

    @Test("what would have to be on both sides is refused with the place")
    func refused() throws {
      let script = """
        probe process("\(stacks)").function("probed") { printf("%d", user_long(strtol(ubacktrace(), 16))) }
        """
      let traced = try utrace(["--pass", "4", "-e", script])
      #expect(traced.status == 1)
      #expect(traced.errors.contains("a call chain or the name of an address"), "\(traced.errors)")
    }
  }
}
