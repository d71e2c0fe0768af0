import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Memory that is mapped but not there: never touched, or thrown out again.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct AbsentMemoryTests {
    private let program = Package.program("absent")
    private let scratch: ScratchDirectory
    private var file: String { "\(scratch.path)/mapped" }

    init() throws { scratch = try ScratchDirectory() }

    private func text(_ id: Int) -> String {
      String(decoding: (0..<200 + id % 200).map { UInt8(97 + (id * 7 + $0 * $0) % 26) }, as: UTF8.self)
    }

    @Test("strings and numbers are fetched, while other threads' hits wait on the same CPU")
    func fetches() throws {
      let (threads, rounds) = (8, 50)
      let script = """
        global seen
        probe process.function("text") {
          seen[user_string($address)] = $id
          printf("text %d %s\\n", $id, user_string($address))
        }
        probe process.function("number") { printf("number %d %d\\n", $id, $address->number) }
        probe process.function("constant") { printf("constant %s\\n", user_string($address)) }
        probe end {
          foreach (text in seen) n++
          printf("%d kept\\n", n)
        }
        """
      let traced = try utrace(["-c", "\(program) \(file) \(threads) \(rounds)", "-e", script])
      #expect(traced.status == 0)
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      let wanted = (0..<threads * rounds).flatMap { id in
        ["text \(id) \(text(id))", "number \(id) \(id * id + 7)"]
      }
      let rest = ["constant nobody has read this before", "done", "\(threads * rounds) kept"]
      #expect(Set(traced.lines).symmetricDifference(wanted + rest).isEmpty)
      #expect(traced.lines.count == wanted.count + rest.count)
    }

    @Test("at the entry of a function for its return, in loops, in try blocks and blocks of bytes")
    func fetchesEverywhere() throws {
      let script = #"""
        probe process.function("text").return { printf("entry %s\n", @entry(user_string($address))) }
        probe process.function("text") {
          for (i = 0; i < 3; i++) sum += user_uint8($address + i)
          try { printf("loop %d %s\n", sum, user_string_n($address, 20)) } catch (message) { println(message) }
        }
        probe process.function("text") {
          printf("across %c%c\n", user_uint8($address + 7), user_uint8($address + 8))
        }
        probe process.function("number") { printf("bytes %#.8M\n", &$address->number) }
        """#
      let traced = try utrace(["-c", "\(program) \(file) 1 3", "-e", script])
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      for id in 0..<3 {
        let sum = text(id).utf8.prefix(3).reduce(0) { $0 + Int($1) }
        #expect(traced.lines.contains("entry \(text(id))"))
        // One read of two pages, of which neither is there.
        #expect(traced.lines.contains("across \(text(id).dropFirst(7).prefix(2))"))
        #expect(traced.lines.contains("loop \(sum) \(text(id).prefix(20))"))
      }
      #expect(traced.output.contains("bytes 0700000000000000"))
    }

    @Test("an address that is no memory is a fault all the same, with its address")
    func faults() throws {
      let script = #"""
        probe process.function("constant") {
          try { println(user_string(4660)) } catch (message) { println(message) }
          try { println(user_long_error(4660)) } catch (message) { println(message) }
          // Members of something in one read: the first that cannot be read is told.
          q = pid() - pid() + 4660
          try { println(user_long_error(q) + user_long_error(q + 8)) } catch (message) { println(message) }
          try { printf("%d %d\n", user_uint8($address), user_int_error(q)) } catch (message) { println(message) }
          printf("%d %s\n", user_long(4660), user_string(4660, "none"))
        }
        """#
      let traced = try utrace(["-c", "\(program) \(file) 1 1", "-e", script])
      let wanted = [
        "user string copy fault -14 at 0x1234", "user read fault at 0x1234", "user read fault at 0x1234",
        "user read fault at 0x1234", "0 none",
      ]
      #expect(traced.lines.filter { $0 != "done" } == wanted, "\(traced.output)\(traced.errors)")
    }
  }
}
