import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// utrace dies at any moment; what it traced must not notice.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct KillTests {
    @Test("SIGKILL at 50 random moments leaves no probe and right results")
    func survivesSIGKILL() throws {
      let threads = Package.program("threads")
      let code = try CodeOf(function: "hit", in: threads)
      var generator = SeededGenerator(seed: 11)
      var program = try startProgram()
      var kills = 0
      var armed = 0
      while kills < 50 {
        if !program.isRunning {
          try check(program.finish())
          program = try startProgram()
        }
        let tracer = try RunningProcess(Package.utrace, ["-p", "\(program.pid)", "-e", script])
        // From the first instructions of utrace to long after everything is armed.
        usleep(UInt32.random(in: 0..<400_000, using: &generator))
        if try code.bytes(inProcess: program.pid) != code.bytes { armed += 1 }
        // Every third dies while it detaches.
        if kills % 3 == 2 {
          tracer.signal(SIGINT)
          usleep(UInt32.random(in: 0..<5_000, using: &generator))
        }
        tracer.signal(SIGKILL)
        _ = tracer.finish()
        kills += 1
        #expect(try eventually { try code.bytes(inProcess: program.pid) == code.bytes }, "kill \(kills)")
      }
      #expect(armed >= 10, "only \(armed) of \(kills) were armed")
      try check(program.finish())
    }

    @Test("SIGKILL does not leave a command of -c suspended")
    func leavesNoSuspendedCommand() throws {
      var generator = SeededGenerator(seed: 12)
      for _ in 0..<10 {
        let mark = "\(UUID().uuidString)"
        let tracer = try RunningProcess(
          Package.utrace,
          ["-c", "/bin/sleep 0.01 #\(mark)", "-e", "probe process(\"/bin/sleep\").function(\"*\") { next }"]
        )
        usleep(UInt32.random(in: 0..<60_000, using: &generator))
        tracer.signal(SIGKILL)
        _ = tracer.finish()
        #expect(try eventually { try run("pgrep", ["-f", mark]).status != 0 })
      }
    }

    @Test("who dies while thousands of probes are set or taken away leaves none", arguments: [false, true])
    func leavesNoneOfThousands(_ whileDetaching: Bool) throws {
      let count = 20_000
      let scratch = try ScratchDirectory()
      let functions = (0..<count).map { number in
        let name = "f\(number)"
        return "\\t.type \(name), @function\\n\(name):\\tnop\\n\\tret\\n\\t.size \(name), .-\(name)\\n"
      }
      let source = """
        #include <stdio.h>
        __asm__("\(functions.joined())");
        int main(void) { puts("ready"); fflush(stdout); return getchar(); }
        """
      let program = try scratch.compileC(source, to: "many", flags: ["-O1"])
      let code = try [0, count - 1].map { try CodeOf(function: "f\($0)", in: program) }
      let process = try RunningProcess(program, [])
      #expect(process.wait { $0.output.contains("ready") })
      for signal in [SIGINT, SIGTERM, SIGHUP] {
        let tracer = try RunningProcess(
          Package.utrace,
          ["-w", "-e", "global n probe process(\"\(program)\").function(\"f*\").call { n++ }"]
        )
        let first = whileDetaching ? code[1] : code[0]
        while try tracer.isRunning && first.bytes(inProcess: process.pid) == first.bytes { usleep(200) }
        if whileDetaching { tracer.signal(SIGINT); usleep(15_000) }
        tracer.signal(signal)
        _ = tracer.finish()
        for code in code {
          #expect(try eventually { try code.bytes(inProcess: process.pid) == code.bytes }, "signal \(signal)")
        }
      }
    }

    private let script = """
      global n, s
      probe process.function("hit").call { n[tid()]++ }
      probe process.function("hit").return { s <<< $return; if (!($i % 1000)) printf("%d\\n", $i) }
      """

    private func startProgram() throws -> RunningProcess {
      let program = try RunningProcess(Package.program("threads"), ["4", "20000", "push", "1"])
      guard program.wait(until: { $0.output.contains("ready") }) else {
        throw CommandFailure(command: "threads", output: program.errors)
      }
      program.send("\n")
      return program
    }

    private func check(_ outcome: Outcome) throws {
      #expect(outcome.status == 0 && outcome.output.contains("done 80000 hits, sum 1600000000, right"))
    }
  }
}

/// The first bytes of a function, in its file and in processes that run it.
private struct CodeOf {
  let path: String
  let offset: UInt64
  let bytes: [UInt8]

  /// The function's address must equal its file offset, as in a position-independent program of GNU ld's.
  init(function: String, in path: String) throws {
    let symbols = try run("nm", [path]).output.split(separator: "\n").map { $0.split(separator: " ") }
    let symbol = try #require(symbols.first { $0.count == 3 && $0[2] == function })
    self.path = path
    offset = try #require(UInt64(symbol[0], radix: 16))
    bytes = try Self.read(path, at: offset)
  }

  func bytes(inProcess pid: Int32) throws -> [UInt8] {
    let maps = (try? String(contentsOfFile: "/proc/\(pid)/maps", encoding: .utf8)) ?? ""
    for line in maps.split(separator: "\n") where line.hasSuffix(path) {
      let fields = line.split(separator: " ", maxSplits: 5)
      let range = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      let start = try #require(UInt64(fields[2], radix: 16))
      guard (start..<(start + range[1] - range[0])).contains(offset) else { continue }
      return (try? Self.read("/proc/\(pid)/mem", at: range[0] + offset - start)) ?? bytes
    }
    // It has just ended: nothing can be left.
    return bytes
  }

  private static func read(_ path: String, at offset: UInt64) throws -> [UInt8] {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    try file.seek(toOffset: offset)
    return try file.read(upToCount: 16).map(Array.init) ?? []
  }
}

/// Whether `condition` holds within two seconds.
private func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
  for _ in 0..<200 {
    if try condition() { return true }
    usleep(10_000)
  }
  return try condition()
}
